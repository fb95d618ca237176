"""hysteresis: two levels, a least and a longest holding, either side."""

import numpy as np
import pytest

from touchstone.backtest import sweep
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.strategies import FOREVER, Outlook
from touchstone.strategies.hysteresis import HysteresisConfig, hysteresis
from walks import random_panel

LEVELS = {"by": "probability", "entry": 0.6, "exit": 0.4}


def outlook(hit):
    hit = np.asarray(hit, float)
    return Outlook(hit[:, None], np.full(hit.size, 0.9), np.full(hit.size, 0.9), 0.0, 0.003, None)


def follow(hit, **settings):
    panel = random_panel(1, len(hit), 5)
    intent = hysteresis(HysteresisConfig(**{**LEVELS, **settings}), outlook(hit), 3)
    account = AccountConfig(short=settings.get("short", False))
    return sweep(panel, [intent], account, CostsConfig())[0].fills


def test_between_the_levels_nothing_happens():
    intent = hysteresis(HysteresisConfig(**LEVELS), outlook([0.61, 0.6, 0.5, 0.41, 0.4, np.nan]), 8)
    np.testing.assert_array_equal(intent.enter, [True, False, False, False, False, False])
    np.testing.assert_array_equal(intent.leave, [False, False, False, False, True, False])
    assert intent.hold_bars == FOREVER


def test_what_hovers_about_the_entry_trades_once():
    hovering = [0.5, 0.7, 0.5, 0.7, 0.5, 0.7, 0.5, 0.7, 0.5, 0.3, 0.5, 0.5]
    assert follow(hovering).row.tolist() == [2, 10]


def test_a_least_holding_does_not_hear_the_exit():
    falling = [0.7, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
    assert follow(falling).row.tolist() == [1, 2]
    assert follow(falling, min_hold_bars=3).row.tolist() == [1, 4], "filled at 1; 3 bars: 1, 2, 3"


def test_a_longest_holding_ends_it():
    assert follow([0.7] + [0.5] * 9, hold_bars=4).row.tolist() == [1, 5]


def test_a_short_has_the_levels_of_its_own_value():
    fills = follow([0.5, 0.3, 0.5, 0.55, 0.65, 0.5, 0.5], short=True)
    assert fills.row.tolist() == [2, 5], "1 - p: above 0.6 at 0.3, at or below 0.4 at 0.65"
    assert fills.side.tolist() == [-1, 1]


def test_a_turn_from_long_to_short_takes_a_close():
    fills = follow([0.7, 0.5, 0.3, 0.3, 0.3, 0.3], short=True)
    assert list(zip(fills.row.tolist(), fills.side.tolist(), strict=True)) == [
        (1, 1), (3, -1), (4, -1),
    ]  # fmt: skip


def test_levels_and_times_in_the_wrong_order_are_refused():
    with pytest.raises(ConfigError, match=r"exit 0.6 must lie below every entry.* 0.5"):
        HysteresisConfig.parse({"entry": [0.5, 0.7], "exit": 0.6})
    with pytest.raises(ConfigError, match=r"min_hold_bars 9 is more than hold_bars 8"):
        HysteresisConfig.parse({"min_hold_bars": 9, "hold_bars": 8})
