"""Filled bars: made up where the clock has none, marked, and refused by all that computes."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import touchstone
from touchstone.errors import BarsError, RefusedError
from touchstone.execution.history import timeline
from touchstone.features import FeaturesConfig, compile_features, evaluate
from touchstone.labels import LABELS
from touchstone.market import Panel
from touchstone.market.filling import Filled, fill_forward, interpolate
from walks import HOUR_NS, flat, panel_of, random_panel

HOUSE = Path(touchstone.__file__).parent


def clocks(panel):
    parts = np.split(panel.time, panel.offsets[1:-1])
    return [np.arange(t[0], t[-1] + 1, HOUR_NS) if t.size else t for t in parts]


def slow(bars, clock, method):
    """Written from the page: the last close, or the line to the next open; volume 0."""
    have = {int(t): k for k, t in enumerate(bars.time)}
    out = []
    for t in clock.tolist():
        if t in have:
            k = have[t]
            row = [getattr(bars, n)[k] for n in ("open", "high", "low", "close", "volume")]
            out.append((t, *row, False))
            continue
        before = max(k for u, k in have.items() if u < t)
        level = bars.close[before]
        if method == "interpolated":
            share = (t - bars.time[before]) / (bars.time[before + 1] - bars.time[before])
            level += share * (bars.open[before + 1] - level)
        out.append((t, level, level, level, level, 0.0, True))
    return out


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), missing=st.floats(0.05, 0.8))
@pytest.mark.parametrize(
    ("fill", "name"), [(fill_forward, "forward"), (interpolate, "interpolated")]
)
def test_filled_bars_agree_with_a_slow_fill(fill, name, seed, missing):
    panel = random_panel(3, 40, seed=seed, missing=missing)
    if (np.diff(panel.offsets) < 2).any():
        return
    filled = fill(panel, clocks(panel))
    want = [row for i, c in enumerate(clocks(panel)) for row in slow(panel.bars(i), c, name)]
    np.testing.assert_array_equal(filled.at, [w[0] for w in want])
    np.testing.assert_array_equal(filled.is_filled, [w[6] for w in want])
    for k, field in enumerate(("open", "high", "low", "close", "volume"), 1):
        np.testing.assert_allclose(filled.shown[field], [w[k] for w in want], rtol=1e-12)
    assert int((~filled.is_filled).sum()) == len(panel)
    assert filled.original is panel


def test_a_worked_hole():
    panel = panel_of(flat(5, open={3: 104.0}, high={3: 104.0}, close={0: 100.0}))
    panel = panel.where(np.array([True, False, False, True, True]))
    clock = [panel.time[0] + np.arange(5) * HOUR_NS]
    assert fill_forward(panel, clock).shown["close"].tolist() == [100.0] * 5
    drawn = interpolate(panel, clock).shown["close"]
    np.testing.assert_allclose(drawn, [100, 100 + 4 / 3, 100 + 8 / 3, 100, 100])


def test_nothing_is_filled_before_the_first_bar_or_after_the_last():
    panel = random_panel(1, 10)
    wide = [np.arange(-50, 60) * HOUR_NS + panel.time[0]]
    assert not fill_forward(panel, wide).is_filled.any()


def test_clocks_and_instruments_must_agree():
    with pytest.raises(BarsError, match="0 clocks for 2 instruments"):
        fill_forward(random_panel(2, 10), [])


@pytest.fixture
def holed():
    panel = random_panel(3, 300, seed=4, missing=0.2)
    return fill_forward(panel, clocks(panel))


def test_the_feature_engine_refuses_filled_bars(holed):
    plan = compile_features(FeaturesConfig(), ())
    with pytest.raises(RefusedError, match="display only"):
        evaluate(plan, holed)
    rows = evaluate(plan, holed.original)
    assert rows.shape[0] == len(holed.original) < holed.at.size, "no row of a filled bar"


@pytest.mark.parametrize("kind", LABELS.kinds())
def test_every_label_refuses_filled_bars(kind, holed):
    config = LABELS.parse(kind)
    width = np.full(holed.at.size, 0.01) if getattr(config, "width", None) else None
    with pytest.raises(RefusedError, match="display only"):
        LABELS.part(kind)(holed, config, width)


def test_the_kernel_refuses_filled_bars(holed):
    with pytest.raises(RefusedError, match="display only"):
        timeline(holed)


def test_no_panel_can_be_made_of_filled_bars(holed):
    with pytest.raises(RefusedError, match="display only"):
        Panel.from_bars([holed], holed.original.timeframe, holed.original.calendar)
    assert not issubclass(Filled, Panel)
    for name in ("time", "open", "offsets", "blocks", "where", "available_at", "content_hash"):
        with pytest.raises(RefusedError, match=r"take \.original"):
            getattr(holed, name)
    with pytest.raises(AttributeError):
        holed.opne  # noqa: B018


def test_no_room_that_computes_knows_of_filling():
    """The type could be unpacked by hand; so nobody who computes may import it at all."""
    rooms = ("features", "labels", "execution", "dataset", "strategies", "models", "training",
             "backtest", "validation", "metrics", "simulation")  # fmt: skip
    for room in rooms:
        for path in (HOUSE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [a.name for a in getattr(node, "names", [])]
                told = [getattr(node, "module", "") or "", *names]
                assert not any("filling" in n or n == "Filled" for n in told), path
    assert "filling" not in inspect.getsource(touchstone.market)
