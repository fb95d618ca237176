"""Promises that every feature of the catalogue and every primitive keeps; found, not listed.

A law is one test of all features at once, and its failure names those that break it and where:
the catalogue grows by the dozen, the price of the laws does not.
"""

import numpy as np
import pytest

from touchstone.features import Bar, Stream, StreamState, compile_expression, evaluate, evaluation
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
FIELDS = ("open", "high", "low", "close", "volume")


def example(name, takes):
    return f"{name}({', '.join(ARGUMENTS[a] for a in takes.split())})"


FEATURES = catalogue()
TEXTS = {name: entry.text for name, entry in FEATURES.items()}
TEXTS |= {f"of_{name}": example(name, part.takes) for name, part in PRIMITIVES.items()}
TEXTS |= {f"of_{name}": example(name, part.takes) for name, part in DERIVED.items()}
TEXTS |= {
    "of_higher": 'higher("4h", std(ret, 3)) + lag(higher("1d", close - lag(close, 1)), 2)',
    "of_higher_known": 'higher_known("1d", ema(close, 5))',
    "of_higher_across": 'higher("8h", cross_rank(ret))',
}
NAMES = list(TEXTS)
SIDE = sorted({side for entry in FEATURES.values() for side in entry.side})
PLAN = plan_of(TEXTS, SIDE)
N_BARS = max(260, int(PLAN.warmup.max()) + 60)
HALF = int(PLAN.warmup.max()) + 30


def computed_by(place, plan):
    """Names of all primitives that a node is made of, on longer bars too."""
    ops, waiting = set(), [place]
    seen = set(waiting)
    while waiting:
        node = plan.nodes[waiting.pop()]
        ops.add(node.op)
        waiting += set(node.args) - seen
        seen.update(node.args)
        if node.op == "higher":
            timeframe, column = node.name.split()
            inner = plan.higher[timeframe]
            ops |= computed_by(inner.outputs[inner.names.index(column)], inner)
    return ops


MADE_OF = [computed_by(place, PLAN) for place in PLAN.outputs]
ACROSS = np.array([any(op.startswith("cross_") for op in ops) for ops in MADE_OF])


def degenerate(n_bars, half):
    """Bars that stand still, trade nothing, begin or cease to move, or are tiny, huge, broken."""
    still, moving = np.full(n_bars, 100.0), random_walk(n_bars, 4).close
    late, early = np.r_[still[:half], moving[half:]], np.r_[moving[:half], still[half:] * 1.1]
    markets = {"flat": still, "flat, then moving": late, "moving, then flat": early}
    markets |= {"tiny": 1e-10 * moving, "huge": 1e4 * moving}
    markets |= {"one step": np.where(np.arange(n_bars) < half, 1.0, 1e6)}
    walk = random_walk(n_bars)
    silent = np.where(np.arange(n_bars) < half, 0.0, walk.volume)
    for name, path in markets.items():
        for volume in (np.zeros(n_bars), silent, 1e12 * walk.volume):
            yield Bars(f"{name} {volume[-1]:.0e}", walk.time, *[path.astype(float)] * 4, volume)
    yield flat(n_bars, high={half + 5: 106.0})


def with_side(panel, seed=5):
    rng = np.random.default_rng(seed)
    side = {name: rng.normal(size=len(panel)) for name in SIDE}
    for column in side.values():
        column[rng.random(len(panel)) < 0.3] = np.nan
    return panel.map_side(side)


def ragged(seed, missing):
    """Five walks and four instruments on which little or nothing moves, bars missing."""
    walks = random_panel(5, N_BARS, seed)
    odd = list(degenerate(N_BARS, HALF))
    chosen = (
        [odd[i] for i in (0, 4, 6, 15)]
        if missing
        else [random_walk(N_BARS, 40 + i) for i in range(4)]
    )
    renamed = [
        Bars(f"D{i}", *(getattr(b, f) for f in ("time", *FIELDS))) for i, b in enumerate(chosen)
    ]
    panel = panel_of(*(walks.bars(i) for i in range(5)), *renamed)
    return with_side(panel.where(np.random.default_rng(seed).random(len(panel)) >= missing), seed)


PANEL = ragged(3, 0.15)
VALUES = evaluate(PLAN, PANEL, np.float64)


def bits(values):
    """Bit patterns, but one for all NaN."""
    return np.where(np.isnan(values), np.int64(-1), values.view(np.int64))


def age(panel):
    return np.arange(len(panel)) - panel.offsets[panel.asset_id]


def refuse(broken, law, names=NAMES):
    """Fail with the features of the columns, (n_rows, n_features), where something is broken."""
    rows = {name: np.flatnonzero(column)[:3] for name, column in zip(names, broken.T, strict=True)}
    at_fault = [f"{name} in row {r[0]}" for name, r in rows.items() if r.size]
    assert not at_fault, f"{len(at_fault)} features {law}: {'; '.join(at_fault[:20])}"


def test_is_nan_for_the_warmup_and_finite_ever_after():
    warm = age(PANEL)[:, None] >= PLAN.warmup
    refuse(np.isnan(VALUES) == warm, "are NaN elsewhere than in their declared warm-up")
    refuse(warm & ~np.isfinite(VALUES), "are not finite after their warm-up")
    refuse(~warm[-1:].any(axis=0, keepdims=True), "were never seen after their warm-up")


