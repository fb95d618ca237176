"""Pages about the pipeline itself: what they say, and that they fit a phone and a wall."""

import re

import numpy as np
import pytest

from reports.test_study_in_browser import CUT, OVERLAPS, SMALL, show  # noqa: F401 (a fixture)
from touchstone.reports import calibration, power
from touchstone.validation import power as known
from touchstone.validation.calibration import Trial

RNG = np.random.default_rng(4)
KINDS = ("iid", "garch", "regimes", "residual")


def calibrated(n=400, fooled=False, bars="bars & <more>"):
    """A result of both runs: p-values of a correct test, or of one that is fooled."""
    runs = []
    for run in ("size", "product"):
        p = RNG.random((n, 2)) ** (3 if fooled else 1)
        trials = [
            Trial(KINDS[i % 4], i // 4, a, b, "evidence" if a < 0.05 and fooled else "none", 30, 10)
            for i, (a, b) in enumerate(p)
        ]
        runs.append(calibration.run_result(run, trials, [2.0] * n))
    return calibration.CalibrationResult(
        seed=1, n_instruments=10, n_bars=8760, bars=bars, runs=tuple(runs)
    )


def trial(word, true, k, net=0.2):
    deflated = None if true is None else 0.9
    return known.Trial(0.1, k, word, 0.02, deflated, 40, 50, true, net, 0.3)


def measured(targets=(1.0, 2.0, 3.0, 3.5), true=True):
    """A power curve that rises; without truth where nobody was ever chosen."""
    points = []
    for target in targets:
        hits = RNG.random(80) < target / 4
        trials = [
            trial("evidence" if hit else "weak", target + 0.3 * RNG.normal() if true else None, k)
            for k, hit in enumerate(hits)
        ]
        points.append(power.point_result(known.point(target, 0.1, trials), trials))
    ends = (("dies at the seal", "80%", "weak"), ("dies before", "30%", "none"))
    decoys = [
        power.decoy_result(name, until, [trial(word, None, k) for k in range(20)])
        for name, until, word in ends
    ]
    return power.PowerResult(
        seed=1, n_instruments=20, n_bars=8766, timeframe="4h", years_fresh=20.0, n_candidates=50,
        n_pilot=48, points=tuple(points), decoys=tuple(decoys), seconds=4.0,
    )  # fmt: skip


PAGES = {
    "calibration": lambda: calibration.page(calibrated(), "touchstone calibrate"),
    "fooled": lambda: calibration.page(calibrated(fooled=True, bars=None), "touchstone calibrate"),
    "one market": lambda: calibration.page(calibrated(n=1), "touchstone calibrate <one>"),
    "power": lambda: power.page(measured(), "touchstone power"),
    "nobody chosen": lambda: power.page(measured(true=False), "touchstone power"),
    "one point": lambda: power.page(measured((3.5,)), "touchstone power"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_alone_and_knows_every_number(name):
    text = PAGES[name]()
    assert not re.findall(r"https?://|<script|\bnan\b|\bNaN\b|\bNone\b|\binf\b", text)
    assert "<more>" not in text
    assert "<one>" not in text
    keys = re.findall(r' id="([^"]+)"', text)
    assert len(keys) == len(set(keys))


def test_a_miss_stands_above_everything():
    good, bad = calibrated(), calibrated(fooled=True)
    assert good.kept
    assert not bad.kept
    assert "missed" in calibration.page(bad, "x")
    assert "Missed" not in calibration.page(good, "x")
    said = "\n".join(calibration.told(bad))
    assert "OUTSIDE" in said
    assert "SIZE MISSED" in said
    assert "TOO MUCH EVIDENCE" in said
    proof = "\n".join(calibration.proof_lines(bad))
    assert "**outside**" in proof


def test_a_power_below_the_goal_is_said():
    low = measured((3.0, 3.5))
    points = [p.model_copy(update={"evidence": 0.79}) for p in low.points]
    low = low.model_copy(update={"points": tuple(points)})
    assert "Below the goal" in power.page(low, "x")
    high = [p.model_copy(update={"evidence": 0.8}) for p in low.points]
    assert "Below the goal" not in power.page(low.model_copy(update={"points": tuple(high)}), "x")


def test_the_headline_says_how_few_markets_it_speaks_of():
    one = [trial("none", 1.9, 0)]
    few = measured().model_copy(
        update={"points": (power.point_result(known.point(1.0, 0.1, one), one),)}
    )
    headline = re.search(r"<h1[^>]*>(.*?)</h1>", power.page(few, "touchstone power"), re.S)[1]
    assert headline.split()[-3:] == ["of", "1", "market"]


def test_the_headline_tells_the_truth_that_was_measured_and_not_the_one_wanted():
    found = measured((3.5,))
    moved = found.points[0].model_copy(update={"true_mean": 2.1})
    text = power.page(found.model_copy(update={"points": (moved,)}), "x")
    assert "A true Sharpe of 2.1 is found" in text


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_it_fits_and_nothing_overlaps(show, tmp_path, name):  # noqa: F811  (a fixture)
    file = tmp_path / "page.html"
    file.write_text(PAGES[name]())
    for width, scheme in ((360, "dark"), (1280, "light")):
        page = show(file, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate(CUT) == []
        assert page.said == []
