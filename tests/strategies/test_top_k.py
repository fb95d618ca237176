"""top_k: who is among the best at a close, who has fallen out, and who is sold short."""

import numpy as np
import pytest

from reference.intents import intent_of
from touchstone.backtest import sweep
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.strategies import Outlook
from touchstone.strategies.ranking import places, sums
from touchstone.strategies.top_k import TopKConfig, top_k
from walks import random_panel

BY_P = {"by": "probability", "floor": 0.5}


def outlook(hit, instant, **more):
    hit = np.asarray(hit, float)
    wide = np.full(hit.size, 0.05), np.full(hit.size, 0.02)
    return Outlook(hit[:, None], *wide, 0.0, 0.003, None, np.asarray(instant), **more)


ONE_CLOSE = outlook([0.9, 0.6, 0.8, 0.7, 0.4, np.nan], [5] * 6)


def test_the_best_above_the_floor_enter_and_what_falls_behind_the_band_leaves():
    intent = top_k(TopKConfig(k=2, band=1, **BY_P), ONE_CLOSE, 8)
    np.testing.assert_array_equal(intent.enter, [True, False, True, False, False, False])
    np.testing.assert_array_equal(intent.leave, [False, True, False, False, True, False])
    assert (intent.max_positions, intent.hold_bars, intent.side) == (2, 8, None)
    np.testing.assert_array_equal(intent.weight, 0.5)


def test_a_floor_leaves_slots_empty():
    intent = top_k(TopKConfig(k=4, by="probability", floor=0.75), ONE_CLOSE, 8)
    np.testing.assert_array_equal(np.flatnonzero(intent.enter), [0, 2])


def test_each_close_ranks_its_own_rows():
    two = outlook([0.6, 0.9, 0.7, 0.8], [1, 2, 1, 2])
    intent = top_k(TopKConfig(k=1, band=0, **BY_P), two, 8)
    np.testing.assert_array_equal(intent.enter, [False, True, True, False])
    np.testing.assert_array_equal(intent.leave, [True, False, False, True])


def test_of_equal_rows_all_are_wished_and_none_has_to_leave():
    ties = outlook([0.9, 0.7, 0.7, 0.7, 0.6], [0] * 5)
    intent = top_k(TopKConfig(k=2, band=0, **BY_P), ties, 8)
    np.testing.assert_array_equal(intent.enter, [True, True, True, True, False])
    np.testing.assert_array_equal(intent.leave, [False, False, False, False, True])


def test_places_and_sums_of_an_instant():
    value, instant = np.array([3.0, 5, 5, np.nan, 1, 2]), np.array([0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(places(value, instant), [3, 1, 1, np.nan, 2, 1])
    np.testing.assert_array_equal(sums(value, instant), [13, 13, 13, 13, 3, 3])
    assert places(np.zeros(0), np.zeros(0, np.int64)).size == sums(value[:0], instant[:0]).size == 0


def test_the_worst_are_sold_short_with_their_barriers_mirrored():
    config = TopKConfig(k=1, band=1, short=True, by="probability", floor=0.5)
    three = np.array([[0.1, 0.1, 0.8], [0.2, 0.2, 0.6], [0.6, 0.2, 0.2], [0.7, 0.2, 0.1]])
    seen = outlook([0.0] * 4, [0] * 4)._replace(probability=three)
    intent = top_k(config, seen, 8)
    np.testing.assert_array_equal(intent.enter, [True, False, False, True])
    np.testing.assert_array_equal(intent.side[intent.enter], [1, -1])
    np.testing.assert_array_equal(intent.rank[[0, 3]], [0.8, 0.7])
    assert (intent.up[3], intent.down[3]) == (0.02, 0.05), "a short wins where a long is stopped"
    assert (intent.up[0], intent.down[0]) == (0.05, 0.02)
    np.testing.assert_array_equal(intent.leave, [False, False, True, True])
    np.testing.assert_array_equal(intent.cover, [True, True, False, False])
    assert intent.max_positions == 2


def test_a_band_spares_turnover():
    panel = random_panel(12, 120, 4)
    hit = np.random.default_rng(1).uniform(0.5, 1, len(panel))
    seen = outlook(hit, panel.available_at)

    def fills(band):
        config = TopKConfig(k=3, band=band, barriers=False, hold_bars=100, **BY_P)
        return sweep(panel, [top_k(config, seen, 8)], AccountConfig(), CostsConfig())[0]

    none, wide = fills(0), fills(6)
    assert none.n_held.max() == wide.n_held.max() == 3
    assert wide.fills.row.size < 0.7 * none.fills.row.size


def test_longs_and_shorts_leave_by_their_own_word():
    """One row may keep a short and send a long away: the account hears the one of its side."""
    panel = random_panel(1, 12, 2)
    for side, leave, cover in ((1, [5], []), (-1, [], [5]), (1, [], [5]), (-1, [5], [])):
        own = intent_of(panel, [1], leave, hold=50)
        marked = np.zeros(12, bool)
        marked[cover] = True
        sides = np.full(12, side, np.int8)
        told = own._replace(side=sides, cover=marked)
        run = sweep(panel, [told], AccountConfig(short=True), CostsConfig())[0]
        hears = (side > 0) == bool(leave)
        assert run.fills.row.tolist() == ([2, 6] if hears else [2])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instant": None}, "compares instruments at one close.*Give `instant`"),
        ({"probability": np.full((6, 1), 0.5)}, "strategy top_k: one probability does not say"),
    ],
)
def test_what_it_cannot_know_it_asks_for(changes, said):
    with pytest.raises(ConfigError, match=said):
        top_k(TopKConfig(), ONE_CLOSE._replace(**changes), 8)
    with pytest.raises(ConfigError, match=r"floor: .* one value, got 2"):
        top_k(TopKConfig(floor=(0, 1)), ONE_CLOSE, 8)
