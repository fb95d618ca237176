"""cost_aware: the expected net return, worked by hand, and when it cannot be known."""

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.strategies import Outlook
from touchstone.strategies.cost_aware import CostAwareConfig, cost_aware, expected_net

ONE = Outlook(
    probability=np.array([[0.2, 0.6, 0.2]]),
    up=np.array([0.05]),
    down=np.array([0.02]),
    rest=0.001,
    round_trip=0.003,
    expected=None,
)
NET = 0.2 * 0.05 - 0.2 * 0.02 + 0.6 * 0.001 - 0.003  # 36 bp


def test_three_outcomes_worked_by_hand():
    np.testing.assert_allclose(expected_net(ONE), [NET])
    for margin, enters in ((30, True), (40, False)):
        intent = cost_aware(CostAwareConfig(margin_bp=margin), ONE, 8)
        assert intent.enter[0] == enters
        assert intent.rank[0] == pytest.approx(NET)


def test_each_row_has_its_own_barriers():
    two = ONE._replace(
        probability=np.repeat(ONE.probability, 2, axis=0),
        up=np.array([0.05, 0.10]),
        down=np.array([0.02, 0.04]),
    )
    np.testing.assert_allclose(expected_net(two), [NET, NET + 0.2 * 0.05 - 0.2 * 0.02])


def test_an_expected_return_given_is_the_one_that_counts():
    given = ONE._replace(probability=np.array([[0.3]]), expected=np.array([0.0045]))
    np.testing.assert_allclose(expected_net(given), [0.0015])
    assert cost_aware(CostAwareConfig(margin_bp=10), given, 8).enter[0]
    assert not cost_aware(CostAwareConfig(margin_bp=20), given, 8).enter[0]


def test_a_lone_probability_is_refused_and_the_way_out_is_named():
    with pytest.raises(ConfigError, match=r"--calibrate-until DATE.*`threshold`"):
        cost_aware(CostAwareConfig(margin_bp=0), ONE._replace(probability=np.array([[0.3]])), 8)


def test_three_outcomes_of_a_label_without_barriers_are_refused():
    none = np.array([np.inf])
    with pytest.raises(ConfigError, match="the label has no barriers"):
        cost_aware(CostAwareConfig(margin_bp=0), ONE._replace(up=none, down=none), 8)


@pytest.mark.parametrize("field", ["probability", "up", "down"])
def test_what_is_not_known_is_not_entered(field):
    unknown = ONE._replace(**{field: np.full_like(getattr(ONE, field), np.nan)})
    if field != "probability":  # one row that is known, so that the label has barriers
        known = {f: np.r_[getattr(unknown, f), getattr(ONE, f)] for f in ("up", "down")}
        unknown = unknown._replace(probability=np.repeat(ONE.probability, 2, axis=0), **known)
    assert not cost_aware(CostAwareConfig(margin_bp=-100), unknown, 8).enter[0]


def test_a_score_that_is_missing_is_not_entered_whatever_is_expected():
    given = ONE._replace(probability=np.array([[np.nan]]), expected=np.array([0.05]))
    assert not cost_aware(CostAwareConfig(margin_bp=0), given, 8).enter.any()


def test_candidates_are_the_margins_of_the_design():
    margins = [c.margin_bp for c in CostAwareConfig().candidates()]
    assert margins == [(0,), (5,), (10,), (20,), (30,), (40,), (60,), (80,)]
    assert len({c.fingerprint() for c in CostAwareConfig().candidates()}) == 8
    with pytest.raises(ConfigError, match=r"margin_bp: .* one value, got 8"):
        cost_aware(CostAwareConfig(), ONE, 8)


def test_a_higher_round_trip_enters_less():
    rng = np.random.default_rng(0)
    n = 500
    many = Outlook(
        rng.dirichlet([2, 5, 2], n), np.full(n, 0.05), np.full(n, 0.02), 0.001, 0.0, None
    )
    entered = [
        cost_aware(CostAwareConfig(margin_bp=0), many._replace(round_trip=cost), 8).enter
        for cost in (0.0, 0.003, 0.01)
    ]
    assert entered[0].sum() > entered[1].sum() > entered[2].sum()
    assert (entered[1] <= entered[0]).all()
