"""The live side: absent bars, stored state, refusals; and planted faults that the laws must see."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.features import (
    Bar,
    FeaturesConfig,
    Stream,
    StreamState,
    compile_expression,
    compile_features,
    evaluate,
    evaluation,
)
from touchstone.features.graph import Plan
from touchstone.market import Calendar, Timeframe
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


MARKET = compile_features(
    FeaturesConfig(set="none", extra={
        "beta": "beta(ret, cross_mean(ret), 8)", "rank": "cross_rank(ret)",
        "days": 'higher("12h", cross_zscore(close - open)) + higher("4h", cross_mean(ret))',
    })
)  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 999), st.integers(1, 59))
def test_a_universe_is_the_same_live(seed, stored):
    """Who belongs is told bar by bar, and a longer bar under way keeps it over a restart."""
    panel = random_panel(6, 60, seed, 0.2)
    member = np.random.default_rng(seed).random(len(panel)) < 0.7
    panel = replace(panel, member=member)
    whole = evaluate(MARKET, panel, np.float64)
    one, feed = (Stream(MARKET, 6, timeframe=Timeframe("1h")) for _ in range(2))
    now = START_NS + stored * HOUR_NS
    one.replay(panel.where(panel.time < now))
    feed.restore(StreamState.from_arrays(one.state().arrays()))
    for until in range(stored, 60):
        live = feed.replay(panel.where(panel.time == START_NS + until * HOUR_NS))
        rows = np.flatnonzero(panel.time == START_NS + until * HOUR_NS)
        np.testing.assert_array_equal(live[panel.asset_id[rows]], whole[rows])


def bar(rows, panel):
    return Bar(*(getattr(panel, f)[rows] for f in ("open", "high", "low", "close", "volume")))


def test_one_bar_takes_indices_by_mask_and_reads_nothing_of_the_absent():
    panel = panel_of(random_walk(50, 1, symbol="A"), random_walk(50, 2, symbol="B"))
    whole, feed = evaluate(PLAN, panel, np.float64), Stream(PLAN, 2)
    for t in range(50):
        now = bar([t, 50 + t], panel)
        feed.push([True, True], START_NS + t * HOUR_NS, now)
        if t == 40:
            before = feed.state().arrays()
            nothing = Bar(*[np.array([np.nan, -1.0])] * 5)
            assert np.isnan(feed.push([False, False], START_NS, nothing)).all()
            after = feed.state().arrays()
            assert before.keys() == after.keys()
            assert all(np.array_equal(before[name], after[name]) for name in before)
    np.testing.assert_array_equal(
        feed.replay(panel.where(np.zeros(100, bool))), np.full((2, len(PLAN.names)), np.nan)
    )
    assert np.isfinite(whole[49]).all()


LOOKS_UP = compile_features(
    FeaturesConfig(extra={"day": 'higher("1d", ema(close, 3))', "half": 'higher("12h", volume)'})
)


@pytest.mark.parametrize("plan", [PLAN, LOOKS_UP])
def test_state_survives_storage(plan, tmp_path):
    panel = random_panel(3, 80, missing=0.2)
    until = START_NS + 40 * HOUR_NS
    first, rest = panel.where(panel.time < until), panel.where(panel.time >= until)
    feed, again = (Stream(plan, 3, timeframe=Timeframe("1h")) for _ in range(2))
    feed.replay(first)
    np.savez(tmp_path / "state.npz", **feed.state().arrays())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as stored:
        again.restore(StreamState.from_arrays(stored))
    np.testing.assert_array_equal(again.replay(rest), feed.replay(rest))
    pickled = pickle.loads(pickle.dumps(feed.state()))
    assert pickled.arrays().keys() == feed.state().arrays().keys()


def test_a_state_of_anything_else_is_refused_and_changes_nothing():
    def stream(plan=LOOKS_UP, n=3, calendar="24/7", timeframe="1h"):
        return Stream(plan, n, Calendar(calendar), Timeframe(timeframe))

    panel = random_panel(3, 80)
    feed = stream()
    feed.replay(panel)
    before = feed.state().arrays()
    others = [
        stream(PLAN), stream(n=4), stream(calendar="FX"), stream(timeframe="30m"),
        stream(compile_expression("it", "close")),
    ]  # fmt: skip
    for other in others:
        with pytest.raises(DataError, match="replay the history instead"):
            feed.restore(other.state())
    state = feed.state()
    inner = state.longer[0]._replace(bars=np.zeros((1, 3)))
    for damaged in (
        state._replace(columns=state.columns[:-1]),
        state._replace(seen=state.seen[:2]),
        state._replace(longer=()),
        state._replace(longer=(inner, *state.longer[1:])),
    ):
        with pytest.raises(DataError, match="replay the history instead"):
            feed.restore(damaged)
    after = feed.state().arrays()
    assert all(np.array_equal(before[name], after[name], equal_nan=name != "of") for name in before)


def test_arrays_that_are_no_state_are_refused():
    arrays = Stream(PLAN, 2).state().arrays()
    for wrong in (
        {},
        {k: v for k, v in arrays.items() if k != "seen"},
        arrays | {"columns": np.array(["x"])},
        arrays | {"time": np.zeros(0)},
    ):
        with pytest.raises(DataError, match="no state of a stream"):
            StreamState.from_arrays(wrong)


def test_quantiles_are_the_same_however_they_are_found():
    """From below, from above, by selection; among them equals and zeros of both signs."""
    texts = {
        f"q{i}": f"quantile({x}, {n}, {q})"
        for i, (x, n, q) in enumerate(
            (x, n, q)
            for x in ("close", "sign(ret) * 0.0", "sign(ret)")
            for n in (1, 2, 7, 150)
            for q in (0, 0.05, 0.3, 0.5, 0.9, 1)
        )
    }
    plan = compile_features(FeaturesConfig(set="none", extra=texts))
    panel = random_panel(3, 190)
    whole = evaluate(plan, panel, np.float64)
    np.testing.assert_array_equal(Stream(plan, 3).replay(panel), whole[189::190])


def test_a_late_bar_is_refused_and_leaves_no_trace():
    panel = random_panel(2, 60)
    feed, without = Stream(PLAN, 2), Stream(PLAN, 2)
    for t in range(60):
        now = bar([t, 60 + t], panel)
        live = feed.push([True, t != 40], START_NS + t * HOUR_NS, now)
        expected = without.push([True, t != 40], START_NS + t * HOUR_NS, now)
        np.testing.assert_array_equal(live, expected)
        if t == 45:
            with pytest.raises(DataError, match=r"begins at 2022-01-02T16:00:00 UTC comes after"):
                feed.push([False, True], START_NS + 40 * HOUR_NS, bar([40, 100], panel))
    kept = np.ones(120, bool)
    kept[100] = False  # the recorded set: what the live process had
    whole = evaluate(PLAN, panel.where(kept), np.float64)
    np.testing.assert_array_equal(live, whole[[59, 118]])


def test_an_instrument_that_is_listed_later_is_as_if_it_had_been_alone():
    panel = panel_of(random_walk(90, 1, symbol="A"), random_walk(90, 2, symbol="B"))
    panel = panel.where((panel.asset_id == 0) | (panel.time >= START_NS + 30 * HOUR_NS))
    live = Stream(PLAN, 2).replay(panel)
    np.testing.assert_array_equal(live, evaluate(PLAN, panel, np.float64)[[89, 149]])


def test_a_bar_that_lacks_something_is_refused_before_anything_moves():
    plan = compile_expression("it", "mean(vix, 3)", {"vix"})
    feed = Stream(plan, 2)
    fields = [np.ones(2)] * 5
    before = feed.state().arrays()
    with pytest.raises(DataError, match="lacks the side column 'vix'"):
        feed.push([True, True], START_NS, Bar(*fields))
    with pytest.raises(DataError, match=r"a bar's vix is of shape \(3,\), needs \(2,\)"):
        feed.push([True, True], START_NS, Bar(*fields, {"vix": np.ones(3)}))
    with pytest.raises(DataError, match="a bar's low is of shape"):
        feed.push(
            [True] * 2,
            START_NS,
            Bar(*fields[:2], np.float64(1.0), *fields[:2], {"vix": np.ones(2)}),
        )
    assert all(np.array_equal(before[n], x) for n, x in feed.state().arrays().items())


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
