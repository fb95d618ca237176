"""Intrabar fills: stop and target of each position, by `market.barriers.touch`; both sides."""

import math
from typing import Any

from touchstone.arrays import Int64
from touchstone.execution.columns import Finer, Market
from touchstone.execution.compiled import compiled, inlined
from touchstone.execution.fills import bar_of, fill, forget_idle, is_halted
from touchstone.execution.records import (
    FINER,
    OPTIMISTIC,
    STOP,
    TARGET,
    Accounts,
    Tape,
)
from touchstone.market.barriers import touch


@inlined
def fill_intrabar(accounts: Accounts, k: int, market: Market, rows: Int64, tape: Tape) -> None:
    """Fill stops and targets, at the open where the bar opens beyond them.

    A stop becomes a market order and is worsened; a target is a resting limit order and is not.
    What the volume does not let through of a stop is a market order for the next open; a target
    goes on resting, beside an order to leave that works already. Nothing is bought any more.
    """
    purse, terms, active = accounts.purse[k], accounts.terms[k], accounts.active[k]
    positions, orders = accounts.positions[k], accounts.orders[k]
    has_filled = False
    for a in range(purse.n_active):
        i = active[a]
        row, position = rows[i], positions[i]
        if row < 0 or position.quantity == 0.0 or is_halted(market, row):
            continue
        is_long, entered = position.quantity > 0.0, position.bars_held == 0
        bar = (market.bars[row, 0], market.bars[row, 1], market.bars[row, 2])
        upper, lower = position.upper, position.lower
        side, reference = touch_of(bar, (upper, lower), is_long, entered)
        if side == 0:
            continue
        if spans(bar, (upper, lower), is_long, entered):
            purse.n_ambiguous += 1
            purse.ambiguous += abs(position.quantity) * (upper - lower)
            if terms.ambiguity == OPTIMISTIC:
                side, reference = 1, upper if is_long else lower
            elif terms.ambiguity == FINER:
                side, reference = _finer_touch(market.finer, row, position, (side, reference))
        reason = STOP if side < 0 else TARGET
        fill(
            (terms, purse, position), bar_of(terms, market, row),
            (-position.quantity, reference, side > 0, math.inf),
            (row, position.entry_row, i, reason), tape,
        )  # fmt: skip
        order = orders[i]
        leaves = order.quantity < 0.0 if is_long else order.quantity > 0.0
        order.quantity, order.reserve = -position.quantity if leaves else 0.0, 0.0
        if side < 0:
            position.rests_until = purse.clock + terms.cool_down
            if position.quantity != 0.0:
                order.quantity, order.row, order.reason = -position.quantity, row, STOP
        has_filled = True
    if has_filled:
        forget_idle(purse, positions, orders, active)


@compiled
def touch_of(
    bar: tuple[float, float, float], bracket: tuple[float, float], is_long: bool, entered: bool
) -> tuple[int, float]:
    """Which of stop (-1) and target (+1) a position meets in a bar, and at what price.

    A short is the long of the mirrored prices. `entered`: at this bar's open.
    """
    (opened, high, low), (upper, lower) = bar, bracket
    if is_long:
        side, price = touch(opened, high, low, upper, lower, entered)
        return side, price
    side, price = touch(-opened, -low, -high, -lower, -upper, entered)
    return side, -price


@compiled
def spans(
    bar: tuple[float, float, float], bracket: tuple[float, float], is_long: bool, entered: bool
) -> bool:
    """Whether a bar meets stop and target, and does not say which first."""
    (opened, high, low), (upper, lower) = bar, bracket
    if not entered and (opened <= lower or opened >= upper):
        return False
    if is_long:
        return low <= lower and high > upper
    return high >= upper and low < lower


@compiled
def _finer_touch(
    finer: Finer, row: int, position: Any, otherwise: tuple[int, float]
) -> tuple[int, float]:
    """The touch in bars of a shorter timeframe; `otherwise` where these do not say."""
    bracket, entered = (position.upper, position.lower), position.bars_held == 0
    begin, end = (finer.first[row], finer.first[row + 1]) if finer.first.size > 0 else (0, 0)
    for f in range(begin, end):
        bar = (finer.open[f], finer.high[f], finer.low[f])
        side, price = touch_of(bar, bracket, position.quantity > 0.0, entered and f == begin)
        if side != 0:
            return side, price
    return otherwise
