"""When and where a run earned: hand values, closed forms, and sums that add up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.intents import intent_of, random_intent
from touchstone.backtest import daily, recost
from touchstone.backtest.again import again_of, readings
from touchstone.backtest.attribution import beside_fills, decided_rows, lives_of, sums
from touchstone.backtest.by_orders import again_of_orders
from touchstone.backtest.by_regime import by_regime, regime_of_days
from touchstone.backtest.capacity import Capacity, CapacityConfig, capacity
from touchstone.backtest.costs_in_sharpe import costs_in_sharpe
from touchstone.backtest.drawdowns import drawdowns
from touchstone.backtest.exposures import exposures
from touchstone.backtest.monthly import monthly
from touchstone.backtest.volatility import REGIMES, regimes_of, volatility_before
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.execution.columns import Given
from touchstone.execution.records import FOR_EVER, RESTING
from touchstone.market.happened import NEVER, Happened
from touchstone.metrics.trading import drawdown_rows, max_drawdown, sharpe
from walks import flat, panel_of, random_panel, random_walk

few = settings(max_examples=8, deadline=None)


def busy(seed=0, costs=None, account=None, share=0.2, n_bars=500):
    panel = random_panel(4, n_bars, seed, missing=0.05)
    again = again_of(panel, random_intent(panel, seed, share))
    return panel, again, again(account or AccountConfig(), costs or CostsConfig())


def test_drawdowns_by_hand():
    equity = np.array([100.0, 110, 99, 104, 110, 120, 90, 60, 120, 119, 121, 121, 100])
    found = drawdowns(equity, 10)
    assert found.peak.tolist() == [5, 11, 1, 8]
    assert found.trough.tolist() == [7, 12, 2, 9]
    assert found.recovery.tolist() == [8, -1, 4, 10]
    assert found.depth == pytest.approx([0.5, 1 - 100 / 121, 0.1, 1 - 119 / 120])
    assert drawdowns(equity, 2).peak.tolist() == [5, 11]


@given(steps=st.lists(st.floats(-0.3, 0.4), min_size=1, max_size=30))
@few
def test_the_deepest_drawdown_is_the_measure(steps):
    equity = np.cumprod(1 + np.array([0.0, *steps]))
    found = drawdowns(equity, 3)
    if found.depth.size:
        rows = found.peak[0], found.trough[0], found.recovery[0]
        assert rows == drawdown_rows(equity)
        assert found.depth[0] == pytest.approx(max_drawdown(equity))
    else:
        assert max_drawdown(equity) == 0


def test_months_by_hand_and_their_product():
    day = np.array(["2021-12-30", "2021-12-31", "2022-01-01", "2022-03-05"], "datetime64[D]")
    returns = np.array([0.1, 0.1, -0.5, 0.2])
    found = monthly(day.astype(np.int64), returns)
    assert list(zip(found.year, found.month, found.n_days, strict=True)) == [
        (2021, 12, 2), (2022, 1, 1), (2022, 3, 1),
    ]  # fmt: skip
    assert found.net_return == pytest.approx([0.21, -0.5, 0.2])
    assert np.prod(1 + found.net_return) == pytest.approx(np.prod(1 + returns))
    assert monthly(np.zeros(0, np.int64), np.zeros(0)).net_return.size == 0


@given(seed=st.integers(0, 10_000))
@few
def test_every_division_adds_up_to_the_profit(seed):
    account = AccountConfig(short=bool(seed % 2))
    panel, _, run = busy(seed, CostsConfig(half_spread_bp=2, borrow_bp=50), account, n_bars=100)
    lives, profit = lives_of(panel, run), run.equity[-1] - run.initial_cash
    beside = sum(money for _, money in beside_fills(run))
    decided = decided_rows(panel, lives.entry_row)
    assert np.all(panel.asset_id[decided] == lives.instrument)
    for part, n in (
        (lives.instrument, panel.n_instruments),
        ((lives.side < 0).astype(int), 2),
        (regimes_of(volatility_before(panel))[decided], len(REGIMES)),
    ):
        found = sums(lives, part, n)
        assert found.net.sum() + beside == pytest.approx(profit, abs=0.01)
        assert found.costs.sum() == pytest.approx(run.paid.total, abs=0.01)
        assert found.gross == pytest.approx(found.net + found.costs)
        assert found.n.sum() == run.trades.pnl.size + run.holdings.value.size


def test_costs_in_sharpe_add_up_and_are_the_measures():
    panel, _, run = busy(3, CostsConfig(half_spread_bp=2))
    found = costs_in_sharpe(panel, run)
    assert found.net == sharpe(daily(panel, run)[1], 365)
    assert sum(found.taken.values()) == pytest.approx(found.gross - found.net)
    assert found.taken["impact"] == 0
    assert min(found.taken[k] for k in ("commission", "spread", "slippage")) > 0
    # 10 bp of commission and 5 of slippage take about twice and half as much
    assert found.taken["commission"] / found.taken["slippage"] == pytest.approx(2, rel=0.3)


def test_gross_sharpe_is_about_that_of_the_run_at_no_costs():
    costs = CostsConfig(commission_bp=0.01, slippage_bp=0.01, round_to_cents=False)
    panel, _, run = busy(4, costs)
    free = sharpe(daily(panel, recost(panel, run, costs, 0))[1], 365)
    assert costs_in_sharpe(panel, run).gross == pytest.approx(free, abs=1e-3)


def test_volatility_by_hand_reads_only_bars_before():
    walk = random_walk(30, 5)
    panel = panel_of(walk, random_walk(30, 6, symbol="Z"))
    found = volatility_before(panel, 4)
    moves = walk.close[1:] / walk.close[:-1] - 1
    assert np.isnan(found[[0, 1, 30, 31]]).all()
    assert found[2] == pytest.approx(abs(moves[0]))
    assert found[20] == pytest.approx(np.sqrt(np.mean(moves[15:19] ** 2)))
    cut = panel_of(*(bars_to(b, 20) for b in (walk, random_walk(30, 6, symbol="Z"))))
    np.testing.assert_array_equal(volatility_before(cut, 4)[:20], found[:20])
    # not a bit of the other instrument's later bars
    np.testing.assert_array_equal(volatility_before(cut, 4)[20:], found[30:50])


def with_actions(panel):
    """A split of 2:1, a dividend and a delisting, in raw prices."""
    n = len(panel)
    ratio, dividend = np.ones(n), np.zeros(n)
    recovery, gone = np.full(n, np.nan), np.full(n, NEVER)
    ratio[[60, 100 + 30]], dividend[[30, 50, 100 + 70]] = 2.0, 1.5
    last = 2 * 100 + 79
    recovery[last], gone[last] = 0.4, panel.time[last] + 1
    halted = np.zeros(n, bool)
    return replace(panel, happened=Happened(ratio, dividend, halted, recovery, gone))


def test_corporate_actions_are_attributed_and_are_no_volatility():
    walks = [random_walk(100, i, symbol=f"S{i}") for i in range(2)]
    panel = with_actions(panel_of(*walks, bars_to(random_walk(100, 2, symbol="S2"), 80)))
    intent = random_intent(panel, 2, 0.6, hold=40, weight=(0.2, 0.3))
    run = again_of(panel, intent)(AccountConfig(units="whole"), CostsConfig())
    lives, beside = lives_of(panel, run), dict(beside_fills(run))
    assert beside["dividends"] > 0
    assert (run.fills.reason == REASONS.index("delisted")).any()
    assert lives.net.sum() + sum(beside.values()) == pytest.approx(run.equity[-1] - 1e6, abs=0.01)
    assert lives.costs.sum() == pytest.approx(run.paid.total, abs=0.01)
    close = panel.close.copy()
    close[60:100] /= 2
    close[130:200] /= 2
    split = replace(panel, close=close, open=close, high=close, low=close)
    still = replace(panel, open=panel.close, high=panel.close, low=panel.close, happened=None)
    no_cash = split.happened._replace(dividend=np.zeros(len(panel)))
    found = volatility_before(replace(split, happened=no_cash))
    assert found == pytest.approx(volatility_before(still), nan_ok=True)


def bars_to(bars, n):
    columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return type(bars)(bars.symbol, *(c[:n] for c in columns))


def test_regimes_of_days_are_those_of_the_day_before_and_compound():
    panel = random_panel(3, 24 * 9, 1)
    regime = np.full(len(panel), 1)
    regime[panel.calendar.day(panel.time) == panel.calendar.day(panel.time).min()] = 2
    of_days = regime_of_days(panel, regime, 4)
    assert of_days.tolist() == [3, 2, 1, 1, 1, 1, 1, 1, 1]
    returns = np.linspace(-0.03, 0.05, 9)
    rows = by_regime(returns, of_days, REGIMES, 365)
    assert [(r.name, r.n_days) for r in rows] == [("normal", 7), ("wild", 1), ("not known", 1)]
    assert np.prod([1 + r.net_return for r in rows]) == pytest.approx(np.prod(1 + returns))
    assert rows[1].sharpe is None
    assert rows[0].sharpe == sharpe(returns[2:], 365)


def test_exposure_by_hand():
    panel = panel_of(flat(6))
    free = CostsConfig(commission_bp=0, slippage_bp=0)
    run = again_of(panel, intent_of(panel, [1], hold=2, weight=0.5))(AccountConfig(), free)
    found = exposures(run)
    assert found[:3] == pytest.approx((0.5 * 2 / 6, 0.5, 0.0))
    assert found[3:6] == pytest.approx((0.5 * 2 / 6, 0.5, 2 / 6))
    assert (found.mean_positions, found.most_positions) == (pytest.approx(2 / 6), 1)


def test_capacity_without_impact_or_cap_is_the_run_at_every_deposit():
    panel, again, _ = busy(5)
    costs = CostsConfig(round_to_cents=False, volume_cap=1.0)
    config = CapacityConfig(impact=1e-9, deposits=(1e4, 1e5))
    terms = AccountConfig(), costs, config
    found = capacity(panel, again, terms)
    free = again(AccountConfig(cash=1e4), costs)
    assert found.sharpe == pytest.approx([sharpe(daily(panel, free)[1], 365)] * 2, rel=1e-6)
    assert found.filled == pytest.approx([1, 1], rel=1e-6)
    assert found.profit == pytest.approx(found.net_return * found.deposit)


def test_capacity_falls_with_the_square_root_of_the_deposit():
    """Orders four times as large pay impact twice as dear, which the kernel adds to the price."""
    panel, again, _ = busy(6)
    config = CapacityConfig(deposits=(4e6, 1e6))
    found = capacity(panel, again, (AccountConfig(), CostsConfig(), config))
    assert found.deposit.tolist() == [1e6, 4e6]
    assert found.impact_bp[1] / found.impact_bp[0] == pytest.approx(2, rel=0.02)
    assert found.sharpe[1] < found.sharpe[0]


def test_what_is_filled_does_not_fall_with_equity_that_impact_ate():
    panel, again, _ = busy(6)
    config = CapacityConfig(impact=10, volume_cap=1.0, deposits=(1e4, 1e8))
    found = capacity(panel, again, (AccountConfig(), CostsConfig(volume_cap=1.0), config))
    assert found.net_return[1] < found.net_return[0] - 0.1
    assert found.filled[1] == pytest.approx(1, abs=0.01)


def test_a_study_with_an_impact_of_its_own_keeps_it():
    own = CostsConfig(impact=0.5, impact_power=0.6, volume_cap=0.02)
    assert CapacityConfig().costs(own) == own
    other = CapacityConfig(impact=0.7).costs(CostsConfig(volume_cap=None))
    assert (other.impact, other.impact_power, other.volume_cap) == (0.7, 0.5, 0.1)


def test_where_the_curve_crosses():
    nan = np.full(3, np.nan)
    found = Capacity(np.array([1e4, 1e6, 1e8]), np.array([2.0, 1.5, -0.5]), nan, nan, nan, nan)
    assert found.half == pytest.approx(1e6 * 100**0.25)
    assert found.zero == pytest.approx(1e6 * 100**0.75)
    losing = found._replace(sharpe=np.array([-1.0, -2.0, -3.0]), profit=np.array([-1.0, -2, -3]))
    assert losing.half is losing.zero is losing.best is None
    assert found._replace(sharpe=np.array([2.0, 1.9, 1.8])).half is None
    assert found._replace(profit=np.array([1.0, 5.0, -2.0])).best == 1e6


def test_two_readings_of_a_bar_that_spans_both():
    bars = flat(8, high={3: 106.0}, low={3: 97.0})
    panel = panel_of(bars)
    free = CostsConfig(commission_bp=0, slippage_bp=0)
    again = again_of(panel, intent_of(panel, [1], up=0.05, down=0.02, weight=1.0, hold=6))
    for reading in ("pessimistic", "optimistic"):
        account = AccountConfig(ambiguity=reading)
        run = again(account, free)
        found = readings(run, again, account, free)
        assert (found.n_ambiguous, found.share) == (1, 1.0)
        assert found.between == pytest.approx(0.07 * 1e6)


def test_without_trades_there_is_nothing_to_tell():
    panel = panel_of(flat(40))
    again = again_of(panel, intent_of(panel, []))
    run = again(AccountConfig(), CostsConfig())
    assert lives_of(panel, run).net.size == 0
    assert costs_in_sharpe(panel, run) == (None, None, {})
    assert readings(run, again, AccountConfig(), CostsConfig()) == (0, None, 0.0)
    terms = AccountConfig(), CostsConfig(), CapacityConfig()
    found = capacity(panel, again, terms)
    assert np.isnan(found.sharpe).all()
    assert np.isnan(found.filled).all()
    assert (found.half, found.zero, found.best) == (None, None, None)
    assert regimes_of(volatility_before(panel)).max() == 3
    assert drawdowns(run.equity, 5).depth.size == 0


def test_orders_of_ones_own_are_repeated_at_their_own_size():
    panel = panel_of(flat(12, price=50.0))
    order = np.zeros(2, RESTING)
    for name, column in {
        "quantity": (100.0, -100.0), "row": (1, 5), "number": (1, 2), "expires": (FOR_EVER,) * 2,
    }.items():  # fmt: skip
        order[name] = column
    first = np.searchsorted([1, 5], np.arange(13)).astype(np.int64)
    costs = CostsConfig(round_to_cents=False)
    again = again_of_orders(panel, Given(first, order), 1e6)
    one, ten = (again(AccountConfig(cash=cash), costs) for cash in (1e6, 1e7))
    assert one.fills.quantity.tolist() == [100, 100]
    assert ten.fills.quantity.tolist() == [1000, 1000]
    assert ten.total_return == pytest.approx(one.total_return, rel=1e-9)
    whole = again(AccountConfig(cash=1.55e4, units="whole"), costs)  # 1.55 units of a hundred
    assert whole.fills.quantity.tolist() == [1, 1]
