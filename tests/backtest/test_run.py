"""run, sweep, recost, daily: what they write, what they refuse, and what they compute."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.intents import EXACT, FREE, follow, intent_of, random_intent
from touchstone.backtest import break_even, daily, recost, run, sweep
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.ledger import MemoryLedger
from touchstone.market import Bars
from walks import flat, panel_of, random_panel, random_walk

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10_000)


def busy(seed=0, costs=None):
    panel = random_panel(4, 240, seed, missing=0.1)
    return panel, follow(panel, random_intent(panel, seed, 0.3), costs)


def test_a_run_is_written_to_the_ledger_and_a_sweep_is_left_to_its_caller():
    panel, ledger = random_panel(2, 80), MemoryLedger()
    intent = random_intent(panel)
    done = run(panel, intent, AccountConfig(), CostsConfig(), ledger, "data-hash")
    sweep(panel, [intent] * 3, AccountConfig(), CostsConfig())
    [(kind, config, data, facts)] = ledger.rows
    assert (kind, data) == ("backtest", "data-hash")
    assert json.loads(json.dumps(facts))["n_trades"] == done.trades.pnl.size
    assert len(config) == 12


def test_the_ledgers_fingerprint_knows_intent_account_and_costs():
    panel, ledger = random_panel(2, 80), MemoryLedger()
    intent = random_intent(panel)
    other_rank = np.where(intent.enter, intent.rank + 1, intent.rank)
    for one, account, costs in (
        (intent, AccountConfig(), CostsConfig()),
        (intent._replace(rank=other_rank), AccountConfig(), CostsConfig()),
        (intent._replace(hold_bars=7), AccountConfig(), CostsConfig()),
        (intent._replace(leave=~intent.leave), AccountConfig(), CostsConfig()),
        (intent, AccountConfig(cash=5), CostsConfig()),
        (intent, AccountConfig(), CostsConfig(slippage_bp=6)),
        (intent, AccountConfig(), CostsConfig()),
    ):
        run(panel, one, account, costs, ledger, "")
    prints = [row[1] for row in ledger.rows]
    assert len(set(prints)) == len(prints) - 1
    assert prints[0] == prints[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank": np.zeros(3)}, r"intent\.rank: needs one value per row of the panel \(9,\)"),
        ({"hold_bars": 0}, r"intent\.hold_bars must be at least 1, got 0"),
        ({"max_positions": 0}, r"intent\.max_positions must be at least 1, got 0"),
        ({"rank": np.full(9, np.nan)}, r"rank must not be nan .* row 2 \(FLAT\)"),
        ({"weight": np.full(9, 1.5)}, r"weight must lie in \(0, 1\]"),
        ({"weight": np.full(9, np.nan)}, r"weight must lie in \(0, 1\]"),
        ({"up": np.zeros(9)}, "up must be above 0"),
        ({"down": np.full(9, -0.01)}, "down must be above 0"),
    ],
)
def test_an_intent_that_cannot_be_traded_is_refused(change, message):
    panel = panel_of(flat(9))
    with pytest.raises(ConfigError, match=message):
        follow(panel, intent_of(panel, [2])._replace(**change))


def test_rows_that_do_not_enter_may_hold_anything():
    panel = panel_of(flat(9))
    nan = np.full(9, np.nan)
    intent = intent_of(panel, [])._replace(rank=nan, weight=nan, up=nan, down=nan)
    assert follow(panel, intent).fills.row.size == 0


def test_trades_say_when_they_were_filled():
    panel = panel_of(flat(9, low={2: 97.0}))
    hour = panel.timeframe.ns
    stopped = follow(panel, intent_of(panel, [0], down=0.02)).trades
    in_time = follow(panel, intent_of(panel, [0])).trades
    assert stopped.entry_time - panel.time[0] == hour
    assert stopped.exit_time - panel.time[0] == 3 * hour, "known at the end of its bar"
    assert in_time.exit_time - panel.time[0] == 4 * hour, "an open is known at the start"


def test_open_positions_are_marked_and_not_sold():
    panel = panel_of(flat(6, close={5: 103.0}, high={5: 103.0}))
    done = follow(panel, intent_of(panel, [3], hold=8), FREE, 10_000.0)
    assert done.trades.pnl.size == 0
    assert done.holdings.value == pytest.approx([50 * 103.0])
    assert done.holdings.unrealised == pytest.approx([150.0])
    assert done.equity[-1] == pytest.approx(10_150.0)


@few
@given(seeds)
def test_recost_at_once_the_costs_is_the_run_bit_by_bit(seed):
    panel, done = busy(seed)
    same = recost(panel, done, CostsConfig(), 1.0)
    for one, other in zip((*done[1:6], *done.fills), (*same[1:6], *same.fills), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(done.trades, same.trades, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(done.holdings, same.holdings, strict=True):
        np.testing.assert_array_equal(one, other)


@few
@given(seeds, st.sampled_from([0.0, 2.0, 3.0]))
def test_recost_keeps_the_orders_and_moves_the_money(seed, multiple):
    panel, done = busy(seed)
    other = recost(panel, done, CostsConfig(), multiple)
    np.testing.assert_array_equal(done.fills.quantity, other.fills.quantity)
    np.testing.assert_array_equal(done.fills.reference, other.fills.reference)
    np.testing.assert_array_equal(done.invested, other.invested)
    gained = other.trades.pnl.sum() + other.holdings.unrealised.sum()
    np.testing.assert_allclose(gained, other.equity[-1] - other.initial_cash, atol=1e-4)
    if multiple == 0.0:
        assert other.paid.total == 0.0


def test_costs_by_kind_are_in_proportion():
    costs = CostsConfig(commission_bp=0, slippage_bp=6, half_spread_bp=2)
    paid = busy(1, costs)[1].paid
    assert paid.commission == 0
    assert paid.slippage == pytest.approx(3 * paid.spread)
    assert paid.total == pytest.approx(paid.slippage + paid.spread)


@few
@given(seeds)
def test_break_even_is_where_recost_earns_nothing(seed):
    panel, done = busy(seed, EXACT)
    at = break_even(done).multiple
    if at is not None and 0 < at < 60:
        left = recost(panel, done, EXACT, at).equity[-1] - done.initial_cash
        np.testing.assert_allclose(left, 0, atol=0.02 * done.paid.total * at**2 * 0.0015 + 1)


def test_break_even_of_a_worked_trade():
    panel = panel_of(flat(8, open={4: 101.0}, high={4: 101.0}))
    done = follow(panel, intent_of(panel, [0]), CostsConfig(slippage_bp=0), 10_000.0)
    # bought 5000, sold 5050: 50 earned on 10,050 traded = 49.75 bp a side, 4.975 x 10 bp
    assert break_even(done).per_side_bp == pytest.approx(49.7512, abs=1e-3)
    assert break_even(done).multiple == pytest.approx(4.975, abs=1e-2)


def test_break_even_without_trades_or_without_costs():
    panel = panel_of(flat(8))
    assert break_even(follow(panel, intent_of(panel, []))) == (None, None)
    assert break_even(follow(panel, intent_of(panel, [0]), FREE)) == (None, 0.0)


def test_daily_samples_the_last_bar_of_each_day_from_the_initial_cash():
    panel = panel_of(random_walk(60, 1))  # 24 + 24 + 12 hours from midnight
    done = follow(panel, random_intent(panel, 1, 0.5))
    day, returns = daily(panel, done)
    np.testing.assert_array_equal(day - day[0], [0, 1, 2])
    sampled = done.equity[[23, 47, 59]]
    np.testing.assert_allclose(returns, sampled / np.r_[1e6, sampled[:-1]] - 1)


def test_daily_follows_the_calendar():
    night = 1_640_995_200_000_000_000 + np.arange(48) * 3_600_000_000_000
    walk = random_walk(48, 1)
    bars = Bars("A", night, walk.open, walk.high, walk.low, walk.close, walk.volume)
    for calendar, n_days in (("24/7", 2), ("FX", 1)):  # a weekend belongs to Monday
        panel = panel_of(bars, calendar=calendar)
        assert daily(panel, follow(panel, intent_of(panel, [0])))[0].size == n_days


@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_a_constant_score_runs_without_fault(probability):
    from touchstone.strategies import STRATEGIES, Outlook

    panel = random_panel(3, 200, 1, missing=0.1)
    n = len(panel)
    outlook = Outlook(
        np.full((n, 1), probability), np.full(n, 0.05), np.full(n, 0.02), 0.0, 0.003, None
    )
    config = STRATEGIES.parse({"kind": "threshold", "entry_threshold": 0.5})
    done = follow(panel, STRATEGIES.part_of(config)(config, outlook, 8))
    assert np.isfinite(done.equity).all()
    assert (done.fills.row.size == 0) == (probability == 0.1)
    if probability == 0.1:
        assert (done.equity == 1e6).all()
