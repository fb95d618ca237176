"""regime_filter: what a column keeps from entering, and what leaves when a regime ends."""

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.strategies import STRATEGIES, Outlook, columns_of, is_short
from touchstone.strategies.regime_filter import RegimeFilterConfig, regime_filter

TREND = np.array([0.1, 0.0, -0.1, np.nan, 0.1])
INNER = {"kind": "threshold", "entry_threshold": 0.5, "exit_threshold": 0.2}


def decide(**settings):
    config = RegimeFilterConfig.parse({"strategy": INNER, "column": "trend", **settings})
    wide = np.full(5, 0.02)
    hit = np.array([[0.9], [0.9], [0.9], [0.9], [0.1]])
    seen = Outlook(hit, wide, wide, 0.0, 0.003, np.full(5, 0.05), np.zeros(5, np.int64),
                   named={"trend": TREND})  # fmt: skip
    return regime_filter(config, seen, 8)


def test_only_what_is_known_and_allowed_enters():
    np.testing.assert_array_equal(decide().enter, [True, True, False, False, False])
    np.testing.assert_array_equal(decide(most=0.05).enter, [False, True, False, False, False])
    np.testing.assert_array_equal(
        decide(least=None, most=0.05).enter, [False, True, True, False, False]
    )


def test_positions_leave_at_the_end_of_a_regime_only_where_asked():
    np.testing.assert_array_equal(decide().leave, [False, False, False, False, True])
    np.testing.assert_array_equal(decide(leave=True).leave, [False, False, True, False, True])


def test_weights_become_0_or_are_left_as_they_are():
    weights = {"strategy": {"kind": "score_weighted", "max_weight": 1.0}}
    np.testing.assert_allclose(decide(**weights).weight, [0.2, 0.2, np.nan, np.nan, 0.2])
    np.testing.assert_allclose(decide(**weights, leave=True).weight, [0.2, 0.2, 0, np.nan, 0.2])


def test_shorts_are_filtered_too():
    inner = {"kind": "hysteresis", "by": "probability", "entry": 0.5, "exit": 0.1, "short": True}
    intent = decide(strategy=inner, leave=True)
    np.testing.assert_array_equal(intent.enter, [True, True, False, False, True])
    np.testing.assert_array_equal(intent.cover, [True, True, True, True, False])


def test_it_asks_for_its_own_column_and_for_what_is_inside():
    sized = {**INNER, "sizing": {"kind": "volatility_target", "volatility": "sd"}}
    config = RegimeFilterConfig.parse({"strategy": sized, "column": "trend"})
    assert columns_of(config) == ("trend", "sd")
    twice = RegimeFilterConfig.parse({"strategy": config, "column": "sd"})
    assert columns_of(twice) == ("sd", "trend")
    assert is_short(RegimeFilterConfig.parse({"strategy": {"kind": "top_k", "short": True}}))


def test_its_candidates_are_those_of_what_is_inside():
    config = STRATEGIES.parse({"kind": "regime_filter", "strategy": {"kind": "cost_aware"}})
    assert [c.strategy.margin_bp for c in config.candidates()][:2] == [(0,), (5,)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"least": None}, "neither least nor most"),
        ({"least": 2, "most": 1}, "least 2 lies above most 1"),
    ],
)
def test_a_filter_of_nothing_or_of_everything_is_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        RegimeFilterConfig.parse(settings)
