"""The decision of a strategy that names weights: trade towards them, where it is worth it."""

import math

from touchstone.arrays import Float64, Int64
from touchstone.execution.columns import Market
from touchstone.execution.compiled import compiled
from touchstone.execution.fills import activate, is_idle, units
from touchstone.execution.records import REBALANCE, Accounts


@compiled
def order_targets(
    accounts: Accounts, k: int, market: Market, rows: Int64, weight: Float64, buffer: float
) -> None:
    """Replace every working order by one towards the instrument's weight of equity.

    Args:
        accounts, k: whose.
        market, rows: the bars of now; an instrument without one keeps its order.
        weight: fraction of equity, below 0 short, (n_instruments,); nan leaves the instrument be.
        buffer: a position whose weight is off by less than this, fraction of equity, is left.
    """
    purse, terms = accounts.purse[k], accounts.terms[k]
    dearer = 1.0 + terms.commission + terms.worsening
    for i in range(rows.size):
        row = rows[i]
        if row < 0 or math.isnan(weight[i]):
            continue
        position, order = accounts.positions[k, i], accounts.orders[k, i]
        was_idle = is_idle(position, order)
        order.quantity, order.reserve = 0.0, 0.0
        target = (
            0.0 if purse.latch > 0 else min(max(weight[i], -terms.max_weight), terms.max_weight)
        )
        close = market.bars[row, 3]
        wanted = target * purse.equity / close
        wanted = units(terms, wanted) if wanted >= 0.0 else -units(terms, -wanted)
        change = wanted - position.quantity
        if target != 0.0 and abs(change) * close < buffer * purse.equity:
            continue
        order.quantity = change
        order.row = row
        order.rank = abs(weight[i])
        order.up, order.down = float("inf"), float("inf")
        order.hold = 9223372036854775807
        order.reason = REBALANCE
        if abs(wanted) > abs(position.quantity):
            order.reserve = (abs(wanted) - abs(position.quantity)) * close * dearer
        if was_idle and change != 0.0:
            activate(accounts.active[k], purse, i)
