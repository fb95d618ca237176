"""THE kernel: one bar of one account. Backtest, environments and the live loop all call it.

`advance` is the order of events inside a bar, and each event is a function below it:

    opening fills    orders decided at earlier closes; all sells, then buys by rank, then symbol
    intrabar         stop and target of each position, by `market.barriers.touch`
    mark             every position at its last known close
    decision         exits by time or wish, then new entries by rank into free slots

Instruments are numbered in the order of their symbols, which breaks ties; callers see to that.
Columns are (n_rows,) and `rows` (n_instruments,) says which row each instrument has at this time,
-1 for none: a history passes the panel's columns and a row of its blocks, a live account columns
of the newest bars and 0 .. n - 1.

An instrument without a bar fills nothing, decides nothing and is marked at its last close.
The events are inlined into their driver: handing the state over costs more than most bars' work.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.execution.account import (
    ENTRY,
    PROBABILITY,
    STOP,
    TARGET,
    TIME,
    Accounts,
    Records,
    Tape,
)
from touchstone.execution.costs import affordable, commission
from touchstone.market.barriers import touch

DUST: Final = 1e-6
"""A buy cut below this share of its order is rejected, and so is a wish when the purse is below
this share of equity: the residue of rounding is no money to trade with.
"""


class Prices(NamedTuple):
    """Columns of bars, (n_rows,)."""

    open: Float64
    high: Float64
    low: Float64
    close: Float64


class Wishes(NamedTuple):
    """What is wished at each row's close; (n_rows,)."""

    enter: Bool
    rank: Float64
    """Higher is served first."""
    leave: Bool
    up: Float64
    """Width of the target, fraction of the entry bar's raw open; inf or nan for none."""
    down: Float64
    weight: Float64
    """Value to buy, fraction of equity at the decision's close."""
    hold: Int64
    """bars_held at which to leave: (n_rows,), or (1,) for the same everywhere."""


@njit(cache=True, inline="always")
def advance(
    accounts: Accounts, k: int, prices: Prices, rows: Int64, wishes: Wishes, tape: Tape
) -> None:
    """Take account `k` through one bar: fills, mark, decision. Changes `accounts` and `tape`."""
    fill_opening(accounts, k, prices, rows, tape)
    fill_intrabar(accounts, k, prices, rows, tape)
    mark(accounts, k, prices, rows)
    order_exits(accounts, k, rows, wishes)
    order_entries(accounts, k, prices, rows, wishes)


@njit(cache=True, inline="always")
def fill_opening(accounts: Accounts, k: int, prices: Prices, rows: Int64, tape: Tape) -> None:
    """Fill the orders whose instrument has a bar, at its open: all sells before all buys.

    A buy is cut to what the cash pays, costs included, less the reserves of orders that wait
    for a bar of their own. Buys of equal rank are served in the order of their symbols.
    """
    purse, positions, orders = accounts.purse[k], accounts.positions[k], accounts.orders[k]
    active = accounts.active[k]
    n_buys, kept_back, has_sold = 0, 0.0, False
    for a in range(purse.n_active):
        i = active[a]
        row, order = rows[i], orders[i]
        if order.quantity < 0.0 and row >= 0:
            price = prices.open[row] * (1.0 - purse.worsening)
            sold = max(order.quantity, -positions[i].quantity)
            paid = _book(purse, positions[i], sold, price)
            _write(tape, (row, order.row, order.reason), (sold, price, prices.open[row], paid))
            order.quantity = 0.0
            has_sold = True
        elif order.quantity > 0.0:
            n_buys += row >= 0
            kept_back += order.reserve if row < 0 else 0.0
    for _ in range(n_buys):
        i = _first_buy(purse, orders, active, rows)
        _buy(purse, positions[i], orders[i], (rows[i], prices.open[rows[i]], kept_back), tape)
    if has_sold or n_buys > 0:
        _forget_idle(purse, positions, orders, active)


