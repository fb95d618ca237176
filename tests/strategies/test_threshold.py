"""threshold: who enters, who leaves, and what the config refuses."""

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.strategies import Outlook
from touchstone.strategies.threshold import ThresholdConfig, threshold


def outlook(hit, up=0.05, down=0.02):
    hit = np.asarray(hit, float)
    shape = hit.shape
    return Outlook(hit[:, None], np.full(shape, up), np.full(shape, down), 0.0, 0.003, None)


def test_enters_at_the_threshold_and_leaves_at_the_exit():
    config = ThresholdConfig(entry_threshold=0.5, exit_threshold=0.2)
    intent = threshold(config, outlook([0.49, 0.5, 0.9, 0.2, 0.21, np.nan]), 8)
    np.testing.assert_array_equal(intent.enter, [False, True, True, False, False, False])
    np.testing.assert_array_equal(intent.leave, [False, False, False, True, False, False])
    np.testing.assert_array_equal(intent.rank[:5], [0.49, 0.5, 0.9, 0.2, 0.21])
    assert (intent.hold_bars, intent.max_positions) == (8, 10)


def test_of_three_outcomes_the_last_is_the_target():
    three = outlook([0.0, 0.0])._replace(probability=np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]))
    intent = threshold(ThresholdConfig(entry_threshold=0.5), three, 8)
    np.testing.assert_array_equal(intent.enter, [False, True])


def test_without_an_exit_threshold_nobody_leaves_early():
    assert not threshold(ThresholdConfig(entry_threshold=0.5), outlook([0.0, 1.0]), 8).leave.any()


def test_barriers_on_and_off():
    on = threshold(ThresholdConfig(entry_threshold=0.5), outlook([0.9]), 8)
    off = threshold(ThresholdConfig(entry_threshold=0.5, barriers=False), outlook([0.9]), 8)
    assert (on.up[0], on.down[0]) == (0.05, 0.02)
    assert (off.up[0], off.down[0]) == (np.inf, np.inf)


def test_a_row_whose_barriers_are_not_known_is_not_entered():
    unknown = outlook([0.9], up=np.nan)
    assert not threshold(ThresholdConfig(entry_threshold=0.5), unknown, 8).enter.any()


def test_candidates_are_the_thresholds_one_by_one():
    config = ThresholdConfig(entry_threshold=(0.3, 0.5), max_positions=4)
    assert [c.entry_threshold for c in config.candidates()] == [(0.3,), (0.5,)]
    assert all(c.max_positions == 4 for c in config.candidates())
    with pytest.raises(ConfigError, match=r"entry_threshold: .* one value, got 2 \(0.3, 0.5\)"):
        threshold(config, outlook([0.9]), 8)


def test_an_exit_above_an_entry_is_refused():
    with pytest.raises(ConfigError, match=r"exit_threshold 0.4 must lie below .* lowest is 0.3"):
        ThresholdConfig.parse({"entry_threshold": [0.3, 0.5], "exit_threshold": 0.4})


def test_every_position_weighs_the_same():
    config = ThresholdConfig(entry_threshold=0.5, max_positions=4)
    np.testing.assert_array_equal(threshold(config, outlook([0.9, 0.1]), 8).weight, 0.25)
