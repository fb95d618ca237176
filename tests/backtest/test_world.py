"""What an account meets beside its bars: actions, halts, spreads, groups, bars inside bars."""

from dataclasses import replace

import numpy as np
import pytest

from reference.intents import FREE, intent_of
from touchstone.backtest import sweep
from touchstone.backtest.baselines import buy_and_hold
from touchstone.backtest.held import held_units, stranded
from touchstone.backtest.world import events_of, world_line
from touchstone.errors import ConfigError
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.execution.history import timeline
from touchstone.market import Panel, Timeframe
from touchstone.market.happened import NEVER, Happened
from walks import HOUR_NS, flat, panel_of, random_panel


def happening(panel, **rows):
    """The panel with these events: happening(panel, ratio={3: 2.0}, gone={5: time})."""
    n = len(panel)
    columns = {
        "ratio": np.ones(n), "dividend": np.zeros(n), "halted": np.zeros(n, bool),
        "recovery": np.full(n, np.nan), "gone": np.full(n, NEVER),
    }  # fmt: skip
    for name, changes in rows.items():
        for row, value in changes.items():
            columns[name][row] = value
    return replace(panel, happened=Happened(**columns))


def follow(panel, intent, account=None, costs=FREE):
    return sweep(panel, [intent], account or AccountConfig(cash=1000.0), costs)[0]


def two(**rows):
    """FLAT with these bars, and OTHER that always has a bar."""
    other = replace(flat(9), symbol="OTHER")
    return panel_of(flat(9, **rows), other)


def test_a_split_and_its_dividend_meet_what_is_held():
    """1000 buys 5 at 100 (half); 2:1 at row 4 makes 10 at 50; 0.5 a share pays 5."""
    halves = {row: 50.0 for row in range(4, 9)}
    panel = happening(
        panel_of(flat(9, open=halves, high=halves, low=halves, close=halves)),
        ratio={4: 2.0}, dividend={4: 0.5},
    )  # fmt: skip
    run = follow(panel, intent_of(panel, [1], hold=99))
    assert run.cash.tolist() == [1000, 1000, 500, 500, 505, 505, 505, 505, 505]
    assert run.invested.tolist() == [0, 0, 500, 500, 500, 500, 500, 500, 500]
    assert run.dividends == 5.0
    assert held_units(panel, run.fills).tolist() == [0, 0, 5, 5, 10, 10, 10, 10, 10]
    held = buy_and_hold(panel, AccountConfig(cash=1000.0), FREE)
    assert held.equity.tolist() == pytest.approx([1000] * 4 + [1010] * 5)


def test_a_fraction_of_a_share_is_paid_out():
    """1:2 of 5 whole shares is 2, and half a share in cash at the split's price, 200."""
    doubled = {row: 200.0 for row in range(4, 9)}
    panel = happening(
        panel_of(flat(9, open=doubled, high=doubled, low=doubled, close=doubled)), ratio={4: 0.5}
    )
    account = AccountConfig(cash=1000.0, units="whole")
    run = follow(panel, intent_of(panel, [1], hold=99), account)
    assert run.invested[-1] == 400.0
    assert run.cash[-1] == 600.0
    assert [REASONS[r] for r in run.fills.reason] == ["entry", "in_lieu"]
    assert held_units(panel, run.fills).tolist() == [0, 0, 5, 5, 2, 2, 2, 2, 2]


@pytest.mark.parametrize(("recovery", "cash"), [(1.0, 1000.0), (0.3, 650.0), (0.0, 500.0)])
def test_a_delisting_closes_at_its_recovery_when_it_holds_and_not_before(recovery, cash):
    short = panel_of(flat(9)).where(np.arange(9) < 5).bars(0)
    panel = panel_of(short, replace(flat(9), symbol="OTHER"))
    known = happening(panel, recovery={4: recovery}, gone={4: int(panel.time[-1]) - HOUR_NS})
    run = follow(known, intent_of(known, [1], hold=99))
    assert run.n_held.tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]
    assert run.cash[-1] == cash
    assert [REASONS[r] for r in run.fills.reason] == ["entry", "delisted"]
    assert run.trades.pnl.tolist() == [cash - 1000.0]
    # without it, or where it holds after the last bar, the last price stands
    late = happening(panel, recovery={4: recovery}, gone={4: NEVER - 1})
    for untold in (panel, late):
        still = follow(untold, intent_of(untold, [1], hold=99))
        assert still.equity[-1] == 1000.0
        assert still.holdings.quantity.tolist() == [5.0]


def test_nothing_is_filled_or_touched_in_a_halt():
    panel = two(low={4: 80.0, 6: 80.0})
    halted = happening(panel, halted={2: True, 4: True})
    intent = intent_of(halted, [1], hold=99, down=0.1)
    run = follow(halted, intent)
    assert run.fills.row.tolist() == [3, 6]  # the entry waits; the stop of row 4 is nobody's
    assert [REASONS[r] for r in run.fills.reason] == ["entry", "stop"]


