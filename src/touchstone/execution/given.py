"""Orders given from outside: market orders for the next open, limits and stops that rest.

All of them stand in the account's list `resting` until they are filled, cancelled or expired. The
market orders of one instrument are one working order, made anew from the list at each close.
"""

import math
from typing import Any, Final

from touchstone.arrays import Int64
from touchstone.execution.columns import Given, Market
from touchstone.execution.compiled import compiled
from touchstone.execution.fills import activate, bar_of, fill, forget_idle, is_halted
from touchstone.execution.opening import room
from touchstone.execution.records import (
    FOR_EVER,
    GIVEN,
    LIMIT,
    LIMIT_ORDER,
    MARKET_ORDER,
    STOP_ORDER,
    Accounts,
    Tape,
)
from touchstone.execution.targets import leave_all

_NOTHING: Final = 1e-9
"""A rest below this share of its order is the residue of rounding."""


@compiled
def take_orders(
    accounts: Accounts, k: int, market: Market, now: tuple[Int64, int], given: Given
) -> None:
    """Take the orders given at this close; a cancel reaches what is left of any.

    An account at a loss limit orders out of everything, drops what rests and takes no order.
    """
    purse, (rows, t) = accounts.purse[k], now
    if purse.latch > 0:
        leave_all(accounts, k, rows)
        purse.n_resting = 0
        purse.n_rejected += given.first[t + 1] - given.first[t]
        return
    if given.first[t] == given.first[t + 1]:
        return
    for g in range(given.first[t], given.first[t + 1]):
        new = given.order[g]
        if new.quantity == 0.0:
            _cancel(accounts, k, new.number)
        elif purse.n_resting < accounts.resting.shape[1]:
            resting = accounts.resting[k]
            resting[purse.n_resting] = new
            if new.kind == MARKET_ORDER:  # what its reserve is measured by
                resting[purse.n_resting].price = market.bars[new.row, 3]
            purse.n_resting += 1
        else:
            purse.n_rejected += 1
    _forget_done(accounts, k)
    _work(accounts, k)


@compiled
def fill_resting(accounts: Accounts, k: int, market: Market, rows: Int64, tape: Tape) -> None:
    """Fill resting orders in the order they were given, stops of a bar before limits.

    A stop is met when the price touches its trigger, a limit when the price trades through it;
    where the bar opens beyond, at the open. Orders of one instrument, kind and side that are met
    at one price are one fill. A filled or expired order is gone; what the volume does not let
    through goes on resting, of a stop as a market order for the next open.
    """
    purse = accounts.purse[k]
    if purse.n_resting == 0:
        return
    _settle(accounts, k, market, rows)
    for kind in (STOP_ORDER, LIMIT_ORDER):
        for r in range(purse.n_resting):
            order = accounts.resting[k, r]
            row = rows[order.instrument]
            if order.kind != kind or order.quantity == 0.0 or row < 0 or is_halted(market, row):
                continue
            _try(accounts, k, market, rows, r, tape)
    for r in range(purse.n_resting):
        if accounts.resting[k, r].expires <= purse.clock:
            accounts.resting[k, r].quantity = 0.0
    _forget_done(accounts, k)
    _work(accounts, k)


@compiled
def _settle(accounts: Accounts, k: int, market: Market, rows: Int64) -> None:
    """Tell the market orders of the list what the opening left of their sum.

    The first given are done first, and so is all that went the other way.
    """
    purse, orders, resting = accounts.purse[k], accounts.orders[k], accounts.resting[k]
    for r in range(purse.n_resting):
        order = orders[resting[r].instrument]
        if order.reason == GIVEN:
            order.up = order.quantity  # what is still to be handed out, signed
    for back in range(purse.n_resting):
        one = resting[purse.n_resting - 1 - back]
        row, order = rows[one.instrument], orders[one.instrument]
        is_served = row >= 0 and not is_halted(market, row) and order.reason == GIVEN
        if one.kind != MARKET_ORDER or not is_served:
            continue
        part = 0.0
        if one.quantity * order.up > 0.0:
            part = min(one.quantity, order.up) if order.up > 0.0 else max(one.quantity, order.up)
        order.up -= part
        one.quantity = part if abs(part) > _NOTHING * abs(one.quantity) else 0.0


