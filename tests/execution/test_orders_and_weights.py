"""Weights and orders from outside: worked fills, cancels, expiry, loss limits, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from reference.intents import FREE
from touchstone.errors import BarsError, ConfigError
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.execution.account import accounts
from touchstone.execution.columns import Events, Given, Weights
from touchstone.execution.history import follow_orders, follow_weights, timeline
from touchstone.execution.records import FOR_EVER, ORDER_KINDS, RESTING, tape
from walks import flat, panel_of


def two(n=10, **rows):
    """A, whose bars stand at 100 but for these, and B, which always stands at 50."""
    return panel_of(replace(flat(n, **rows), symbol="A"), replace(flat(n, 50.0), symbol="B"))


def weighed(panel, named, buffer=0.0, account=None, costs=FREE):
    """The fills of weights {time: {instrument: weight}} and the path."""
    line = timeline(panel)
    counts = [len(named.get(t, ())) for t in range(line.time.size)]
    flat_ = [one for t in sorted(named) for one in named[t].items()]
    weights = Weights(
        np.r_[0, np.cumsum(counts)], np.array([i for i, _ in flat_], np.int64),
        np.array([w for _, w in flat_], float), buffer,
    )  # fmt: skip
    account = account or AccountConfig(cash=1000.0)
    state, filled = accounts(1, panel.n_instruments, account, costs, 9), tape(99)
    path = follow_weights(state, line, weights, filled)
    return told(panel, filled), path


def ordered(panel, orders, account=None, costs=FREE, n_resting=9):
    """The fills of orders (time, instrument, kind, quantity, price, number, expires)."""
    line = timeline(panel)
    found = np.zeros(len(orders), RESTING)
    for to, (t, i, kind, quantity, *more) in zip(found, orders, strict=True):
        price, number, expires = (*more, *(0.0, 0, FOR_EVER)[len(more) :])
        to["instrument"], to["kind"], to["quantity"] = i, ORDER_KINDS.index(kind), quantity
        to["row"] = line.rows[t, i]
        to["price"], to["number"], to["expires"] = price, number, expires
    first = np.searchsorted([o[0] for o in orders], np.arange(line.time.size + 1))
    account = account or AccountConfig(cash=10_000.0)
    state, filled = accounts(1, panel.n_instruments, account, costs, 9, n_resting), tape(99)
    path = follow_orders(state, line, Given(first.astype(np.int64), found), filled)
    return told(panel, filled), path, state


def told(panel, filled):
    """(symbol, bar of it, quantity, price, reason) of each fill."""
    fills = filled.fills[: filled.n[0]]
    first = panel.offsets[panel.asset_id[fills["row"]]]
    names = np.array(panel.symbols)[panel.asset_id[fills["row"]]]
    columns = (names, fills["row"] - first, fills["quantity"].round(9), fills["price"])
    rows = zip(*(c.tolist() for c in columns), strict=True)
    return [(*r, REASONS[w]) for r, w in zip(rows, fills["reason"], strict=True)]


def test_what_is_named_is_traded_towards_its_weight_and_the_rest_is_left():
    fills, path = weighed(two(), {1: {0: 0.5, 1: 0.2}, 4: {0: 0.3}, 6: {0: 0.0}})
    assert fills == [
        ("A", 2, 5.0, 100.0, "rebalance"),
        ("B", 2, 4.0, 50.0, "rebalance"),
        ("A", 5, -2.0, 100.0, "rebalance"),
        ("A", 7, -3.0, 100.0, "rebalance"),
    ]
    assert path.invested.tolist() == [0, 0, 700, 700, 700, 500, 500, 200, 200, 200]
    assert path.gross.tolist() == path.invested.tolist()


def test_a_weight_inside_the_buffer_is_left_and_nought_never():
    fills, _ = weighed(two(), {1: {0: 0.5}, 3: {0: 0.55}, 5: {0: 0.0}}, buffer=0.1)
    assert [f[1:3] for f in fills] == [(2, 5.0), (6, -5.0)]
    small, _ = weighed(two(), {1: {0: 0.11}, 3: {0: 0.05}, 5: {0: 0.0}}, buffer=0.1)
    assert [f[1:3] for f in small] == [(2, 1.1), (6, -1.1)]


def test_weights_below_nought_are_short_where_that_is_allowed():
    margin = AccountConfig(cash=1000.0, short=True, max_gross=2.0)
    fills, path = weighed(two(), {1: {0: -0.5, 1: 0.5}, 4: {0: 0.5}}, account=margin)
    assert [(f[0], f[2]) for f in fills] == [("A", -5.0), ("B", 10.0), ("A", 10.0)]
    assert path.invested[3] == 0.0
    assert path.gross[3] == 1000.0


def test_at_a_loss_limit_everything_is_left_named_or_not():
    """A falls from 100 to 80 at row 4: half the equity loses a tenth of all."""
    fallen = {row: 80.0 for row in range(4, 10)}
    panel = two(open=fallen, high=fallen, low=fallen, close=fallen)
    account = AccountConfig(cash=1000.0, drawdown=0.05)
    fills, path = weighed(panel, {1: {0: 0.5, 1: 0.2}, 6: {1: 0.5}}, account=account)
    assert fills[2:] == [("A", 5, -5.0, 80.0, "limit"), ("B", 5, -4.0, 50.0, "limit")]
    assert path.n_held.tolist() == [0, 0, 2, 2, 2, 0, 0, 0, 0, 0]


def test_a_position_without_a_bar_at_its_loss_limit_leaves_at_its_next_one():
    fallen = {row: 80.0 for row in range(4, 10)}
    panel = two(open=fallen, high=fallen, low=fallen, close=fallen)
    holed = panel.where(np.arange(20) != 14)  # B has no bar at the instant of the fall
    account = AccountConfig(cash=1000.0, daily_loss=0.05)
    fills, _ = weighed(holed, {1: {0: 0.5, 1: 0.2}}, account=account)
    assert [(f[0], f[4]) for f in fills[2:]] == [("A", "limit"), ("B", "limit")]


def test_market_limit_and_stop_orders():
    panel = two(low={4: 94.0, 7: 89.0}, high={5: 106.0})
    fills, path, _ = ordered(
        panel,
        [(1, 0, "market", 10), (2, 0, "limit", 5, 95.0), (2, 0, "limit", -5, 106.0),
         (2, 0, "stop", -10, 90.0)],
    )  # fmt: skip
    assert fills == [
        ("A", 2, 10.0, 100.0, "order"),
        ("A", 4, 5.0, 95.0, "order"),  # traded through at 94
        ("A", 7, -10.0, 90.0, "order"),  # 106 was only touched
    ]
    assert path.cash[-1] == 10_000 - 1000 - 475 + 900


@pytest.mark.parametrize("kind", ["limit", "stop"])
def test_two_halves_met_together_are_one_order(kind):
    """A stop buys above 100 and a limit below it."""
    price = 105.0 if kind == "stop" else 95.0
    panel = two(high={3: 106.0}, low={3: 94.0})
    costs = CostsConfig(commission_minimum=1.0, commission_bp=1.0)
    whole, _, one = ordered(panel, [(1, 0, kind, 10, price)], costs=costs)
    halves, _, both = ordered(panel, [(1, 0, kind, 5, price)] * 2, costs=costs)
    assert whole == halves
    assert one.purse["cash"][0] == both.purse["cash"][0]


@pytest.mark.parametrize("kind", ["market", "limit", "stop"])
def test_nothing_is_filled_after_a_cancel(kind):
    price = {"market": 0.0, "limit": 99.0, "stop": 101.0}[kind]
    panel = two(high={5: 102.0}, low={5: 98.0})
    given = [(1, 0, kind, 5, price, 7), (1, 0, "market", 0, 0.0, 7)]
    assert ordered(panel, given)[0] == []


def test_a_cancel_reaches_what_a_triggered_stop_left():
    panel = two(high={3: 102.0})
    thin = replace(panel, volume=np.where(np.arange(20) == 3, 30.0, panel.volume))
    given = [(1, 0, "stop", 10, 101.0, 7), (3, 0, "market", 0, 0.0, 7)]
    assert [f[1:3] for f in ordered(thin, given[:1])[0]] == [(3, 3.0), (4, 7.0)]
    assert [f[1:3] for f in ordered(thin, given)[0]] == [(3, 3.0)]


def test_an_order_works_until_it_expires():
    """The clock is 1 in the first bar: row 5 is its sixth."""
    panel = two(low={5: 98.0})
    for expires, n in ((6, 1), (5, 0)):
        fills, _, state = ordered(panel, [(1, 0, "limit", 5, 99.0, 7, expires)])
        assert len(fills) == n
        assert state.purse["n_resting"][0] == 0


def test_market_orders_add_up_and_those_that_cancel_out_do_nothing():
    both = [(1, 0, "market", 5), (1, 0, "market", -2)]
    assert [f[2] for f in ordered(two(), both)[0]] == [3.0]
    fills, _, state = ordered(two(), [(1, 0, "market", 5), (1, 0, "market", -5)])
    assert (fills, state.purse["n_active"][0]) == ([], 0)


def test_more_orders_than_there_is_room_for_are_rejected_and_counted():
    fills, _, state = ordered(two(), [(1, 0, "market", 1), (1, 1, "market", 1)], n_resting=1)
    assert len(fills) == 1
    assert state.purse["n_rejected"][0] == 1


def test_a_cash_account_sells_no_more_than_it_has():
    given = [(1, 0, "market", 5), (3, 0, "market", -9), (5, 0, "limit", -2, 90.0)]
    fills, path, _ = ordered(two(), given)
    assert [f[2] for f in fills] == [5.0, -5.0]
    assert path.cash[-1] == 10_000


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"instrument": 9}, "unknown instrument"),
        ({"instrument": -1}, "unknown instrument"),
        ({"row": 7}, "not its instrument's bar of that time"),
        ({"kind": 3}, "unknown kind"),
        ({"quantity": np.nan}, "a quantity must be finite"),
        ({"kind": 1, "price": np.nan}, "a limit or stop needs a price above 0"),
    ],
)
def test_an_order_that_nobody_can_take_is_refused(changed, said):
    line, order = timeline(two()), np.zeros(1, RESTING)
    order["quantity"], order["number"] = 1, 41
    order["row"] = line.rows[0, 0]
    for name, value in changed.items():
        order[name] = value
    first = np.r_[0, np.ones(10, np.int64)]
    state = accounts(1, 2, AccountConfig(), FREE, 9, 1)
    with pytest.raises(ConfigError, match=f"order 41 .*{said}"):
        follow_orders(state, line, Given(first, order), tape(9))
    with pytest.raises(ConfigError, match="rise from 0 to 1"):
        follow_orders(state, line, Given(first * 2, order), tape(9))


def test_a_part_of_a_unit_is_refused_by_an_account_of_whole_ones():
    with pytest.raises(ConfigError, match=r"whole units; quantity is 0\.5"):
        ordered(two(), [(1, 0, "market", 0.5)], AccountConfig(units="whole"))


@pytest.mark.parametrize(
    ("instrument", "kind", "value", "said"),
    [(5, 0, 2.0, "unknown instrument"), (0, 9, 2.0, "kind is none of"),
     (0, 0, 0.0, "needs a ratio"), (0, 1, np.nan, "needs a ratio"), (0, 3, 1.5, "recovery lies")],
)  # fmt: skip
def test_an_event_that_cannot_be_is_refused(instrument, kind, value, said):
    first = np.r_[0, np.ones(10, np.int64)]
    events = Events(first, np.array([instrument]), np.array([kind], np.int8), np.array([value]))
    with pytest.raises(BarsError, match=said):
        timeline(two(), events)


def test_a_position_is_turned_round_in_one_fill_where_all_of_equity_is_held():
    account = AccountConfig(cash=1000.0, short=True)
    fills, _ = weighed(two(), {1: {0: 1.0}, 4: {0: -1.0}}, account=account)
    assert [f[1:3] for f in fills] == [(2, 10.0), (5, -20.0)]


def test_opposite_market_orders_are_one_and_a_cancel_reaches_its_number_alone():
    both = [(1, 0, "market", 10.0, 0.0, 1), (1, 0, "market", -4.0, 0.0, 2)]
    costs = CostsConfig(commission_bp=0, slippage_bp=0, commission_minimum=1.0, volume_cap=None)
    fills, path, _ = ordered(two(), both, costs=costs)
    assert [f[1:3] for f in fills] == [(2, 6.0)]
    assert path.cash[-1] == 10_000 - 600 - 1  # one commission
    fills, *_ = ordered(two(), [*both, (1, 0, "market", 0.0, 0.0, 2)])
    assert [f[1:3] for f in fills] == [(2, 10.0)]


def test_a_split_rounds_down_each_order_of_whole_units():
    panel = two()
    events = Events(
        np.searchsorted([3], np.arange(11)).astype(np.int64),
        np.zeros(1, np.int64), np.zeros(1, np.int8), np.array([0.5]),
    )  # fmt: skip
    line = timeline(panel, events)
    found = np.zeros(1, RESTING)
    found[0] = (0, ORDER_KINDS.index("limit"), 3.0, 60.0, line.rows[1, 0], 1, FOR_EVER)
    given = Given(np.searchsorted([1], np.arange(11)).astype(np.int64), found)
    account = AccountConfig(cash=10_000.0, units="whole")
    state, filled = accounts(1, 2, account, FREE, 9, 1), tape(9)
    follow_orders(state, line, given, filled)
    assert filled.fills["quantity"][: filled.n[0]].tolist() == [1.0]
    assert state.purse["n_resting"][0] == 0
