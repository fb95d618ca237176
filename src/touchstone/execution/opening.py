"""Opening fills: orders decided at earlier closes; all that close a position, then the others."""

import math
from typing import Any

from touchstone.arrays import Int64
from touchstone.execution.columns import Market
from touchstone.execution.compiled import compiled, inlined
from touchstone.execution.fills import DUST, bar_of, fill, forget_idle, is_halted
from touchstone.execution.records import Accounts, Records, Tape


@inlined
def fill_opening(accounts: Accounts, k: int, market: Market, rows: Int64, tape: Tape) -> None:
    """Fill the orders whose instrument has a bar, at its open.

    Closing orders go first, so that what they free is there for the others, which are served by
    rank, then symbol. An opening order is cut to what the money pays, costs included, less the
    reserves of orders that wait for a bar or for a halt to end, and of what the volume left of
    those served before. What the volume does not let through stays; what the money does not pay
    is dropped.
    """
    purse, terms, active = accounts.purse[k], accounts.terms[k], accounts.active[k]
    positions, orders = accounts.positions[k], accounts.orders[k]
    n_opening, kept_back, has_filled = 0, 0.0, False
    for a in range(purse.n_active):
        i = active[a]
        row, order, position = rows[i], orders[i], positions[i]
        if order.quantity == 0.0:
            continue
        if row < 0 or is_halted(market, row):
            kept_back += order.reserve
            continue
        if order.quantity < -position.quantity and not terms.margin:
            order.quantity = -position.quantity  # a cash account sells what it has
            purse.n_rejected += position.quantity == 0.0
            has_filled = True
            if position.quantity == 0.0:
                order.reserve = 0.0
                continue
        if order.quantity * position.quantity < 0.0 and (
            abs(order.quantity) <= abs(position.quantity)
        ):
            order.quantity -= fill(
                (terms, purse, position), bar_of(terms, market, row),
                (order.quantity, market.bars[row, 0], False, math.inf),
                (row, order.row, i, order.reason), tape,
            )  # fmt: skip
            has_filled = True
        else:
            n_opening += 1
            order.waits = True
    for _ in range(n_opening):
        i = _next(purse, orders, active)
        orders[i].waits = False
        payable = room(terms, purse, positions, active) - kept_back
        bar = bar_of(terms, market, rows[i])
        _open(
            (terms, purse, positions[i]), orders[i], bar,
            (rows[i], i, market.bars[rows[i], 0], payable), tape,
        )  # fmt: skip
        kept_back += orders[i].reserve
    if has_filled or n_opening > 0:
        forget_idle(purse, positions, orders, active)


@compiled
def _open(
    account: tuple[Any, Any, Any],
    order: Any,
    bar: tuple[float, float, float, float],
    what: tuple[int, int, float, float],
    tape: Tape,
) -> None:
    _, purse, position = account
    row, i, reference, payable = what
    wanted, was_cut, had = order.quantity, purse.n_cut, position.quantity
    filled = fill(
        account, bar, (wanted, reference, False, payable),
        (row, order.row, i, order.reason), tape,
    )  # fmt: skip
    left = wanted - filled
    if purse.n_cut > was_cut or abs(left) <= abs(wanted) * DUST:
        order.quantity, order.reserve = 0.0, 0.0
    else:
        order.reserve *= left / wanted
        order.quantity = left
    if filled != 0.0 and had * position.quantity <= 0.0:  # a new position
        enter(position, order, row, reference)
        position.close = reference


@compiled
def enter(position: Any, order: Any, row: int, reference: float) -> None:
    """Begin to count a position's bars, and place its stop and target on the raw open."""
    position.entry_row = row
    position.bars_held = 0
    position.hold = order.hold
    up, down = reference * (1.0 + order.up), reference * (1.0 - order.down)
    if position.quantity > 0.0:
        position.upper, position.lower = up, down
    else:  # a short's target lies below, its stop above
        position.upper = reference * (1.0 + order.down)
        position.lower = reference * (1.0 - order.up)


@compiled
def room(terms: Any, purse: Any, positions: Records, active: Int64) -> float:
    """Money that opening fills may cost now: the cash, and what the gross limit leaves."""
    if math.isinf(terms.max_gross):
        return float(purse.cash)
    invested, gross = 0.0, 0.0
    for a in range(purse.n_active):
        value = positions[active[a]].quantity * positions[active[a]].close
        invested += value
        gross += abs(value)
    left = terms.max_gross * (purse.cash + invested) - gross
    return float(left if terms.margin else min(left, purse.cash))


@compiled
def _next(purse: Any, orders: Records, active: Int64) -> int:
    """The waiting order that is served next."""
    best = -1
    for a in range(purse.n_active):
        i = active[a]
        if orders[i].waits and (best < 0 or orders[i].rank > orders[best].rank):
            best = i
    return best
