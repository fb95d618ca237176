"""Promises that every feature of the catalogue and every primitive keeps; found, not listed."""

import numpy as np
import pytest

from touchstone.features import Stream, evaluate, evaluation
from touchstone.features.catalogue import catalogue
from touchstone.features.graph import plan as plan_of
from touchstone.features.primitives import DERIVED, PRIMITIVES
from touchstone.market import Bars
from walks import flat, panel_of, random_panel, random_walk

ARGUMENTS = {
    "n": "7", "q": "0.3", "x": "(close - lag(open, 2))", "y": "volume", "a": "close - open",
    "b": "close - lag(close, 3)", "condition": "close > open", "default": "0.5",
    "low": "-0.5", "high": "0.5",
}  # fmt: skip


def example(name, takes):
    return f"{name}({', '.join(ARGUMENTS[a] for a in takes.split())})"


FEATURES = catalogue()
TEXTS = {name: entry.text for name, entry in FEATURES.items()}
TEXTS |= {f"of_{name}": example(name, part.takes) for name, part in PRIMITIVES.items()}
TEXTS |= {f"of_{name}": example(name, part.takes) for name, part in DERIVED.items()}
SIDE = sorted({side for entry in FEATURES.values() for side in entry.side})
PLAN = plan_of(TEXTS, SIDE)
ACROSS = {name for name, text in TEXTS.items() if "cross_" in text}


def with_side(panel, seed=5):
    rng = np.random.default_rng(seed)
    side = {name: rng.normal(size=len(panel)) for name in SIDE}
    for column in side.values():
        column[rng.random(len(panel)) < 0.3] = np.nan
    return panel.map_side(side)


PANEL = with_side(random_panel(5, 260, seed=3, missing=0.15))
VALUES = evaluate(PLAN, PANEL, np.float64)
every_feature = pytest.mark.parametrize("column", range(len(TEXTS)), ids=list(TEXTS))


def bits(values):
    """Bit patterns, but one for all NaN."""
    return np.where(np.isnan(values), np.int64(-1), values.view(np.int64))


def age(panel):
    return np.arange(len(panel)) - panel.offsets[panel.asset_id]


@every_feature
def test_is_nan_for_the_warmup_and_finite_ever_after(column):
    expected = age(PANEL) < PLAN.warmup[column]
    np.testing.assert_array_equal(np.isnan(VALUES[:, column]), expected)
    assert np.isfinite(VALUES[~expected, column]).all()


@pytest.fixture(scope="module", params=[(1, 1), (1, 37), (2, 2), (3, 300), (16, 64), (4, 10**6)])
def reshaped(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "LANES", request.param[0])
        patch.setattr(evaluation, "ELEMENTS", request.param[1])
        return evaluate(PLAN, PANEL, np.float64, n_threads=2)


@every_feature
def test_is_bit_equal_in_blocks_of_every_shape(reshaped, column):
    np.testing.assert_array_equal(bits(reshaped)[:, column], bits(VALUES)[:, column])


@pytest.fixture(scope="module")
def bar_by_bar():
    """Streamed with some instruments absent, and stored and restored half-way."""
    feed, out = Stream(PLAN, PANEL.n_instruments), np.full_like(VALUES, np.nan)
    time, rows = PANEL.blocks()
    for step, row in enumerate(rows):
        if step == time.size // 2:
            state, feed = feed.state(), Stream(PLAN, PANEL.n_instruments)
            feed.restore(state)
        here = np.zeros(len(PANEL), bool)
        here[row[row >= 0]] = True
        now = feed.replay(PANEL.where(here))
        out[row[row >= 0]] = now[row >= 0]
        assert np.isnan(now[row < 0]).all()
    return out


@every_feature
def test_is_bit_equal_bar_by_bar(bar_by_bar, column):
    np.testing.assert_array_equal(bits(bar_by_bar)[:, column], bits(VALUES)[:, column])


