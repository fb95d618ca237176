"""The engine's rules find no fault in the kernel, and name each fault of engines that have one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaks.by_hand import Engine, follower
from leaks.corpus import paths, planted
from reference.engine_rules import RULES, breaches
from reference.intents import EXACT, FREE, follow, intent_of, random_intent
from touchstone.backtest import replay
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.history import timeline
from touchstone.strategies import Intent
from walks import random_panel

NAMED = {
    "bought_at_the_low": "not filled at the open",
    "commission_after_sizing": "spent more than there was",
    "commission_once_a_round_trip": "commission left out",
    "fill_at_signal_close": "not filled at the open",
    "fills_without_a_bar": "filled before it was ordered",
    "marked_at_next_open": "equity is not cash and closes",
    "sizing_with_post_trade_equity": "larger than was known to be wanted",
    "sold_before_it_was_ordered": "filled before it was ordered",
    "stop_through_gap": "stop filled above a gap",
    "target_at_touch": "target filled without a trade through it",
    "target_before_stop": "target before the stop in one bar",
}
"""Planted engine -> what must be said of it."""


@settings(max_examples=40)
@given(
    st.integers(0, 10_000), st.integers(1, 5), st.sampled_from([0.0, 0.2]),
    st.sampled_from([CostsConfig(), FREE, EXACT, CostsConfig(commission_bp=80, half_spread_bp=7)]),
    st.sampled_from([300.0, 1e6]), st.integers(1, 8),
)  # fmt: skip
def test_the_kernel_breaks_none(seed, n, missing, costs, cash, hold):
    panel = random_panel(n, 150, seed, missing)
    intent = random_intent(panel, seed, 0.3, (0.05, 0.6), 3, hold)
    run = follow(panel, intent, costs, cash)
    assert breaches(panel, intent, run, costs) == ()


def test_the_slow_engine_is_the_kernel():
    """What the planted engines are edited from does what the kernel does."""
    panel = random_panel(4, 200, 3, 0.1)
    intent = random_intent(panel, 3, 0.3)
    costs = CostsConfig()
    fast = follow(panel, intent, costs)
    slow = follower(Engine)(panel, timeline(panel), intent, AccountConfig(), costs)
    np.testing.assert_allclose(slow.equity, fast.equity, rtol=1e-10)
    np.testing.assert_array_equal(slow.fills.row, fast.fills.row)
    np.testing.assert_array_equal(slow.n_held, fast.n_held)
    assert slow.fills.row.size > 50


@pytest.mark.parametrize(
    "path", [p for p in paths("engine") if p.stem in NAMED], ids=lambda p: p.stem
)
def test_a_planted_engine_is_named(path, monkeypatch):
    planted(path).plant(monkeypatch)
    whole, costs = gapping_panel(), CostsConfig(commission_bp=30)
    holed = whole.where(np.random.default_rng(2).random(len(whole)) > 0.1)
    found = []
    for panel, slots in ((whole, 1), (whole, 2), (holed, 2)):
        intent = eager(panel, slots)
        run = replay.follow(panel, timeline(panel), intent, AccountConfig(), costs)
        found += breaches(panel, intent, run, costs)
    assert NAMED[path.stem] in {b.rule for b in found}
    first = next(b for b in found if b.rule == NAMED[path.stem])
    assert first.symbol in ("", *panel.symbols)
    assert first.time in panel.time
    assert first.needed != first.got


def gapping_panel():
    """Bars that jump over night by more than most stops are wide."""
    panel = random_panel(4, 480, 5, 0.0)
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    night = np.random.default_rng(1).normal(0, 0.02, (4, 20)).cumsum(axis=1)
    factor = np.exp(night[panel.asset_id, age // 24])
    prices = {n: getattr(panel, n) * factor for n in ("open", "high", "low", "close")}
    return replace(panel, **prices)


def eager(panel, slots=2):
    """Wishes at every third row for all the money; barriers narrow here and wide there."""
    n = len(panel)
    wide = np.where(np.arange(n) // 3 % 2, 5.0, 1.0)
    return Intent(
        np.arange(n) % 3 == 0, np.arange(n) % 5 * 1.0, np.zeros(n, bool), 0.006 * wide,
        0.004 * wide, np.full(n, 1.0 / slots), 6, slots,
    )  # fmt: skip


FAULTS = {
    "filled without a wish": lambda f, k: f._replace(order_row=f.order_row - (k == 0)),
    "slippage left out": lambda f, k: f._replace(price=np.where(k == 0, f.reference, f.price)),
    "left too soon": lambda f, _: f._replace(
        reason=np.where(f.side < 0, 1, f.reason).astype(np.int8)
    ),
    "stopped without a touch": lambda f, _: f._replace(
        reason=np.where(f.reason == 4, 3, f.reason).astype(np.int8)
    ),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_forged_fill_is_named(rule):
    panel = gapping_panel()
    intent = eager(panel)
    run = follow(panel, intent)
    forged = run._replace(fills=FAULTS[rule](run.fills, np.arange(run.fills.row.size)))
    assert rule in {b.rule for b in breaches(panel, intent, forged, CostsConfig())}


def test_a_stop_that_is_not_taken_is_named():
    """The engine was told of no barriers, the wish had them."""
    panel = gapping_panel()
    intent = eager(panel)
    none = np.full(len(panel), np.inf)
    run = follow(panel, intent._replace(up=none, down=none))
    named = {b.rule for b in breaches(panel, intent, run, CostsConfig())}
    assert "a barrier was met and nothing sold" in named
    held = follow(panel, intent._replace(hold_bars=9))
    named = {b.rule for b in breaches(panel, intent, held, CostsConfig())}
    assert "held beyond its time" in named


def test_more_positions_than_slots_are_named():
    panel = gapping_panel()
    intent = eager(panel)._replace(weight=np.full(len(panel), 0.2))
    run = follow(panel, intent._replace(max_positions=4))
    named = {b.rule for b in breaches(panel, intent, run, CostsConfig())}
    assert named == {"more positions than slots"}


def test_no_trades_no_breaches():
    panel = random_panel(2, 30, 1)
    intent = intent_of(panel, [])
    assert breaches(panel, intent, follow(panel, intent), CostsConfig()) == ()
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
