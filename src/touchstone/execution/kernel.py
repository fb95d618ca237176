"""THE kernel: one bar of one account. Backtest, environments and the live loop all call it.

`advance` is the order of events inside a bar:

    borrowing        paid for what was short or owed since the last bar's start
    corporate        splits, dividends, delistings of this instant
    opening fills    orders decided at earlier closes; what closes, then by rank, then symbol
    intrabar         stop and target of each position, by `market.barriers.touch`; resting orders
    mark             every position at its last known close
    decision         by one of `wishes`, `targets`, `given`

Instruments are numbered in the order of their symbols, which breaks ties; callers see to that.
Columns are (n_rows,) and `rows` (n_instruments,) says which row each instrument has at this time,
-1 for none: a history passes the panel's columns and a row of its blocks, a live account columns
of the newest bars and 0 .. n - 1.

An instrument without a bar fills nothing, decides nothing and is marked at its last close.
The events are inlined into their driver: handing the state over costs more than most bars' work.
"""

import math
from typing import Any, Final

from touchstone.execution.columns import Market, Now, Wishes, World
from touchstone.execution.compiled import compiled, inlined
from touchstone.execution.corporate import apply_events
from touchstone.execution.given import fill_resting
from touchstone.execution.intrabar import fill_intrabar
from touchstone.execution.opening import fill_opening
from touchstone.execution.prefetch import prefetch
from touchstone.execution.records import Accounts, Tape
from touchstone.execution.wishes import order_entries, order_exits

YEAR_NS: Final = 365 * 86_400_000_000_000
DAY: Final = 1
FOR_GOOD: Final = 2


@inlined
def advance(accounts: Accounts, k: int, world: World, now: Now, wishes: Wishes, tape: Tape) -> None:
    """Take account `k`, which wishes, through one bar. Changes `accounts` and `tape`."""
    trade(accounts, k, world, now, tape)
    order_exits(accounts, k, now[0], wishes)
    order_entries(accounts, k, world.market, now[1], wishes)


@inlined
def trade(accounts: Accounts, k: int, world: World, now: Now, tape: Tape) -> None:
    """A bar but for its decision: events, fills, mark, loss limits."""
    purse, events, rows, t = accounts.purse[k], world.events, now[0], now[1]
    purse.clock += 1
    if purse.gross > purse.invested or purse.cash < 0.0:
        _pay_for_borrowing(purse, accounts.terms[k], now[2])
    if events.first.size > 0 and events.first[t] < events.first[t + 1]:
        apply_events(accounts, k, events, (rows, t), tape)
    fill_opening(accounts, k, world.market, rows, tape)
    fill_intrabar(accounts, k, world.market, rows, tape)
    if purse.n_resting > 0:
        fill_resting(accounts, k, world.market, rows, tape)
    mark(accounts, k, world.market, now)


@inlined
def mark(accounts: Accounts, k: int, market: Market, now: Now) -> None:
    """Value every position at its last known close, and count its bars."""
    purse, terms, active = accounts.purse[k], accounts.terms[k], accounts.active[k]
    rows, _, time, day = now
    if day != purse.day:
        purse.day, purse.day_equity = day, purse.equity
        if purse.latch == DAY:
            purse.latch = 0
    invested, short = 0.0, 0.0
    for a in range(purse.n_active):
        position, row = accounts.positions[k, active[a]], rows[active[a]]
        if position.quantity != 0.0:
            if row >= 0:
                position.close = market.bars[row, 3]
                position.row = row
                position.bars_held += 1
                prefetch(market.bars, row + 3)
            value = position.quantity * position.close
            invested += value
            short += min(value, 0.0)
    purse.time = time
    purse.invested = invested
    purse.gross = invested - 2.0 * short
    purse.equity = purse.cash + invested
    purse.peak = max(purse.peak, purse.equity)
    if purse.equity <= purse.peak * (1.0 - terms.drawdown):
        purse.latch = FOR_GOOD
    elif purse.equity <= purse.day_equity * (1.0 - terms.daily_loss):
        purse.latch = max(purse.latch, DAY)


@compiled
def _pay_for_borrowing(purse: Any, terms: Any, time: int) -> None:
    """From the start of the last bar to that of this one, on what it held at the last close."""
    years = (time - purse.time) / YEAR_NS
    short = (purse.gross - purse.invested) / 2.0
    owed = short * terms.borrow + max(-purse.cash, 0.0) * terms.financing
    paid = owed * years
    if paid > 0.0 and math.isfinite(paid):
        purse.cash -= paid
        purse.financed += paid
