"""Corporate actions, before anything else happens at their instant."""

import math
from typing import Any

from touchstone.arrays import Int64
from touchstone.execution.columns import Events
from touchstone.execution.compiled import compiled
from touchstone.execution.fills import book, forget_idle, write
from touchstone.execution.records import DELISTED, GIVEN, IN_LIEU, MARKET_ORDER, Accounts, Tape
from touchstone.market.actions import DELISTING, DIVIDEND, SPLIT


@compiled
def apply_events(
    accounts: Accounts, k: int, events: Events, now: tuple[Int64, int], tape: Tape
) -> None:
    """Apply the actions of one instant.

    Splits change quantities, prices and working orders; dividends are credited to holders, and
    paid by who is short; a delisting closes at its recovery of the last price.
    """
    (rows, t), purse, terms = now, accounts.purse[k], accounts.terms[k]
    positions, orders, active = accounts.positions[k], accounts.orders[k], accounts.active[k]
    for e in range(events.first[t], events.first[t + 1]):
        i, kind, value = events.instrument[e], events.kind[e], events.value[e]
        position, order = positions[i], orders[i]
        if kind == DIVIDEND:
            purse.cash += position.quantity * value
            purse.dividends += position.quantity * value
        elif kind == SPLIT:
            _split(position, order, value)
            _split_resting(accounts, k, i, value, terms.whole)
            if terms.whole:
                _pay_in_lieu(purse, position, order, (rows[i], i), tape)
        elif kind == DELISTING:
            _delist(purse, position, order, (i, value), tape)
            _drop_resting(accounts, k, i)
    forget_idle(purse, positions, orders, active)


@compiled
def _split(position: Any, order: Any, ratio: float) -> None:
    position.quantity *= ratio
    position.entry_price /= ratio
    position.upper /= ratio
    position.lower /= ratio
    position.close /= ratio
    order.quantity *= ratio


@compiled
def _split_resting(accounts: Accounts, k: int, i: int, ratio: float, whole: bool) -> None:
    together = 0.0
    for r in range(accounts.purse[k].n_resting):
        one = accounts.resting[k, r]
        if one.instrument == i:
            one.quantity *= ratio
            one.price /= ratio
            if whole:
                one.quantity = math.trunc(one.quantity * (1.0 + 1e-12))
            if one.kind == MARKET_ORDER:
                together += one.quantity
    if accounts.orders[k, i].reason == GIVEN and accounts.orders[k, i].quantity != 0.0:
        accounts.orders[k, i].quantity = together


@compiled
def _pay_in_lieu(purse: Any, position: Any, order: Any, at: tuple[int, int], tape: Tape) -> None:
    """Whole units stay; the fraction is paid in cash at the last price, without costs."""
    whole = math.trunc(position.quantity * (1.0 + 1e-12))
    rest = position.quantity - whole
    row = at[0] if at[0] >= 0 else position.row
    if abs(rest) > 1e-9:
        price = position.close
        book(purse, position, -rest, price, 0.0)
        write(tape, (row, position.entry_row, at[1], IN_LIEU),
              (-rest, price, price, 0.0, whole), (0.0, 0.0, 0.0))  # fmt: skip
    position.quantity = whole
    order.quantity = math.trunc(order.quantity * (1.0 + 1e-12))


@compiled
def _delist(purse: Any, position: Any, order: Any, what: tuple[int, float], tape: Tape) -> None:
    i, recovery = what
    order.quantity, order.reserve = 0.0, 0.0
    if position.quantity == 0.0:
        return
    sold, price = -position.quantity, position.close * recovery
    book(purse, position, sold, price, 0.0)
    write(tape, (position.row, position.entry_row, i, DELISTED),
          (sold, price, price, 0.0, 0.0), (0.0, 0.0, 0.0))  # fmt: skip


@compiled
def _drop_resting(accounts: Accounts, k: int, i: int) -> None:
    n = 0
    for r in range(accounts.purse[k].n_resting):
        if accounts.resting[k, r].instrument != i:
            accounts.resting[k, n] = accounts.resting[k, r]
            n += 1
    accounts.purse[k].n_resting = n