@njit(cache=True, inline="always")
def fill_intrabar(accounts: Accounts, k: int, prices: Prices, rows: Int64, tape: Tape) -> None:
    """Fill stops and targets, at the open where the bar opens beyond them.

    A stop becomes a market order and is worsened; a target is a resting limit order and is not.
    """
    purse, positions, orders = accounts.purse[k], accounts.positions[k], accounts.orders[k]
    active = accounts.active[k]
    has_sold = False
    for a in range(purse.n_active):
        row, position = rows[active[a]], positions[active[a]]
        if row < 0 or position.quantity == 0.0:
            continue
        side, reference = touch(
            prices.open[row],
            prices.high[row],
            prices.low[row],
            position.upper,
            position.lower,
            position.bars_held == 0,
        )
        if side != 0:
            price = reference * (1.0 - purse.worsening) if side < 0 else reference
            sold = -position.quantity
            paid = _book(purse, position, sold, price)
            reason = STOP if side < 0 else TARGET
            _write(tape, (row, position.entry_row, reason), (sold, price, reference, paid))
            orders[active[a]].quantity = 0.0
            has_sold = True
    if has_sold:
        _forget_idle(purse, positions, orders, active)


@njit(cache=True, inline="always")
def mark(accounts: Accounts, k: int, prices: Prices, rows: Int64) -> None:
    """Value every position at its last known close, and count the bars it was held."""
    purse, positions, active = accounts.purse[k], accounts.positions[k], accounts.active[k]
    invested = 0.0
    for a in range(purse.n_active):
        position, row = positions[active[a]], rows[active[a]]
        if position.quantity > 0.0:
            if row >= 0:
                position.close = prices.close[row]
                position.bars_held += 1
            invested += position.quantity * position.close
    purse.invested = invested
    purse.equity = purse.cash + invested
    purse.peak = max(purse.peak, purse.equity)


@njit(cache=True, inline="always")
def order_exits(accounts: Accounts, k: int, rows: Int64, wishes: Wishes) -> None:
    """Order out of what was held long enough, or is no longer wished; time is named first."""
    positions, orders, active = accounts.positions[k], accounts.orders[k], accounts.active[k]
    for a in range(accounts.purse[k].n_active):
        row, position, order = rows[active[a]], positions[active[a]], orders[active[a]]
        if row < 0 or position.quantity == 0.0 or order.quantity != 0.0:
            continue
        is_due = position.bars_held >= position.hold
        if is_due or wishes.leave[row]:
            order.quantity = -position.quantity
            order.row = row
            order.reason = TIME if is_due else PROBABILITY


@njit(cache=True, inline="always")
def order_entries(accounts: Accounts, k: int, prices: Prices, rows: Int64, wishes: Wishes) -> None:
    """Order into free slots by rank, then symbol, as far as the purse reaches.

    The purse is the cash and the expected proceeds of working sells, less the reserves of
    working buys. A wish reserves last close x quantity x (1 + all cost rates), or is cut to
    what is left.
    """
    purse, positions, orders = accounts.purse[k], accounts.positions[k], accounts.orders[k]
    free, money = _slots_and_money(purse, positions, orders, accounts.active[k])
    if free <= 0:
        return
    wishing = np.empty(rows.size, np.int64)
    n = 0
    for i in range(rows.size):
        if rows[i] >= 0 and wishes.enter[rows[i]] and _is_idle(positions[i], orders[i]):
            wishing[n] = i
            n += 1
    dearer = 1.0 + purse.commission + purse.worsening
    while free > 0 and n > 0:
        if money <= purse.equity * DUST:
            purse.n_rejected += n
            break
        best = 0
        for w in range(1, n):
            if wishes.rank[rows[wishing[w]]] > wishes.rank[rows[wishing[best]]]:
                best = w
        i = wishing[best]
        wishing[best : n - 1] = wishing[best + 1 : n]
        n -= 1
        row, order = rows[i], orders[i]
        wished = wishes.weight[row] * purse.equity / prices.close[row]
        order.quantity = min(wished, money / (prices.close[row] * dearer))
        order.reserve = prices.close[row] * order.quantity * dearer
        order.row = row
        order.rank = wishes.rank[row]
        order.up = wishes.up[row]
        order.down = wishes.down[row]
        order.hold = wishes.hold[min(row, wishes.hold.size - 1)]
        order.reason = ENTRY
        activate(accounts, k, i)
        money -= order.reserve
        free -= 1


