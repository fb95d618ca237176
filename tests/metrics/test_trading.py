"""Trading measures: hand values, closed forms, laws, and what happens where there is no number."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.metrics import trading

# A return is a ratio of prices: below 1e-12 it is rounding, and subnormals have no digits to keep.
RETURN = st.floats(-0.5, 0.5).map(lambda r: 0.0 if abs(r) < 1e-12 else r)
RETURNS = st.lists(RETURN, min_size=2, max_size=40).map(np.array)
STEPS = st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=40).map(np.array)
EQUITY = STEPS.map(lambda r: 1e6 * np.cumprod(np.r_[1.0, 1 + r]))
few = hypothesis_settings(max_examples=60, deadline=None)


def test_growth_of_a_hand_example():
    equity = np.array([100.0, 110.0, 121.0])
    assert trading.total_return(equity) == pytest.approx(0.21)
    assert trading.cagr(equity, 730, 365) == pytest.approx(0.10)


def test_growth_where_nothing_moved_or_all_was_lost():
    assert trading.total_return(np.array([5.0])) == 0
    assert trading.cagr(np.array([5.0]), 0, 365) is None
    assert trading.cagr(np.array([5.0, 0.0]), 10, 365) == -1
    assert trading.cagr(np.array([1.0, 1e9]), 0.01, 365) is None  # too steep for a float


@given(equity=EQUITY, years=st.integers(1, 30))
@few
def test_cagr_compounds_to_total_return(equity, years):
    growth = trading.cagr(equity, 252 * years, 252)
    assert (1 + growth) ** years - 1 == pytest.approx(trading.total_return(equity), rel=1e-9)


def test_sharpe_of_a_hand_example():
    daily = np.array([0.01, -0.01, 0.03])  # mean 0.01, sd (n - 1) 0.02
    assert trading.sharpe(daily, 365) == pytest.approx(0.5 * math.sqrt(365))
    assert trading.annual_mean(daily, 365) == pytest.approx(3.65)
    assert trading.volatility(daily, 365) == pytest.approx(0.02 * math.sqrt(365))


@given(daily=RETURNS, scale=st.floats(1e-3, 1e3))
@few
def test_sharpe_and_sortino_ignore_a_constant_multiple(daily, scale):
    for ratio in (trading.sharpe, trading.sortino):
        before, after = ratio(daily, 252), ratio(daily * scale, 252)
        assert after == (None if before is None else pytest.approx(before, rel=1e-9))


@given(daily=RETURNS, days_per_year=st.sampled_from([252, 260, 365]))
@few
def test_sharpe_is_annual_mean_over_annual_volatility(daily, days_per_year):
    ratio = trading.sharpe(daily, days_per_year)
    assume(ratio is not None)
    mean, deviation = statistics.fmean(daily), statistics.stdev(daily)
    assert ratio == pytest.approx(
        mean * days_per_year / (deviation * math.sqrt(days_per_year)), rel=1e-6, abs=1e-9
    )
    parts = (
        trading.annual_mean(daily, days_per_year),
        trading.volatility(daily, days_per_year),
    )
    assert ratio == pytest.approx(parts[0] / parts[1], rel=1e-9)


@pytest.mark.parametrize(
    "daily",
    [
        pytest.param([], id="no day"),
        pytest.param([0.01], id="one day"),
        pytest.param([0.0] * 9, id="flat"),
        pytest.param([0.1] * 7, id="constant, whose sd rounds to 1e-17"),
        pytest.param(np.diff(1.001 ** np.arange(99)) / 1.001 ** np.arange(98), id="from equity"),
    ],
)
def test_no_sharpe_without_variance(daily):
    assert trading.sharpe(np.array(daily), 365) is None


def test_sharpe_of_tiny_returns_is_not_lost():
    tiny = np.array([1.0, -1.0, 3.0]) * 1e-200  # squares underflow
    assert trading.sharpe(tiny, 1) == pytest.approx(0.5)
    assert trading.sortino(tiny, 1) == pytest.approx(math.sqrt(3))


def test_sortino_of_a_hand_example():
    daily = np.array([0.03, -0.01, 0.02, -0.02])  # downside sqrt((1 + 4) / 4) %
    expected = 0.005 / (0.01 * math.sqrt(1.25)) * math.sqrt(252)
    assert trading.sortino(daily, 252) == pytest.approx(expected)
    assert trading.sortino(np.array([0.01, 0.0]), 252) is None
    assert trading.sortino(np.array([]), 252) is None


def test_drawdown_of_a_hand_example():
    equity = np.array([100.0, 120.0, 120.0, 90.0, 100.0, 90.0, 120.0, 130.0])
    assert trading.max_drawdown(equity) == pytest.approx(0.25)
    assert trading.drawdown_rows(equity) == (2, 3, 6)  # last row at the high, first at the bottom
    assert trading.drawdown_rows(equity[:6]) == (2, 3, -1)
    assert trading.calmar(equity, 365, 365) == pytest.approx(0.30 / 0.25)


def test_drawdown_where_equity_never_fell():
    assert trading.max_drawdown(np.array([1.0, 2.0, 2.0])) == 0
    assert trading.drawdown_rows(np.array([1.0, 2.0, 2.0])) == (0, 0, 0)
    assert trading.calmar(np.array([1.0, 2.0]), 10, 365) is None


@given(equity=EQUITY)
@few
def test_drawdown_agrees_with_every_pair_of_rows(equity):
    pairs = [1 - equity[j] / equity[i] for i in range(equity.size) for j in range(i, equity.size)]
    assert trading.max_drawdown(equity) == max(pairs)
    assert 0 <= trading.max_drawdown(equity) <= 1
    peak, trough, recovery = trading.drawdown_rows(equity)
    assert 1 - equity[trough] / equity[peak] == max(pairs)
    assert recovery == -1 or equity[recovery] >= equity[peak]
    after = equity[trough + 1 : recovery if recovery >= 0 else None]
    assert recovery == 0 or (after < equity[peak]).all()


def test_drawdown_of_a_debt_is_all_of_it():
    assert trading.max_drawdown(np.array([1.0, -2.0])) == 1


def test_tail_of_a_hand_example():
    daily = np.arange(-5, 15) / 100  # 20 days, the worst -5 %
    assert trading.value_at_risk(daily, 0.95) == pytest.approx(0.05)  # the one worst day
    assert trading.value_at_risk(daily, 0.90) == pytest.approx(0.04)
    assert trading.expected_shortfall(daily, 0.90) == pytest.approx(0.045)
    assert trading.expected_shortfall(daily, 0.875) == pytest.approx((5 + 4 + 0.5 * 3) / 2.5 / 100)


def test_tail_of_a_normal_law():
    daily = np.random.default_rng(3).normal(0, 0.01, 400_000)
    assert trading.value_at_risk(daily, 0.99) == pytest.approx(0.023263, rel=0.01)
    assert trading.expected_shortfall(daily, 0.99) == pytest.approx(0.026652, rel=0.01)


@given(daily=RETURNS, level=st.floats(0.5, 0.999))
@few
def test_shortfall_lies_between_value_at_risk_and_the_worst_day(daily, level):
    at_risk, shortfall = (
        f(daily, level) for f in (trading.value_at_risk, trading.expected_shortfall)
    )
    assert at_risk - 1e-12 <= shortfall <= -daily.min() + 1e-12


def test_tail_without_days_and_with_a_wrong_level():
    assert trading.value_at_risk(np.array([])) is None
    assert trading.expected_shortfall(np.array([])) is None
    with pytest.raises(DataError, match=r"between 0 and 1, got 95"):
        trading.value_at_risk(np.array([0.1]), 95)


def test_trades_of_a_hand_example():
    pnl = np.array([30.0, -10.0, 0.0, -5.0])
    assert trading.profit_factor(pnl) == 2
    assert trading.win_rate(pnl) == 0.25
    assert trading.expectancy(pnl) == 3.75


def test_trades_where_there_are_none_or_none_lost():
    none = np.array([])
    assert trading.profit_factor(np.array([1.0])) is None
    assert [f(none) for f in (trading.profit_factor, trading.win_rate, trading.expectancy)] == [
        None,
        None,
        None,
    ]


def test_exposure_turnover_and_break_even_cost_of_a_hand_example():
    equity = np.array([100.0, 100.0, 200.0, 0.0])
    assert trading.exposure(np.array([50.0, 100.0, 0.0, 0.0]), equity) == pytest.approx(0.375)
    fills = np.array([50.0, -50.0])  # mean equity 100: once a fortnight, buys and sells counted
    assert trading.turnover(fills, equity, 14, 364) == pytest.approx(26)
    assert trading.break_even_cost(np.array([3.0, -1.0]), fills) == pytest.approx(0.02)
    assert trading.turnover(fills, equity, 0, 364) is None
    assert trading.break_even_cost(np.array([]), np.array([])) is None


@pytest.mark.parametrize("equity", [[], [0.0, 1.0], [-1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_equity_that_is_none_is_refused(equity):
    with pytest.raises(DataError, match="equity needs"):
        trading.total_return(np.array(equity))


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"held \(1,\) and equity \(2,\)"):
        trading.exposure(np.array([1.0]), np.array([1.0, 2.0]))
