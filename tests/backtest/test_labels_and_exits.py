"""A trade earns, before costs, what its row's label said: the kernel's exits are the labels'."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.intents import CostsConfig, follow, intent_of
from walks import random_panel

UP, DOWN, HORIZON = 0.015, 0.01, 5


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.2]))
def test_every_trade_earns_its_label(seed, missing):
    panel = random_panel(3, 150, seed, missing)
    sparse = np.arange(len(panel))[:: HORIZON + 2]  # nothing is held when it is wished again
    intent = intent_of(panel, sparse, up=UP, down=DOWN, hold=HORIZON, weight=0.01, slots=50)
    trades = follow(panel, intent, CostsConfig()).trades
    assert trades.pnl.size >= 20
    for entry, exit_, gross in zip(trades.entry_row, trades.exit_row, trades.gross, strict=True):
        assert (exit_, gross) == slow_label(panel, entry - 1)


def test_every_known_label_of_a_wished_row_is_traded():
    panel = random_panel(3, 150, 1, 0.2)
    sparse = np.arange(len(panel))[:: HORIZON + 2]
    intent = intent_of(panel, sparse, up=UP, down=DOWN, hold=HORIZON, weight=0.01, slots=50)
    trades = follow(panel, intent).trades
    known = [t for t in sparse if slow_label(panel, t) is not None]
    assert sorted(trades.entry_row - 1) == known


def slow_label(panel, t):
    """(exit row, realised return) of a decision at row t, read aloud; None where unknown."""
    end = panel.offsets[panel.asset_id[t] + 1]
    if t + 1 >= end:
        return None
    entry = panel.open[t + 1]
    upper, lower = entry * (1 + UP), entry * (1 - DOWN)
    for s in range(t + 1, min(t + HORIZON, end - 1) + 1):
        if s > t + 1 and (panel.open[s] <= lower or panel.open[s] > upper):
            return s, panel.open[s] / entry - 1
        if panel.low[s] <= lower:
            return s, lower / entry - 1
        if panel.high[s] > upper:
            return s, upper / entry - 1
    leave = t + HORIZON + 1
    return (leave, panel.open[leave] / entry - 1) if leave < end else None


def test_agrees_with_the_labels_room():
    labels = pytest.importorskip("touchstone.labels", reason="the labels room is not there")
    part = labels.LABELS.parse(
        {
            "kind": "triple_barrier",
            "take_profit": UP,
            "stop_loss": DOWN,
            "horizon": HORIZON,
        }
    )
    panel = random_panel(3, 150, 2, 0.1)
    label = labels.LABELS.part_of(part)(panel, part, None)
    sparse = np.arange(len(panel))[:: HORIZON + 2]
    intent = intent_of(panel, sparse, up=UP, down=DOWN, hold=HORIZON, weight=0.01, slots=50)
    trades = follow(panel, intent).trades
    rows = trades.entry_row - 1
    known = label.exit[rows] >= 0
    assert known.mean() > 0.5
    np.testing.assert_array_equal(label.exit[rows[known]], trades.exit_row[known])
    np.testing.assert_array_equal(label.realised[rows[known]], trades.gross[known])