@njit(cache=True)
def activate(accounts: Accounts, k: int, i: int) -> None:
    """Note that instrument `i`, idle until now, has an order; the list stays ascending."""
    active, a = accounts.active[k], accounts.purse[k].n_active
    while a > 0 and active[a - 1] > i:
        active[a] = active[a - 1]
        a -= 1
    active[a] = i
    accounts.purse[k].n_active += 1


@njit(cache=True)
def _is_idle(position: Any, order: Any) -> bool:
    return bool(position.quantity == 0.0 and order.quantity == 0.0)


@njit(cache=True)
def _forget_idle(purse: Any, positions: Records, orders: Records, active: Int64) -> None:
    n = 0
    for a in range(purse.n_active):
        i = active[a]
        if not _is_idle(positions[i], orders[i]):
            active[n] = i
            n += 1
    purse.n_active = n


@njit(cache=True)
def _slots_and_money(
    purse: Any, positions: Records, orders: Records, active: Int64
) -> tuple[int, float]:
    """Slots neither held for longer nor ordered, and the money that new wishes may reserve."""
    free, money = purse.max_positions, purse.cash
    left_of_a_sale = 1.0 - purse.commission - purse.worsening
    for a in range(purse.n_active):
        position, order = positions[active[a]], orders[active[a]]
        if order.quantity < 0.0:
            money -= order.quantity * position.close * left_of_a_sale
        else:
            free -= 1
            if order.quantity > 0.0:
                money -= order.reserve
    return free, money


@njit(cache=True)
def _first_buy(purse: Any, orders: Records, active: Int64, rows: Int64) -> int:
    """The working buy with a bar that is served next."""
    best = -1
    for a in range(purse.n_active):
        i = active[a]
        is_here = orders[i].quantity > 0.0 and rows[i] >= 0
        if is_here and (best < 0 or orders[i].rank > orders[best].rank):
            best = i
    return best


@njit(cache=True)
def _buy(purse: Any, position: Any, order: Any, bar: tuple[int, float, float], tape: Tape) -> None:
    """Fill a working buy; `bar` is its row, its open, and the cash kept for orders that wait."""
    row, reference, kept_back = bar
    wished = order.quantity
    quantity = wished
    price = reference * (1.0 + purse.worsening)
    payable = purse.cash - kept_back
    value = wished * price
    if value + commission(value, purse.commission, purse.to_cents) > payable:
        quantity = affordable(payable, price, purse.commission, purse.to_cents)
        purse.n_cut += 1
    order.quantity = 0.0
    if quantity <= wished * DUST:
        purse.n_rejected += 1
        return
    if position.quantity == 0.0:
        position.entry_row = row
        position.entry_price = 0.0
        position.bars_held = 0
        position.hold = order.hold
        position.upper = reference * (1.0 + order.up)
        position.lower = reference * (1.0 - order.down)
    paid = _book(purse, position, quantity, price)
    _write(tape, (row, order.row, ENTRY), (quantity, price, reference, paid))


@njit(cache=True)
def _book(purse: Any, position: Any, quantity: float, price: float) -> float:
    """Book a fill, `quantity` below 0 for a sale: cash, position, average price; its commission."""
    value = quantity * price
    paid: float = commission(abs(value), purse.commission, purse.to_cents)
    purse.cash += -value - paid
    after = position.quantity + quantity
    if quantity > 0.0:
        position.entry_price = (position.entry_price * position.quantity + value) / after
    position.quantity = after
    return paid


@njit(cache=True)
def _write(
    tape: Tape, what: tuple[int, int, int], money: tuple[float, float, float, float]
) -> None:
    """Append (row, order_row, reason) and (quantity, price, reference, commission)."""
    if tape.fills.size > 0:
        fill = tape.fills[tape.n[0]]
        fill.row, fill.order_row, fill.reason = what
        fill.quantity, fill.price, fill.reference, fill.commission = money
        tape.n[0] += 1
