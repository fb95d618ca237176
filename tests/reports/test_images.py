"""Figures as PNG: pictures that other programs read, of what the result has and of nothing else."""

from io import BytesIO

import numpy as np
import pytest

from reports.test_study_page import PAGES
from touchstone.reports.charts.heat_map import HeatMap
from touchstone.reports.images import heat_map_image, images

pytest.importorskip("matplotlib")
image = pytest.importorskip("PIL.Image")


def read(png):
    return np.asarray(image.open(BytesIO(png)).convert("RGB")).astype(int)


def share(pixels, colour):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float((np.abs(pixels - wanted) <= 2).all(axis=2).mean())


def test_every_figure_of_a_result_is_drawn():
    market = PAGES["pair"]().market
    found = images(market.walk_forward, market.sealed)
    assert set(found) == {"equity", "costs", "months", "capacity", "instruments"}
    for name, png in found.items():
        pixels = read(png)
        assert pixels.shape[1] == 1600
        assert 0.3 < share(pixels, "#fcfbf8") < 0.99, name  # paper
        if name != "months":
            assert share(pixels, "#0072b2") > 0.001, name  # ours
    bars = read(found["costs"])
    rungs = [r.net_return for r in market.sealed.ladder]
    grey = share(bars, "#8f8b84") / share(bars, "#0072b2")
    assert grey == pytest.approx((rungs[0] + rungs[2] + rungs[3]) / rungs[1], rel=0.03)


def test_equal_results_give_equal_bytes_and_names_are_not_read_as_formulas():
    sealed = PAGES["pair"]().market.sealed
    row = next(a for a in sealed.analysis.attribution if a.by == "instrument")
    odd = row.model_copy(update={"name": r"$\frac$ <b>{A}_^"})
    analysis = sealed.analysis.model_copy(
        update={"attribution": (odd,), "months": (), "capacity": None}
    )
    part = sealed.model_copy(update={"analysis": analysis, "ladder": ()})
    one, two = images(None, part), images(None, part)
    assert set(one) == {"equity", "instruments"}
    assert one == two


def test_a_long_name_is_not_cut_and_one_day_draws_no_line():
    sealed = PAGES["pair"]().market.sealed
    row = next(a for a in sealed.analysis.attribution if a.by == "instrument")
    long = row.model_copy(update={"name": "W" * 20})
    analysis = sealed.analysis.model_copy(update={"attribution": (long,)})
    png = images(None, sealed.model_copy(update={"analysis": analysis}))["instruments"]
    pixels = read(png)
    paper = [int("fcfbf8"[i : i + 2], 16) for i in (0, 2, 4)]
    assert (np.abs(pixels[:, :8] - paper) <= 2).all()
    day = PAGES["one day"]().market
    assert "equity" not in images(None, day.sealed)


def test_the_map_of_a_sweep_frames_its_best_and_is_the_same_twice():
    chart = HeatMap([[1.0, None], [-2.0, 2.0]], ["a", "b"], ["1", "2"], "x", "y", (1, 1), 2.0)
    one, two = (heat_map_image(chart, "Best 2", "With z 3") for _ in range(2))
    assert one == two
    pixels = read(one)
    assert share(pixels, "#0072b2") > 0.05  # the best, in full colour
    assert share(pixels, "#8f8b84") > 0.05  # as bad, in grey


def test_results_without_trades_or_analysis_draw_what_they_have():
    assert images(None, None) == {}
    bare = PAGES["one day"]().market
    for png in images(bare.walk_forward, bare.sealed).values():
        assert read(png).shape[1] == 1600
    nothing = PAGES["none"]().market
    assert "costs" not in images(None, nothing.sealed)


@pytest.mark.parametrize("title", ["Best 2", "The Sharpe halves at 247 m under management; " * 3])
def test_a_title_of_any_length_stays_on_its_picture(title):
    chart = HeatMap([[1.0, None], [-2.0, 2.0]], ["a", "b"], ["1", "2"], "x", "y", (1, 1), 2.0)
    pixels = read(heat_map_image(chart, title, "With z 3"))
    lines = pixels[: pixels.shape[0] // 5]
    assert (np.abs(lines - lines[0, 0]) > 30).any()  # something is written
    assert (np.abs(lines[:, -20:] - lines[0, 0]) <= 2).all()  # and not up to the edge