def test_events_move_to_bars_that_stay():
    panel = happening(
        random_panel(2, 8, 1), ratio={3: 2.0, 4: 3.0, 12: 5.0}, dividend={3: 0.5, 4: 0.25},
        recovery={15: 0.5}, gone={15: 99},
    )  # fmt: skip
    kept = panel.where(~np.isin(np.arange(16), [3, 4, 12, 15]))
    assert np.flatnonzero(kept.happened.ratio != 1).tolist() == [3, 10]
    np.testing.assert_allclose(kept.happened.ratio[[3, 10]], [6.0, 5.0], rtol=1e-12)
    assert kept.happened.dividend[3] == 0.75
    assert (kept.happened.gone[-1], kept.happened.recovery[-1]) == (99, 0.5)
    assert panel.where(np.ones(16, bool)).content_hash() == panel.content_hash()
    assert replace(panel, happened=None).content_hash() != panel.content_hash()


def test_events_stand_by_time_and_instrument_by_symbol():
    b, a = replace(flat(4), symbol="B"), replace(flat(4), symbol="A")
    panel = happening(
        Panel.from_bars([b, a], Timeframe("1h"), panel_of(a).calendar),
        ratio={2: 2.0, 6: 3.0}, dividend={6: 1.0},
    )  # fmt: skip
    events = events_of(panel, timeline(panel))
    assert events.first.tolist() == [0, 0, 0, 3, 3]
    assert events.instrument.tolist() == [0, 0, 1]
    assert events.value.tolist() == [3.0, 1.0, 2.0]


def test_a_fill_pays_half_the_spread_known_before_it():
    panel = panel_of(flat(9))
    spread = np.full(9, np.nan)
    spread[1] = 0.02
    panel = panel.map_side({"quoted": spread})
    costs = CostsConfig(commission_bp=0, slippage_bp=0, half_spread_bp=30, spread="quoted")
    run = follow(panel, intent_of(panel, [1], hold=2, weight=0.5), costs=costs)
    assert run.fills.price.tolist() == pytest.approx([101.0, 100 * (1 - 0.003)])
    with pytest.raises(ConfigError, match="no column 'other' beside the bars"):
        world_line(panel, costs.model_copy(update={"spread": "other"}), AccountConfig())


def test_bars_inside_a_bar_say_what_came_first():
    """Row 3 spans both; inside it the target comes first."""
    panel = panel_of(flat(9, high={3: 112.0}, low={3: 88.0}))
    inside = flat(36, high={13: 112.0}, low={14: 88.0})
    inside = replace(inside, time=panel.time[0] + np.arange(36) * HOUR_NS // 4)
    finer = Panel.from_bars([inside], Timeframe("15m"), panel.calendar)
    intent = intent_of(panel, [1], up=0.1, down=0.1, hold=99)
    fine = AccountConfig(cash=1000.0, ambiguity="finer")
    left = {
        "finer": follow(replace(panel, finer=finer), intent, fine),
        "pessimistic": follow(panel, intent),
    }
    assert {k: REASONS[r.fills.reason[-1]] for k, r in left.items()} == {
        "finer": "target", "pessimistic": "stop",
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"needs bars of a shorter timeframe"):
        follow(panel, intent, fine)


def test_a_group_holds_no_more_than_its_share():
    panel = replace(two(), groups={"FLAT": "tech", "OTHER": "tech"})
    account = AccountConfig(cash=1000.0, max_group=0.6)
    run = follow(panel, intent_of(panel, [1, 10], hold=99), account)
    assert run.invested[-1] == pytest.approx(600.0)
    apart = replace(panel, groups={"FLAT": "tech", "OTHER": "banks"})
    assert follow(apart, intent_of(apart, [1, 10], hold=99), account).invested[-1] == 1000.0
    with pytest.raises(ConfigError, match="none of these instruments has a group"):
        follow(two(), intent_of(two(), [1]), account)


def test_bars_without_any_volume_are_refused_under_a_cap():
    panel = panel_of(replace(flat(9), volume=np.zeros(9)))
    with pytest.raises(ConfigError, match="every bar's volume is 0"):
        follow(panel, intent_of(panel, [1]))
    free = FREE.model_copy(update={"volume_cap": None})
    assert follow(panel, intent_of(panel, [1]), costs=free).fills.row.size > 0


def test_what_is_held_long_after_its_last_bar_is_named():
    short = panel_of(flat(300)).where(np.arange(300) < 60).bars(0)
    panel = panel_of(short, replace(flat(300), symbol="OTHER"))
    run = follow(panel, intent_of(panel, [1, 70], hold=10**6))
    assert run.holdings.quantity.size == 2
    assert stranded(panel, run) == ("FLAT",)
    early = panel.where(panel.time < panel.time[0] + 100 * HOUR_NS)
    assert stranded(early, follow(early, intent_of(early, [1, 70], hold=10**6))) == ()
