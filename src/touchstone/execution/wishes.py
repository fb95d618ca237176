"""The decision of a strategy that wishes: leave what is due or unwished, enter by rank."""

import math

from touchstone.arrays import Int64
from touchstone.execution.columns import Market, Wishes
from touchstone.execution.compiled import compiled, inlined
from touchstone.execution.fills import DUST, activate, bar_of, impact_of, is_idle, units
from touchstone.execution.prefetch import prefetch
from touchstone.execution.records import ENTRY, LIMIT, PROBABILITY, TIME, Accounts


@inlined
def order_exits(accounts: Accounts, k: int, rows: Int64, wishes: Wishes) -> None:
    """Order out of what was held long enough, or is no longer wished; time is named first.

    An account at a loss limit orders out of everything.
    """
    positions, orders, active = accounts.positions[k], accounts.orders[k], accounts.active[k]
    level, is_latched = accounts.terms[k].exit_level, accounts.purse[k].latch > 0
    for a in range(accounts.purse[k].n_active):
        row, position, order = rows[active[a]], positions[active[a]], orders[active[a]]
        if is_latched:
            if position.quantity == 0.0:
                order.quantity, order.reserve = 0.0, 0.0  # what was not bought yet is not wished
            elif row < 0:
                row = position.row  # it waits for a bar to leave at
        if row < 0 or position.quantity == 0.0 or position.quantity * order.quantity < 0.0:
            continue
        is_due = position.bars_held >= position.hold
        told = wishes.stay
        if position.quantity < 0.0 and wishes.cover.size > 0:
            told = wishes.cover
        is_unwished = told.size > 0 and told[row] <= level
        prefetch(told, row + 4)
        is_unwished = is_unwished and position.bars_held >= wishes.min_hold[0]
        if is_due or is_latched or is_unwished:
            order.quantity = -position.quantity
            order.reserve = 0.0
            order.row = row
            order.reason = TIME if is_due else LIMIT if is_latched else PROBABILITY


@inlined
def order_entries(accounts: Accounts, k: int, market: Market, t: int, wishes: Wishes) -> None:
    """Order into free slots by rank, then symbol, as far as the money reaches.

    The money is the cash and the expected proceeds of working sales, less the reserves of
    working entries; with a margin account, what the gross limit leaves of equity. A wish
    reserves last close x quantity x (1 + all cost rates), or is cut to what is left, and to
    the limits of one instrument and of its group.
    """
    first, end = wishes.first[t], wishes.first[t + 1]
    purse, terms = accounts.purse[k], accounts.terms[k]
    if first == end or purse.latch > 0 or wishes.rank[first] < terms.entry_level:
        return
    positions, orders = accounts.positions[k], accounts.orders[k]
    free, money = _slots_and_money(accounts, k)
    for w in range(first, end):
        row, i = wishes.row[w], wishes.instrument[w]
        if free <= 0 or wishes.rank[w] < terms.entry_level:
            break
        position, order = positions[i], orders[i]
        if not is_idle(position, order) or position.rests_until > purse.clock:
            continue
        if money <= purse.equity * DUST:
            purse.n_rejected += 1
            continue
        close = market.bars[row, 3]
        value = wishes.weight[min(w, wishes.weight.size - 1)] * terms.scale * purse.equity
        if terms.max_weight < 1.0 or market.group.size > 0:
            value = min(value, _limit(accounts, k, market, i))
        volume, _, worsening, sigma = bar_of(terms, market, row)
        dearer = 1.0 + terms.commission + worsening
        dearer += terms.per_unit / close + impact_of(terms, volume, sigma, value / close)
        quantity = units(terms, min(value / close, money / (close * dearer)))
        if quantity <= 0.0:
            purse.n_rejected += 1
            continue
        side = wishes.side[min(w, wishes.side.size - 1)]
        order.quantity = side * quantity
        order.reserve = close * quantity * dearer
        order.row = row
        order.rank = wishes.rank[w]
        order.up = wishes.up[min(w, wishes.up.size - 1)]
        order.down = wishes.down[min(w, wishes.down.size - 1)]
        order.hold = wishes.hold[min(w, wishes.hold.size - 1)]
        order.reason = ENTRY
        activate(accounts.active[k], purse, i)
        money -= order.reserve
        free -= 1


@compiled
def _slots_and_money(accounts: Accounts, k: int) -> tuple[int, float]:
    """Slots neither held for longer nor ordered, and the money that new wishes may reserve."""
    purse, terms, active = accounts.purse[k], accounts.terms[k], accounts.active[k]
    positions, orders = accounts.positions[k], accounts.orders[k]
    free, money = terms.max_positions, purse.cash
    gross_room = math.inf
    if not math.isinf(terms.max_gross):
        gross_room = terms.max_gross * purse.equity - purse.gross
    left_of_a_sale = 1.0 - terms.commission - terms.worsening
    for a in range(purse.n_active):
        position, order = positions[active[a]], orders[active[a]]
        if order.quantity * position.quantity < 0.0:
            value = abs(order.quantity) * position.close
            money += value * left_of_a_sale
            gross_room += value
            # a sale in parts keeps its slot until the last of them
            free -= abs(order.quantity) < abs(position.quantity)
        else:
            free -= 1
            if order.quantity != 0.0:
                money -= order.reserve
                gross_room -= order.reserve
    return free, gross_room if terms.margin else min(money, gross_room)


@compiled
def _limit(accounts: Accounts, k: int, market: Market, i: int) -> float:
    """Value that the limits of one instrument and of its group leave for a new position.

    What is on its way out takes up no room; what is on its way in does, with its reserve.
    """
    purse, terms, active = accounts.purse[k], accounts.terms[k], accounts.active[k]
    left = terms.max_weight * purse.equity
    if market.group.size == 0:
        return float(left)
    held = 0.0
    for a in range(purse.n_active):
        j = active[a]
        if market.group[j] == market.group[i]:
            position, order = accounts.positions[k, j], accounts.orders[k, j]
            if position.quantity == 0.0:
                held += order.reserve
            else:
                held += abs(position.quantity + order.quantity) * position.close
    return float(max(0.0, min(left, terms.max_group * purse.equity - held)))
