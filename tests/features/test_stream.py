"""The live side: absent bars, stored state, refusals; and planted faults that the laws must see."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.features import (
    Bar,
    FeaturesConfig,
    Stream,
    compile_expression,
    compile_features,
    evaluate,
    evaluation,
)
from touchstone.features.graph import Plan
from touchstone.market import Calendar
from walks import HOUR_NS, START_NS, panel_of, random_panel, random_walk

PLAN = compile_features(
    FeaturesConfig(extra={"nested": "max(ema(ema(close, 3), 3), 9)", "place": "cross_rank(ret)"})
)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 999), st.integers(1, 5), st.floats(0, 0.8))
def test_replay_ends_where_the_history_does(seed, n_instruments, missing):
    panel = random_panel(n_instruments, 60, seed, missing)
    whole = evaluate(PLAN, panel, np.float64)
    live = Stream(PLAN, n_instruments).replay(panel)
    last = panel.blocks().row[-1]
    for instrument in range(n_instruments):
        expected = whole[last[instrument]] if last[instrument] >= 0 else np.nan * live[0]
        np.testing.assert_array_equal(live[instrument], expected)


def bar(rows, panel):
    return Bar(*(getattr(panel, f)[rows] for f in ("open", "high", "low", "close", "volume")))


def test_one_bar_takes_indices_by_mask_and_reads_nothing_of_the_absent():
    panel = panel_of(random_walk(50, 1, symbol="A"), random_walk(50, 2, symbol="B"))
    whole, feed = evaluate(PLAN, panel, np.float64), Stream(PLAN, 2)
    for t in range(50):
        now = bar([t, 50 + t], panel)
        feed.push([True, True], START_NS + t * HOUR_NS, now)
        if t == 40:
            before = feed.state()
            nothing = Bar(*[np.array([np.nan, -1.0])] * 5)
            assert np.isnan(feed.push([False, False], START_NS, nothing)).all()
            assert [np.array_equal(a, b) for a, b in zip(before, feed.state(), strict=True)] == [
                True
            ] * 3
    np.testing.assert_array_equal(
        feed.replay(panel.where(np.zeros(100, bool))), np.full((2, len(PLAN.names)), np.nan)
    )
    assert np.isfinite(whole[49]).all()


def test_state_survives_storage_and_refuses_another_plan():
    panel = random_panel(3, 80)
    first, rest = panel.until(START_NS + 40 * HOUR_NS), panel.time >= START_NS + 40 * HOUR_NS
    feed, again = Stream(PLAN, 3), Stream(PLAN, 3)
    feed.replay(first)
    again.restore(pickle.loads(pickle.dumps(feed.state())))
    np.testing.assert_array_equal(again.replay(panel.where(rest)), feed.replay(panel.where(rest)))
    with pytest.raises(DataError, match="replay the history instead"):
        Stream(PLAN, 4).restore(feed.state())
    with pytest.raises(DataError, match="belongs to plan"):
        Stream(compile_expression("it", "close"), 3).restore(feed.state())


def test_sessions_follow_the_calendar():
    plan = compile_expression("it", "first_of_session()")
    panel = random_panel(1, 100)
    fx = panel_of(panel.bars(0), calendar="FX")
    for calendar in ("24/7", "FX"):
        feed = Stream(plan, 1, Calendar(calendar))
        live = [feed.push([True], int(t), bar([i], panel))[0, 0] for i, t in enumerate(panel.time)]
        market = panel if calendar == "24/7" else fx
        np.testing.assert_array_equal(live, evaluate(plan, market, np.float64)[:, 0])


def test_float32_is_the_float64_rounded_once():
    panel = random_panel(3, 80)
    wide, narrow = evaluate(PLAN, panel, np.float64), evaluate(PLAN, panel)
    assert narrow.dtype == np.float32
    assert narrow.flags.c_contiguous
    np.testing.assert_array_equal(narrow, wide.astype(np.float32))
    huge = evaluate(compile_expression("it", "(close * 1e30) ** 2"), panel)
    assert (huge == np.finfo(np.float32).max).all()


def test_fewer_bars_than_the_warmup_are_all_nan():
    panel = panel_of(random_walk(5, symbol="A"), random_walk(40, symbol="B"))
    panel = panel.where(panel.asset_id == 1)  # A stays, empty
    assert np.isfinite(evaluate(PLAN, panel)[-1]).all()
    values = evaluate(compile_expression("it", "ema(close, 30)"), panel_of(random_walk(5)))
    assert np.isnan(values).all()


def test_a_plan_can_be_sent_to_another_process():
    again = pickle.loads(pickle.dumps(PLAN))
    assert again.fingerprint == PLAN.fingerprint


@pytest.mark.parametrize("text", ["std(close, 5)", "sum(volume, 6)", "lag(high, 1)"])
def test_a_warmup_declared_too_short_would_be_seen(monkeypatch, text):
    """Planted fault: the law that an instrument depends on no other catches it."""
    honest = Plan.warmups.func
    plan = compile_expression("it", text)
    monkeypatch.setattr(
        Plan, "warmups", property(lambda self: tuple(max(w - 1, 0) for w in honest(self)))
    )
    monkeypatch.setattr(evaluation, "LANES", 1)
    panel = panel_of(*(random_walk(30, seed, symbol=f"S{seed}") for seed in range(2)))
    together = evaluate(plan, panel, np.float64)[30:]
    alone = evaluate(plan, panel.where(panel.asset_id == 1), np.float64)
    assert np.isfinite(alone).sum() == np.isfinite(together).sum()
    assert not np.array_equal(together, alone, equal_nan=True)
