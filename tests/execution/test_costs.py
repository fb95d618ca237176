"""Costs: rounding, multiples, and the quantity that money pays."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.execution import CostsConfig
from touchstone.execution.costs import affordable, commission, half_up_to_cents


@settings(deadline=None)  # the first call compiles
@given(cents=st.integers(0, 10**9), half=st.booleans())
def test_half_a_cent_rounds_up(cents, half):
    money = float(Decimal(cents) / 100 + (Decimal("0.005") if half else 0))
    want = float(Decimal(str(money)).quantize(Decimal("0.01"), ROUND_HALF_UP))
    assert float(half_up_to_cents(np.float64(money))) == want
    assert commission(money, 1.0, True) == want


@settings(deadline=None)  # the first call compiles
@given(
    money=st.floats(0.01, 1e9),
    price=st.floats(1e-4, 1e5),
    rate=st.sampled_from([0.0, 1e-4, 1e-3, 0.05]),
    to_cents=st.booleans(),
)
def test_what_money_pays_never_overdraws_it_and_leaves_at_most_two_cents(
    money, price, rate, to_cents
):
    value = affordable(money, price, rate, to_cents) * price
    left = money - value - commission(value, rate, to_cents)
    assert 0 <= left <= 0.02 + money * 1e-12


def test_nothing_pays_nothing():
    assert affordable(0.0, 100.0, 0.001, True) == 0.0
    assert affordable(-5.0, 100.0, 0.001, True) == 0.0


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
