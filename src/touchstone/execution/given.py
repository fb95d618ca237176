"""Orders given from outside: market orders for the next open, limits and stops that rest."""

import math

from touchstone.arrays import Int64
from touchstone.execution.columns import Given, Market
from touchstone.execution.compiled import compiled
from touchstone.execution.fills import activate, bar_of, fill, forget_idle, is_idle
from touchstone.execution.opening import room
from touchstone.execution.records import (
    FOR_EVER,
    GIVEN,
    LIMIT_ORDER,
    MARKET_ORDER,
    STOP_ORDER,
    Accounts,
    Tape,
)
from touchstone.execution.targets import leave_all


@compiled
def take_orders(
    accounts: Accounts, k: int, market: Market, now: tuple[Int64, int], given: Given
) -> None:
    """Take the orders given at this close. Market orders of one instrument add up.

    An account at a loss limit orders out of everything, drops what rests and takes no order.
    """
    purse, (rows, t) = accounts.purse[k], now
    if purse.latch > 0:
        leave_all(accounts, k, rows)
        purse.n_resting = 0
        purse.n_rejected += given.first[t + 1] - given.first[t]
        return
    for g in range(given.first[t], given.first[t + 1]):
        new = given.order[g]
        if new.quantity == 0.0:
            _cancel(accounts, k, new.number)
        elif new.kind == MARKET_ORDER:
            i = new.instrument
            position, order = accounts.positions[k, i], accounts.orders[k, i]
            if is_idle(position, order):
                activate(accounts.active[k], purse, i)
            order.quantity += new.quantity
            order.row, order.rank, order.reason = new.row, 0.0, GIVEN
            order.up, order.down, order.hold = math.inf, math.inf, FOR_EVER
            price = market.bars[new.row, 3]
            order.reserve = max(order.quantity, 0.0) * price * (1.0 + accounts.terms[k].commission)
        elif purse.n_resting < accounts.resting.shape[1]:
            accounts.resting[k, purse.n_resting] = new
            purse.n_resting += 1
        else:
            purse.n_rejected += 1


@compiled
def fill_resting(accounts: Accounts, k: int, market: Market, rows: Int64, tape: Tape) -> None:
    """Fill resting orders in the order they were given, stops of a bar before limits.

    A stop is met when the price touches its trigger, a limit when the price trades through it;
    where the bar opens beyond, at the open. A filled or expired order is gone; what the volume
    does not let through goes on resting, a stop as a market order for the next open.
    """
    purse = accounts.purse[k]
    if purse.n_resting == 0:
        return
    for kind in (STOP_ORDER, LIMIT_ORDER):
        for r in range(purse.n_resting):
            order = accounts.resting[k, r]
            if order.kind == kind and rows[order.instrument] >= 0 and order.quantity != 0.0:
                _try(accounts, k, market, rows, r, tape)
    n = 0
    for r in range(purse.n_resting):
        order = accounts.resting[k, r]
        if order.quantity != 0.0 and order.expires > purse.clock:
            accounts.resting[k, n] = order
            n += 1
    purse.n_resting = n
    forget_idle(purse, accounts.positions[k], accounts.orders[k], accounts.active[k])


@compiled
def _try(accounts: Accounts, k: int, market: Market, rows: Int64, r: int, tape: Tape) -> None:
    purse, terms, resting = accounts.purse[k], accounts.terms[k], accounts.resting[k, r]
    i = resting.instrument
    row, position, order = rows[i], accounts.positions[k, i], accounts.orders[k, i]
    buys, is_stop = resting.quantity > 0.0, resting.kind == STOP_ORDER
    reference = met(market, row, resting.price, buys, is_stop)
    if math.isnan(reference):
        return
    wanted = resting.quantity
    if not terms.margin and not buys:
        wanted = max(wanted, -position.quantity)
    if wanted == 0.0:
        purse.n_rejected += 1
        resting.quantity = 0.0
        return
    opens = wanted * position.quantity >= 0.0 or abs(wanted) > abs(position.quantity)
    was_cut, had, was_idle = purse.n_cut, position.quantity, is_idle(position, order)
    payable = math.inf
    if opens:
        payable = room(terms, purse, accounts.positions[k], accounts.active[k])
    filled = fill(
        (terms, purse, position), bar_of(terms, market, row),
        (wanted, reference, not is_stop, payable), (row, resting.row, i, GIVEN), tape,
    )  # fmt: skip
    left = wanted - filled
    resting.quantity = 0.0 if purse.n_cut > was_cut else left
    if filled != 0.0 and had * position.quantity <= 0.0:
        position.entry_row, position.bars_held, position.hold = row, 0, FOR_EVER
        position.upper, position.lower = math.inf, -math.inf
        position.close = reference
    if is_stop and resting.quantity != 0.0:
        order.quantity += resting.quantity
        order.row, order.reason, order.hold = resting.row, GIVEN, FOR_EVER
        order.up, order.down = math.inf, math.inf
        resting.quantity = 0.0
    if was_idle and not is_idle(position, order):
        activate(accounts.active[k], purse, i)


@compiled
def met(market: Market, row: int, price: float, buys: bool, is_stop: bool) -> float:
    """Reference price at which a bar fills a resting order; nan where it does not."""
    opened, high, low = market.bars[row, 0], market.bars[row, 1], market.bars[row, 2]
    if is_stop:  # a buy stop lies above the market, a sell stop below
        if opened >= price if buys else opened <= price:
            return float(opened)
        return price if (high >= price if buys else low <= price) else math.nan
    if opened < price if buys else opened > price:
        return float(opened)
    return price if (low < price if buys else high > price) else math.nan


@compiled
def _cancel(accounts: Accounts, k: int, number: int) -> None:
    for r in range(accounts.purse[k].n_resting):
        if accounts.resting[k, r].number == number:
            accounts.resting[k, r].quantity = 0.0
