"""Sizings against closed forms and, for Kelly, against a search for the fastest growth."""

import math

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.strategies import Outlook
from touchstone.strategies.sizing.equal_weight import EqualWeightConfig, equal_weight
from touchstone.strategies.sizing.fixed import FixedConfig, fixed
from touchstone.strategies.sizing.fractional_kelly import FractionalKellyConfig, fractional_kelly
from touchstone.strategies.sizing.volatility_target import (
    VolatilityTargetConfig,
    volatility_target,
)

FULL = FractionalKellyConfig(fraction=1, cap=1)
STD = VolatilityTargetConfig().volatility


def outlook(probability, up=0.5, down=0.4, rest=0.0, cost=0.0, expected=None, **more):
    probability = np.atleast_2d(np.asarray(probability, float))
    n = len(probability)
    widths = np.full(n, up), np.full(n, down)
    return Outlook(probability, *widths, rest, cost, expected, **more)


def test_equal_and_fixed():
    two = outlook([[0.2], [0.9]])
    np.testing.assert_array_equal(equal_weight(EqualWeightConfig(), two, 8), 0.125)
    np.testing.assert_array_equal(fixed(FixedConfig(fraction=0.3), two, 8), 0.3)


def test_weight_times_annual_volatility_is_the_target():
    sd = np.array([0.01, 0.002, 0.0001, 0.0, np.nan])
    view = outlook(np.full((5, 1), 0.5), bars_per_year=252.0, named={STD: sd})
    config = VolatilityTargetConfig(annual=0.1, cap=0.9)
    weight = volatility_target(config, view, 10)
    assert weight[0] * 0.01 * math.sqrt(252) == pytest.approx(0.1)
    np.testing.assert_array_equal(weight[1:], [0.9, 0.9, 0.9, 0.0])
    weight = volatility_target(VolatilityTargetConfig(annual=0.1), view, 10)
    assert weight.max() == 0.1, "without a cap of its own no more than a slot"


def test_a_target_needs_to_know_the_year_and_the_column():
    with pytest.raises(ConfigError, match="how many bars a year"):
        volatility_target(VolatilityTargetConfig(), outlook([0.5], named={STD: np.ones(1)}), 3)
    with pytest.raises(ConfigError, match=r"needs the column 'std.*not evaluated"):
        volatility_target(VolatilityTargetConfig(), outlook([0.5], bars_per_year=252.0), 3)


@pytest.mark.parametrize(("p", "b", "a"), [(0.6, 0.5, 0.4), (0.55, 1.0, 1.0), (0.9, 0.1, 0.5)])
def test_kelly_of_one_probability_is_thorps_formula(p, b, a):
    bet = fractional_kelly(FULL, outlook([p], up=b, down=a), 1)[0]
    assert bet == pytest.approx(min(1.0, (p * b - (1 - p) * a) / (a * b)))


def test_an_even_bet_is_two_p_less_one():
    assert fractional_kelly(FULL, outlook([0.55], up=1, down=1), 1)[0] == pytest.approx(0.1)


def test_costs_come_off_the_win_and_onto_the_loss():
    costly = fractional_kelly(FULL, outlook([0.6], up=0.5, down=0.4, cost=0.01), 1)[0]
    assert costly == pytest.approx(
        fractional_kelly(FULL, outlook([0.6], up=0.49, down=0.41), 1)[0], rel=1e-12
    )


def test_a_fraction_and_a_cap():
    one = outlook([0.55], up=1, down=1)
    assert fractional_kelly(FractionalKellyConfig(fraction=0.5, cap=1), one, 1)[0] == (
        pytest.approx(0.05)
    )
    assert fractional_kelly(FractionalKellyConfig(fraction=0.5, cap=0.03), one, 1)[0] == 0.03
    assert fractional_kelly(FractionalKellyConfig(fraction=1), one, 20)[0] == 0.05


def test_three_outcomes_of_which_one_does_not_come_are_two():
    three = fractional_kelly(FULL, outlook([0.4, 0.0, 0.6], rest=0.02), 1)[0]
    assert three == pytest.approx(fractional_kelly(FULL, outlook([0.6]), 1)[0])


def test_three_outcomes_grow_fastest_at_the_bet():
    rng = np.random.default_rng(4)
    bets = np.linspace(0, 1, 50_001)
    n_inside = 0
    for _ in range(40):
        p = rng.dirichlet([9, 4, 10])
        up, down, rest, cost = (
            rng.uniform(0.2, 0.9),
            rng.uniform(0.2, 0.9),
            rng.normal(0, 0.1),
            0.02,
        )
        bet = fractional_kelly(FULL, outlook(p, up, down, rest, cost), 1)[0]
        ends = np.array([-down, rest, up]) - cost
        growth = sum(
            q * np.log(np.maximum(1 + bets * r, 1e-300)) for q, r in zip(p, ends, strict=True)
        )
        assert bet == pytest.approx(bets[growth.argmax()], abs=2e-5)
        n_inside += 0 < bet < 1
    assert n_inside > 10, "most would only have shown the ends"


def test_an_expected_return_bets_as_on_target_or_stop_and_never_more_than_three_outcomes():
    p, up, down, rest = np.array([0.2, 0.4, 0.4]), 0.5, 0.4, 0.01
    mean = p @ [-down, rest, up]
    alone = outlook([p[2]], up, down, expected=np.array([mean]))
    bet = fractional_kelly(FULL, alone, 1)[0]
    assert bet == pytest.approx(mean / (up * down))
    assert bet < fractional_kelly(FULL, outlook(p, up, down, rest), 1)[0]


@pytest.mark.parametrize(
    "view",
    [
        outlook([0.4], up=0.5, down=0.5),
        outlook([0.5, 0.2, 0.3]),
        outlook([0.9], up=0.001, cost=0.003),
        outlook([np.nan]),
        outlook([0.9, 0.05, 0.05], expected=np.array([0.2])),
    ],
    ids=["no edge", "three, no edge", "the target does not pay the costs", "no score", "three"],
)
def test_nothing_is_bet_without_an_edge(view):
    assert fractional_kelly(FULL, view, 1)[0] == 0


def test_where_nothing_can_be_lost_the_cap_ends_it():
    assert fractional_kelly(FULL, outlook([0.0, 0.5, 0.5], rest=0.01), 1)[0] == 1.0


def test_a_short_bets_what_the_mirrored_long_would():
    p = np.array([0.6, 0.1, 0.3])
    short = fractional_kelly(FULL, outlook(p, 0.4, 0.5, rest=-0.02, cost=0.01).mirrored, 1)[0]
    long = fractional_kelly(FULL, outlook(p[::-1], 0.5, 0.4, rest=0.02, cost=0.01), 1)[0]
    assert short == pytest.approx(long) and short > 0.1  # noqa: PT018


def test_a_label_without_barriers_is_refused():
    with pytest.raises(ConfigError, match=r"no barriers.*volatility_target"):
        fractional_kelly(FULL, outlook([0.6], up=np.inf, down=np.inf), 1)


@pytest.mark.parametrize("score", [-0.1, 1.2])
def test_scores_that_are_no_probabilities_are_refused(score):
    with pytest.raises(ConfigError, match=r"probability of the target.*--calibrate-until"):
        fractional_kelly(FULL, outlook([[0.6], [np.nan], [score]]), 1)
    told = outlook([[0.6], [score]], expected=np.array([0.1, 0.1]))
    assert (fractional_kelly(FULL, told, 1) > 0).all()