@compiled
def _work(accounts: Accounts, k: int) -> None:
    """Make the working order of each instrument from the market orders of the list."""
    purse, resting, active = accounts.purse[k], accounts.resting[k], accounts.active[k]
    positions, orders = accounts.positions[k], accounts.orders[k]
    for a in range(purse.n_active):
        if orders[active[a]].reason == GIVEN:
            orders[active[a]].quantity, orders[active[a]].reserve = 0.0, 0.0
    for r in range(purse.n_resting):
        one = resting[r]
        order = orders[one.instrument]
        if one.kind != MARKET_ORDER or (order.reason == LIMIT and order.quantity != 0.0):
            continue
        activate(active, purse, one.instrument)
        order.quantity += one.quantity
        if abs(order.quantity) <= _NOTHING * abs(one.quantity):
            order.quantity = 0.0
        order.rank, order.reason = 0.0, GIVEN
        order.up, order.down, order.hold = math.inf, math.inf, FOR_EVER
    terms = accounts.terms[k]
    rates = 1.0 + terms.commission + terms.worsening
    for r in range(purse.n_resting):  # the newest of its side stands for it
        one = resting[r]
        position, order = positions[one.instrument], orders[one.instrument]
        goes_with = one.quantity * order.quantity > 0.0 and order.reason == GIVEN
        if one.kind != MARKET_ORDER or not goes_with:
            continue
        opens = abs(order.quantity)
        if order.quantity < 0.0 and not terms.margin:
            opens = 0.0  # it sells what it has
        elif order.quantity * position.quantity < 0.0:
            opens = max(0.0, opens - abs(position.quantity))
        order.row = one.row
        order.reserve = opens * (one.price * rates + terms.per_unit)
    forget_idle(purse, positions, orders, active)


@compiled
def _try(accounts: Accounts, k: int, market: Market, rows: Int64, r: int, tape: Tape) -> None:
    purse, terms, first = accounts.purse[k], accounts.terms[k], accounts.resting[k, r]
    i, buys, is_stop = first.instrument, first.quantity > 0.0, first.kind == STOP_ORDER
    row, position = rows[i], accounts.positions[k, i]
    reference = met(market, row, first.price, buys, is_stop)
    if math.isnan(reference):
        return
    wanted = 0.0
    for other in range(r, purse.n_resting):
        if _goes_with(accounts.resting[k, other], first, market, row, reference):
            wanted += accounts.resting[k, other].quantity
    if not terms.margin and not buys:
        wanted = max(wanted, -position.quantity)
    purse.n_rejected += wanted == 0.0
    was_cut, had = purse.n_cut, position.quantity
    filled = 0.0
    if wanted != 0.0:
        payable = math.inf
        if wanted * had >= 0.0 or abs(wanted) > abs(had):
            payable = room(terms, purse, accounts.positions[k], accounts.active[k])
            payable -= _reserved(accounts, k)
        filled = fill(
            (terms, purse, position), bar_of(terms, market, row),
            (wanted, reference, not is_stop, payable), (row, first.row, i, GIVEN), tape,
        )  # fmt: skip
        if position.quantity != 0.0:
            activate(accounts.active[k], purse, i)
    if filled != 0.0 and had * position.quantity <= 0.0:
        position.entry_row, position.bars_held, position.hold = row, 0, FOR_EVER
        position.upper, position.lower = math.inf, -math.inf
        position.close = reference
    rest = 0.0 if purse.n_cut > was_cut else wanted - filled
    if abs(rest) <= _NOTHING * abs(wanted):
        rest = 0.0
    _share_out(accounts, k, market, (row, r, reference), rest)


@compiled
def _reserved(accounts: Accounts, k: int) -> float:
    """Money kept for working orders, which what rests does not get at."""
    kept = 0.0
    for a in range(accounts.purse[k].n_active):
        order = accounts.orders[k, accounts.active[k, a]]
        if order.quantity != 0.0:
            kept += order.reserve
    return kept


@compiled
def _share_out(
    accounts: Accounts, k: int, market: Market, which: tuple[int, int, float], rest: float
) -> None:
    """Leave of the orders that were met together this rest, signed; the first given are done first.

    `which`: row of the bar, place of the first of them, price that they were met at.
    """
    row, r, reference = which
    n, resting = accounts.purse[k].n_resting, accounts.resting[k]
    buys = resting[r].quantity > 0.0
    for back in range(n - r):  # the first says what goes with it, so it is changed last
        one = resting[n - 1 - back]
        if _goes_with(one, resting[r], market, row, reference):
            one.quantity = min(one.quantity, rest) if buys else max(one.quantity, rest)
            rest -= one.quantity
            if one.kind == STOP_ORDER and one.quantity != 0.0:
                one.kind, one.price = MARKET_ORDER, reference


@compiled
def _goes_with(one: Any, first: Any, market: Market, row: int, reference: float) -> bool:
    """Whether an order is met together with another: one instrument, kind, side and price."""
    if one.kind != first.kind or one.instrument != first.instrument:
        return False
    if one.quantity * first.quantity <= 0.0:
        return False
    is_stop = first.kind == STOP_ORDER
    return bool(met(market, row, one.price, first.quantity > 0.0, is_stop) == reference)


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


@compiled
def _forget_done(accounts: Accounts, k: int) -> None:
    n = 0
    for r in range(accounts.purse[k].n_resting):
        if accounts.resting[k, r].quantity != 0.0:
            accounts.resting[k, n] = accounts.resting[k, r]
            n += 1
    accounts.purse[k].n_resting = n