@pytest.mark.parametrize(
    ("lanes", "elements"), [(1, 1), (1, 37), (2, 2), (3, 300), (16, 64), (4, 10**6)]
)
def test_is_bit_equal_in_blocks_of_every_shape(monkeypatch, lanes, elements):
    monkeypatch.setattr(evaluation, "LANES", lanes)
    monkeypatch.setattr(evaluation, "ELEMENTS", elements)
    reshaped = evaluate(PLAN, PANEL, np.float64, n_threads=2)
    refuse(
        bits(reshaped) != bits(VALUES), f"change in blocks of {lanes} lanes, {elements} elements"
    )


def stream():
    return Stream(PLAN, PANEL.n_instruments, PANEL.calendar, PANEL.timeframe)


def test_is_bit_equal_bar_by_bar():
    """Streamed with some instruments absent, and stored and restored half-way."""
    feed, live = stream(), np.full_like(VALUES, np.nan)
    time, rows = PANEL.blocks()
    for step, row in enumerate(rows):
        if step == time.size // 2:
            stored, feed = feed.state().arrays(), stream()
            feed.restore(StreamState.from_arrays(stored))
        at = np.maximum(row, 0)
        side = {name: column[at] for name, column in PANEL.side.items()}
        bar = Bar(*(getattr(PANEL, f)[at] for f in FIELDS), side)
        now = feed.push(row >= 0, int(time[step]), bar)
        live[row[row >= 0]] = now[row >= 0]
        assert np.isnan(now[row < 0]).all()
    refuse(bits(live) != bits(VALUES), "are not bit-equal when streamed bar by bar")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_does_not_change_when_the_future_does(share):
    other = ragged(99, 0.0)
    until = np.quantile(PANEL.blocks().time, share).astype(np.int64)
    bars, side = [], {name: [] for name in SIDE}
    for i in range(PANEL.n_instruments):
        old, new = PANEL.bars(i), other.bars(i)
        past, future = old.time <= until, new.time > until
        columns = [np.r_[getattr(old, f)[past], getattr(new, f)[future]] for f in ("time", *FIELDS)]
        bars.append(Bars(old.symbol, *columns))
        for name in SIDE:
            known = PANEL.side[name][PANEL.offsets[i] : PANEL.offsets[i + 1]][past]
            later = other.side[name][other.offsets[i] : other.offsets[i + 1]][future]
            side[name].append(np.r_[known, later])
    panel = panel_of(*bars).map_side({name: np.concatenate(side[name]) for name in SIDE})
    values = evaluate(PLAN, panel, np.float64)[panel.time <= until]
    refuse(bits(values) != bits(VALUES)[PANEL.time <= until], "change when the future does")


def test_does_not_depend_on_other_instruments(monkeypatch):
    """Nor on what a lane held before: a warm-up declared too short would show it."""
    parts = [PANEL.where(PANEL.asset_id == i) for i in range(PANEL.n_instruments)]
    alone = np.concatenate([evaluate(PLAN, part, np.float64) for part in parts])
    monkeypatch.setattr(evaluation, "LANES", 1)
    after_others = evaluate(PLAN, PANEL, np.float64)
    broken = (bits(after_others) != bits(alone)) & ~ACROSS
    refuse(broken, "depend on other instruments, though they look at none")


@pytest.mark.parametrize("power", [-30, 20])
def test_is_scale_free_if_it_says_so(power):
    walks = [random_walk(N_BARS, seed, symbol=f"S{seed}") for seed in range(3)]
    k = 2.0**power
    prices = [
        Bars(b.symbol, b.time, k * b.open, k * b.high, k * b.low, k * b.close, b.volume)
        for b in walks
    ]
    one, other = (evaluate(PLAN, with_side(panel_of(*b)), np.float64) for b in (walks, prices))
    # logarithms and powers round anew, all else keeps every bit
    rounds = [bool({"log", "exp", "power"} & ops) for ops in MADE_OF]
    near = 1e-9 * np.maximum(np.abs(one), np.nanmedian(np.abs(one), axis=0))
    apart = np.where(rounds, np.abs(one - other) > near, bits(one) != bits(other))
    says_so = [name in FEATURES and FEATURES[name].scale_free for name in NAMES]
    refuse(apart & says_so, f"change when all prices are multiplied by 2 ** {power}")


def test_is_finite_on_flat_bars_and_without_volume():
    panel = with_side(panel_of(*degenerate(N_BARS, HALF)))
    for dtype in (np.float64, np.float32):
        values = evaluate(PLAN, panel, dtype)
        warm = age(panel)[:, None] >= PLAN.warmup
        refuse(~np.isfinite(values) & warm, f"are not finite in {np.dtype(dtype)}")


def test_a_feature_says_what_it_is():
    for name, entry in FEATURES.items():
        assert name.isidentifier()
        assert entry.meaning.endswith("."), name
        assert entry.unit, name
        assert entry.source, name


def test_a_feature_that_breaks_a_law_is_named():
    broken = np.zeros((9, len(NAMES)), bool)
    broken[4, NAMES.index("rsi_14")] = True
    with pytest.raises(AssertionError, match=r"1 features change: rsi_14 in row 4"):
        refuse(broken, "change")
    assert (
        compile_expression("it", TEXTS["rsi_14"]).fingerprints[0]
        == PLAN.fingerprints[NAMES.index("rsi_14")]
    )
