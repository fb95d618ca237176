"""Costs: rounding, multiples, and the quantity that money pays."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.execution import CostsConfig
from touchstone.execution.account import AccountConfig, terms_of
from touchstone.execution.costs import affordable, fee, fees, half_up_to_cents


@settings(deadline=None)  # the first call compiles
@given(cents=st.integers(0, 10**9), half=st.booleans())
def test_half_a_cent_rounds_up(cents, half):
    money = float(Decimal(cents) / 100 + (Decimal("0.005") if half else 0))
    want = float(Decimal(str(money)).quantize(Decimal("0.01"), ROUND_HALF_UP))
    assert float(half_up_to_cents(np.float64(money))) == want
    assert fee(terms(commission_bp=1000), money * 10, 1.0, 1.0) == want


def terms(**settings):
    return terms_of(1, AccountConfig(), CostsConfig(**settings), 1)[0]


costs_of_any_sort = st.builds(
    CostsConfig,
    commission_bp=st.sampled_from([0.0, 1.0, 10.0, 500.0]),
    commission_per_unit=st.sampled_from([0.0, 0.005]),
    commission_minimum=st.sampled_from([0.0, 1.0]),
    sell_fee_bp=st.sampled_from([0.0, 0.278]),
    sell_fee_per_unit=st.sampled_from([0.0, 0.000166]),
    round_to_cents=st.booleans(),
)
sides = st.sampled_from([1.0, -1.0])


@settings(deadline=None)  # the first call compiles
@given(money=st.floats(0.01, 1e9), price=st.floats(1e-4, 1e5), costs=costs_of_any_sort, side=sides)
def test_what_money_pays_never_overdraws_it_and_leaves_little(money, price, costs, side):
    known = terms_of(1, AccountConfig(), costs, 1)[0]
    units = affordable(known, money, price, side)
    left = money - units * price - fee(known, units, price, side)
    assert units >= 0
    if units > 0:
        # what rounding asks too much is given back in units, whose own fee goes with them
        dearer = 1 + (costs.commission_per_unit + costs.sell_fee_per_unit) / price
        assert 0 <= left <= 0.02 * dearer + money * 1e-9
        assert side > 0 or fee(known, units, price, side) < units * price
    elif side < 0 and fee(known, money / 2 / price, price, side) >= money / 2 * (1 - 1e-9):
        pass  # a short sale that brings no more than its fees
    else:
        assert money <= costs.commission_minimum + 0.01 + money * 1e-3


@given(costs=costs_of_any_sort, side=sides, seed=st.integers(0, 1000))
def test_the_fees_of_many_fills_are_those_of_each(costs, side, seed):
    rng = np.random.default_rng(seed)
    units, price = rng.lognormal(3, 2, 20), rng.lognormal(3, 1, 20)
    known = terms_of(1, AccountConfig(), costs, 1)[0]
    each = [fee(known, q, p, side) for q, p in zip(units, price, strict=True)]
    np.testing.assert_array_equal(fees(costs, units, price, np.full(20, side)), each)


def test_a_sale_never_makes_an_account_poorer():
    dear = CostsConfig(commission_per_unit=1000)
    known = terms_of(1, AccountConfig(), dear, 1)[0]
    assert fee(known, 9.0, 100.0, -1.0) == 900.0
    assert fee(known, 9.0, 100.0, 1.0) > 9000.0
    assert fees(dear, np.array([9.0]), np.array([100.0]), np.array([-1], np.int8)) == 900.0


def test_nothing_pays_nothing():
    assert affordable(terms(), 0.0, 100.0, 1.0) == 0.0
    assert affordable(terms(), -5.0, 100.0, 1.0) == 0.0


def test_round_trip_is_both_sides_of_all_three():
    costs = CostsConfig(commission_bp=10, slippage_bp=5, half_spread_bp=2)
    assert costs.round_trip == pytest.approx(0.0034)
    assert costs.times(2).round_trip == pytest.approx(0.0068)
    assert costs.times(1) == costs
    assert costs.times(0).round_trip == 0


@pytest.mark.parametrize("multiple", [-1, float("nan"), 1_000])
def test_an_impossible_multiple_is_refused(multiple):
    with pytest.raises(ConfigError, match="costs: "):
        CostsConfig().times(multiple)


@pytest.mark.parametrize(
    "settings", [{"commission_bp": -1}, {"slippage_bp": float("nan")}, {"comission_bp": 3}]
)
def test_impossible_costs_are_refused(settings):
    with pytest.raises(ConfigError):
        CostsConfig.parse(settings)
