"""The audit's own pieces: exact comparison, futures that leave the past, folds, a slow account."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaks.eventful import with_actions
from reference.intents import intent_of
from touchstone.backtest import sweep
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.market.happened import NEVER, Happened
from touchstone.market.reinvested import grown, paid_share, steps
from touchstone.simulation import MarketConfig, simulate
from touchstone.validation.audit.account import followed, not_recomputed
from touchstone.validation.audit.compare import first_difference
from touchstone.validation.audit.cuts import chosen, strata
from touchstone.validation.audit.folds import Intervals, first_overlap
from touchstone.validation.audit.scrambles import SCRAMBLES
from touchstone.validation.audit.smoke import Foreseen, audit_smoke
from touchstone.validation.audit.trace import Fact, Rows, Trace
from walks import HOUR_NS, random_panel

FIELDS = ("open", "high", "low", "close", "volume")


def rows_of(values, known=None):
    n = len(values)
    time = np.arange(n, dtype=np.int64)
    known = time + 1 if known is None else np.asarray(known, np.int64)
    wide = np.asarray(values, float)[:, None]
    return Trace((Rows("stage", ("x",), np.full(n, "A"), time, known, wide),))


@given(
    values=st.lists(st.floats(allow_nan=True), min_size=1, max_size=12),
    at=st.integers(0, 11),
    until=st.integers(0, 13),
)
def test_a_change_is_a_difference_exactly_where_it_was_known(values, at, until):
    at = at % len(values)
    other = list(values)
    other[at] = 1.0 if np.isnan(values[at]) else np.nan
    found = first_difference(rows_of(values), rows_of(other), until)
    assert (found is not None) == (at + 1 <= until)
    assert first_difference(rows_of(values), rows_of(values), until) is None
    if found is not None:
        assert (found.time, found.column, found.symbol) == (at, "x", "A")


def test_a_last_bit_is_a_difference_and_a_missing_row_too():
    one = rows_of([1.0, 2.0, 3.0])
    bit = rows_of([1.0, np.nextafter(2.0, 3.0), 3.0])
    assert first_difference(one, bit, 3).old == "2.0"
    assert first_difference(one, rows_of([1.0, 2.0]), 3).new == "absent"
    assert first_difference(one, rows_of([1.0, 2.0]), 2) is None


@pytest.mark.parametrize(("optional", "differs"), [(True, False), (False, True)])
def test_a_fact_may_be_absent_only_where_a_run_may_end_early(optional, differs):
    one = Trace(facts=(Fact("fit", "weights after 2", 5, b"w", optional),))
    assert (first_difference(one, Trace(), 5) is not None) == differs
    assert first_difference(one, Trace(), 4) is None


@settings(max_examples=30)
@given(
    seed=st.integers(0, 999), share=st.floats(0.1, 0.9), how=st.sampled_from(list(SCRAMBLES)),
    acts=st.booleans(),
)  # fmt: skip
def test_every_future_leaves_the_past(seed, share, how, acts):
    panel = eventful(seed, 0.2, 1.0) if acts else random_panel(3, 60, seed, 0.2)
    known = np.unique(panel.available_at)
    cut = int(known[int(share * (known.size - 1))])
    other = SCRAMBLES[how](panel, cut, np.random.default_rng(seed))
    seen, still = panel.until(cut), other.until(cut)
    for i, symbol in enumerate(seen.symbols):
        was = seen.bars(i)
        if len(was):
            now = still.bars(still.symbols.index(symbol))
            for name in ("time", *FIELDS):
                np.testing.assert_array_equal(getattr(was, name), getattr(now, name))
            if acts:
                at, to = (p.asset_id == p.symbols.index(symbol) for p in (seen, still))
                for name in ("ratio", "dividend", "halted"):
                    one, two = getattr(seen.happened, name), getattr(still.happened, name)
                    np.testing.assert_array_equal(one[at], two[to])
    if acts:
        assert all(column.shape == other.time.shape for column in other.happened)
    if how in ("another path", "another cast"):
        assert other.time.max() == panel.time.max()
        for i in range(other.n_instruments):
            other.bars(i)  # no bar that a market could not print


def test_another_path_moves_every_later_price():
    panel = random_panel(2, 80, 3, 0.0)
    cut = int(np.unique(panel.available_at)[40])
    other = SCRAMBLES["another path"](panel, cut, np.random.default_rng(1))
    after = panel.available_at > cut
    assert (other.close[after] != panel.close[after]).all()


def test_in_another_path_actions_come_at_other_bars_and_prices_fall_by_them():
    panel = with_actions(simulate(MarketConfig(n_instruments=3, n_bars=900), 3)[0])
    panel = replace(panel, finer=panel)
    cut = int(np.unique(panel.available_at)[300])
    other = SCRAMBLES["another path"](panel, cut, np.random.default_rng(1))
    moved = (other.happened.ratio != panel.happened.ratio) & (panel.available_at > cut)
    assert moved.any()
    units = grown(other, steps(other, other.happened.ratio, paid_share(other)))
    same = other.asset_id[1:] == other.asset_id[:-1]
    assert np.abs(np.diff(np.log(other.close * units)))[same].max() < 0.2  # a split is log 2
    early = panel.finer.available_at <= cut
    np.testing.assert_array_equal(other.finer.close[early], panel.finer.close[early])
    assert (other.finer.close[~early] != panel.finer.close[~early]).all()


def test_a_third_of_the_cuts_is_random_and_the_edges_are_among_them():
    panel = random_panel(3, 400, 5, 0.0)
    of = strata(panel, Trace())
    cuts = chosen(panel, of, 30, np.random.default_rng(0))
    assert np.unique(cuts).size == cuts.size == 30
    edges = np.unique(np.concatenate(list(of.values())))
    assert np.isin(cuts, edges).sum() >= 20
    assert cuts.max() < panel.available_at.max()


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_overlaps_are_found_as_by_looking_at_every_pair(seed):
    rng = np.random.default_rng(seed)
    begin = rng.integers(0, 40, 12)
    found = Intervals(begin, begin + rng.integers(1, 6, 12))
    one, other = np.arange(5), np.arange(5, 12)
    pairs = [
        (i, j) for i in one for j in other
        if found.begin[i] < found.end[j] and found.begin[j] < found.end[i]
    ]  # fmt: skip
    row, meets = first_overlap(found, one, other)
    assert ((row, meets) in pairs) if pairs else (row == -1)


PLAIN = (AccountConfig(), CostsConfig())
RULES = {
    "plain": PLAIN,
    "whole units, fees": (
        AccountConfig(units="whole"),
        CostsConfig(commission_per_unit=0.01, commission_minimum=1.0, sell_fee_bp=0.3,
                    sell_fee_per_unit=0.0002),
    ),
    "impact that decays": (
        AccountConfig(ambiguity="optimistic"),
        CostsConfig(impact=0.7, impact_half_life=3, half_spread_bp=4, spread="quoted"),
    ),
    "limits": (
        AccountConfig(max_gross=0.8, max_weight=0.3, max_group=0.5, daily_loss=0.01, drawdown=0.1,
                      cool_down=4),
        CostsConfig(round_to_cents=False),
    ),
    "no cap": (AccountConfig(), CostsConfig(volume_cap=None, commission_bp=0)),
}  # fmt: skip


def eventful(seed, missing, volume):
    """Ragged bars with holes in their volume, actions, halts, a spread and two groups."""
    panel = random_panel(4, 90, seed, missing)
    rng, n = np.random.default_rng(seed), len(panel)
    first = panel.offsets[:-1]
    ratio = np.where(rng.random(n) < 0.02, rng.choice([0.5, 2.0, 3.0], n), 1.0)
    ratio[first] = 1.0
    gone = np.full(n, NEVER)
    recovery = np.full(n, np.nan)
    dead = int(first[1]) - 1  # the first instrument's last bar, some time before the end
    panel = panel.where((np.arange(n) > dead) | (np.arange(n) < dead - 20))
    keep = np.r_[0 : dead - 20, dead + 1 : n]
    gone[keep[dead - 21]], recovery[keep[dead - 21]] = panel.time.max() - 8 * HOUR_NS, 0.4
    dividend = np.where(rng.random(n) < 0.02, 0.7, 0.0)
    halted = rng.random(n) < 0.04
    happened = Happened(*(c[keep] for c in (ratio, dividend, halted, recovery, gone)))
    thin = panel.volume * volume * (rng.random(len(panel)) > 0.05)
    quoted = np.where(rng.random(len(panel)) < 0.8, 0.002, np.nan)
    groups = {s: "odd" if int(s[1:]) % 2 else "even" for s in panel.symbols}
    return replace(
        panel, volume=thin, happened=happened, groups=groups, side={"quoted": quoted}
    )  # fmt: skip


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.3]),
    cash=st.sampled_from([500.0, 1e6]), slots=st.sampled_from([1, 3]),
    rules=st.sampled_from(list(RULES)), volume=st.sampled_from([1.0, 1e-4, 1e-6]),
)  # fmt: skip
def test_the_slow_account_is_the_kernel(*, seed, missing, cash, slots, rules, volume):
    panel = eventful(seed, missing, volume)
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(len(panel)) < 0.3)
    leave = np.flatnonzero(rng.random(len(panel)) < 0.05)
    intent = intent_of(
        panel, rows, leave, up=0.02, down=0.01, hold=5, weight=1 / slots, slots=slots
    )
    account, costs = RULES[rules]
    account = account.model_copy(update={"cash": cash})
    ran = sweep(panel, [intent], account, costs)[0]
    slow, equity, held = followed(panel, intent, account, costs)
    got = [
        (int(r), REASONS[w], q)
        for r, w, q in zip(ran.fills.row, ran.fills.reason, ran.fills.quantity, strict=True)
    ]
    want = [(f.row, f.reason, pytest.approx(abs(f.quantity), rel=1e-7)) for f in slow.fills]
    assert got == want
    np.testing.assert_allclose(held, ran.cash, rtol=1e-9, atol=0.011)
    np.testing.assert_allclose(equity, ran.equity, rtol=1e-9, atol=0.011)


def test_what_the_slow_account_does_not_know_is_said():
    assert not_recomputed(intent_of(random_panel(1, 5), []), AccountConfig()) is None
    shorts = AccountConfig(short=True)
    assert (
        not_recomputed(intent_of(random_panel(1, 5), []), shorts) == "an account that may be short"
    )


@pytest.mark.parametrize(("strength", "clean"), [(0.0, True), (3.0, False)])
def test_smoke_rises_only_where_directions_are_foreseen(strength, clean):
    rng = np.random.default_rng(2)
    truth = (rng.random((300, 4)) < 0.5).astype(float)
    score = rng.normal(size=truth.shape) + strength * truth
    layer = audit_smoke([Foreseen("m", score, truth)], 1)
    assert (layer.finding is None) == clean


def test_a_renamed_column_is_a_difference():
    one = rows_of([1.0])
    renamed = Trace((one.rows[0]._replace(columns=("y",)),))
    assert first_difference(one, renamed, 5) is not None