@pytest.fixture(scope="module", params=[30, 101, 200])
def scrambled(request):
    """The values where every bar after a time is another, and the rows until then."""
    other = with_side(random_panel(5, 260, seed=99), seed=6)
    until = PANEL.blocks().time[request.param]
    bars, side = [], {name: [] for name in SIDE}
    for i in range(PANEL.n_instruments):
        old, new = PANEL.bars(i), other.bars(i)
        past, future = old.time <= until, new.time > until
        fields = ("time", "open", "high", "low", "close", "volume")
        columns = [np.r_[getattr(old, f)[past], getattr(new, f)[future]] for f in fields]
        bars.append(Bars(old.symbol, *columns))
        for name in SIDE:
            known = PANEL.side[name][PANEL.offsets[i] : PANEL.offsets[i + 1]][past]
            later = other.side[name][other.offsets[i] : other.offsets[i + 1]][future]
            side[name].append(np.r_[known, later])
    panel = panel_of(*bars).map_side({name: np.concatenate(side[name]) for name in SIDE})
    return evaluate(PLAN, panel, np.float64)[panel.time <= until], PANEL.time <= until


@every_feature
def test_does_not_change_when_the_future_does(scrambled, column):
    values, past = scrambled
    np.testing.assert_array_equal(bits(values)[:, column], bits(VALUES)[past, column])


@pytest.fixture(scope="module")
def alone():
    """Each instrument evaluated by itself; in the panel their lanes follow one another."""
    parts = [PANEL.where(PANEL.asset_id == i) for i in range(PANEL.n_instruments)]
    return np.concatenate([evaluate(PLAN, part, np.float64) for part in parts])


@every_feature
def test_does_not_depend_on_other_instruments(alone, column):
    """Nor on what a lane held before: a warm-up declared too short would show it."""
    if list(TEXTS)[column] in ACROSS:
        pytest.skip("looks across instruments by definition")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "LANES", 1)
        one = plan_of({"it": list(TEXTS.values())[column]}, SIDE)
        after_others = evaluate(one, PANEL, np.float64)
    np.testing.assert_array_equal(bits(after_others)[:, 0], bits(alone)[:, column])


@pytest.fixture(scope="module", params=[-30, 20])
def rescaled(request):
    walks = [random_walk(240, seed, symbol=f"S{seed}") for seed in range(3)]
    k = 2.0**request.param
    prices = [
        Bars(b.symbol, b.time, k * b.open, k * b.high, k * b.low, k * b.close, b.volume)
        for b in walks
    ]
    return [evaluate(PLAN, with_side(panel_of(*bars)), np.float64) for bars in (walks, prices)]


@pytest.mark.parametrize("name", [name for name, entry in FEATURES.items() if entry.scale_free])
def test_is_scale_free_if_it_says_so(rescaled, name):
    one, other = (values[:, list(TEXTS).index(name)] for values in rescaled)
    if "log(" in TEXTS[name]:  # a logarithm rounds anew, all else keeps every bit
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * np.nanmedian(np.abs(one)))
    else:
        np.testing.assert_array_equal(bits(one), bits(other))


def degenerate():
    still = np.full(90, 100.0)
    moving = random_walk(90, 4).close
    late, early = np.r_[still[:45], moving[:45]], np.r_[moving[:45], still[:45] * 1.1]
    markets = {"flat": still, "flat, then moving": late, "moving, then flat": early}
    markets |= {"tiny": 1e-10 * moving, "huge": 1e4 * moving, "one step": np.repeat([1, 1e6], 45)}
    for name, path in markets.items():
        close = path.astype(float)
        walk = random_walk(90)
        for volume in (np.zeros(90), np.r_[np.zeros(45), walk.volume[45:]], 1e12 * walk.volume):
            yield name, Bars(f"{name} {volume[-1]:.0e}", walk.time, *[close] * 4, volume)
    yield "one bar apart", flat(90, high={50: 106.0})


def test_is_finite_on_flat_bars_and_without_volume():
    panel = with_side(panel_of(*[bars for _, bars in degenerate()]))
    for dtype in (np.float64, np.float32):
        values = evaluate(PLAN, panel, dtype)
        bad = ~np.isfinite(values) & (age(panel)[:, None] >= PLAN.warmup)
        assert not bad.any(), {list(TEXTS)[c] for c in np.flatnonzero(bad.any(axis=0))}


def test_a_feature_says_what_it_is():
    for name, entry in FEATURES.items():
        assert name.isidentifier()
        assert entry.meaning.endswith("."), name
        assert entry.unit, name
        assert entry.source, name
