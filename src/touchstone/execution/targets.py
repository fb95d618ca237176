"""The decision of a strategy that names weights: trade towards them, where it is worth it."""

import math
from typing import Any

from touchstone.arrays import Float64, Int64
from touchstone.execution.columns import Market, Weights
from touchstone.execution.compiled import compiled
from touchstone.execution.fills import activate, units
from touchstone.execution.records import FOR_EVER, GIVEN, LIMIT, REBALANCE, Accounts


@compiled
def order_weights(
    accounts: Accounts, k: int, market: Market, now: tuple[Int64, int], weights: Weights
) -> None:
    """Replace the working orders of what is named at this close by ones towards its weights.

    Args:
        accounts, k: whose.
        market: the bars.
        now: the row of each instrument, -1 for none; the place of this time in `weights`.
        weights: named instruments; one without a bar keeps its order.

    An account at a loss limit orders out of everything, named or not.
    """
    rows, t = now
    if accounts.purse[k].latch > 0:
        leave_all(accounts, k, rows)
        return
    for w in range(weights.first[t], weights.first[t + 1]):
        i = weights.instrument[w]
        if rows[i] >= 0:
            _order(accounts, k, market, (rows[i], i), (weights.weight[w], weights.buffer))


@compiled
def order_targets(
    accounts: Accounts, k: int, market: Market, rows: Int64, weight: Float64, buffer: float
) -> None:
    """The same from one weight an instrument.

    Args:
        accounts, k: whose.
        market, rows: the bars of now; an instrument without one keeps its order.
        weight: fraction of equity, below 0 short, (n_instruments,); nan leaves the instrument be.
        buffer: a position whose weight is off by less than this, fraction of equity, is left.
    """
    if accounts.purse[k].latch > 0:
        leave_all(accounts, k, rows)
        return
    for i in range(rows.size):
        if rows[i] >= 0 and not math.isnan(weight[i]):
            _order(accounts, k, market, (rows[i], i), (weight[i], buffer))


@compiled
def leave_all(accounts: Accounts, k: int, rows: Int64) -> None:
    """Order out of every position, and buy nothing any more."""
    positions, orders, active = accounts.positions[k], accounts.orders[k], accounts.active[k]
    for a in range(accounts.purse[k].n_active):
        row, position, order = rows[active[a]], positions[active[a]], orders[active[a]]
        if position.quantity == 0.0:
            order.quantity, order.reserve = 0.0, 0.0
        elif order.quantity != -position.quantity or order.reason == GIVEN:
            row = row if row >= 0 else position.row
            _write(order, (-position.quantity, 0.0, 0.0), row, LIMIT)


@compiled
def _order(
    accounts: Accounts, k: int, market: Market, what: tuple[int, int], wish: tuple[float, float]
) -> None:
    (row, i), (weight, buffer) = what, wish
    purse, terms = accounts.purse[k], accounts.terms[k]
    position, order = accounts.positions[k, i], accounts.orders[k, i]
    order.quantity, order.reserve = 0.0, 0.0
    target = min(max(weight, -terms.max_weight if terms.margin else 0.0), terms.max_weight)
    close = market.bars[row, 3]
    wanted = target * purse.equity / close
    wanted = units(terms, wanted) if wanted >= 0.0 else -units(terms, -wanted)
    change = wanted - position.quantity
    if target != 0.0 and abs(change) * close < buffer * purse.equity:
        return
    more = max(abs(wanted) - abs(position.quantity), 0.0)
    reserve = more * close * (1.0 + terms.commission + terms.worsening)
    _write(order, (change, reserve, abs(weight)), row, REBALANCE)
    if change != 0.0:
        activate(accounts.active[k], purse, i)


@compiled
def _write(order: Any, what: tuple[float, float, float], row: int, reason: int) -> None:
    order.quantity, order.reserve, order.rank = what
    order.row, order.reason = row, reason
    order.up, order.down, order.hold = math.inf, math.inf, FOR_EVER
