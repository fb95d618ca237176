"""The kernel's drivers over history: accounts, bar after bar, and the path of one written down."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.execution.columns import Events, Finer, Given, Market, Weights, Wishes, World
from touchstone.execution.compiled import compiled
from touchstone.execution.given import take_orders
from touchstone.execution.kernel import advance, trade
from touchstone.execution.prefetch import prefetch_wishes
from touchstone.execution.records import Accounts, Tape
from touchstone.execution.refusals import refuse_events, refuse_orders
from touchstone.execution.targets import order_weights
from touchstone.market import Panel

NO_FINER = Finer(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
NO_EVENTS = Events(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0))


class Path(NamedTuple):
    """An account after each bar; all (n_times,)."""

    cash: Float64
    invested: Float64
    """Positions at their last known closes; shorts count below 0."""
    n_held: Int64
    """Positions held at the close."""
    gross: Float64
    """Positions at their last known closes, shorts above 0."""


class Timeline(NamedTuple):
    """A panel as the kernel walks it: instruments in the order of their symbols."""

    time: Int64
    """(n_times,)"""
    day: Int64
    """The calendar's day of each time, (n_times,)."""
    rows: Int64
    """Row of the panel or -1, (n_times, n_instruments)."""
    world: World
    place: Int64
    """Each of the panel's instruments' place among those, (n_instruments,)."""


def timeline(panel: Panel, events: Events = NO_EVENTS) -> Timeline:
    """The panel's columns and its time-major rows, instruments sorted by symbol.

    `events` number the instruments in that order.

    Raises:
        BarsError: an event of no instrument, of no kind, or without a sound value.
    """
    blocks = panel.blocks()
    refuse_events(events, blocks.time.size, panel.n_instruments)
    order = sorted(range(panel.n_instruments), key=panel.symbols.__getitem__)
    is_sorted = order == list(range(panel.n_instruments))
    rows = blocks.row if is_sorted else np.ascontiguousarray(blocks.row[:, order])
    none = np.zeros(0)
    market = Market(
        panel.wide, none, none,
        np.zeros(0, np.bool_), np.zeros(0, np.int64), NO_FINER,
    )  # fmt: skip
    place = np.argsort(order).astype(np.int64)
    day = np.asarray(panel.calendar.day(blocks.time), np.int64)
    return Timeline(blocks.time, day, rows, World(market, events), place)


def path(n_times: int) -> Path:
    """An empty path of this length."""
    return Path(
        np.zeros(n_times), np.zeros(n_times), np.zeros(n_times, np.int64), np.zeros(n_times)
    )


def replay(account: Accounts, line: Timeline, wishes: Wishes, tape: Tape) -> Path:
    """Take the first of `accounts` through a history; it carries on from the state it is in."""
    written = path(line.time.size)
    walk((account, 0), line, wishes, (tape, written))
    return written


def follow_weights(account: Accounts, line: Timeline, weights: Weights, tape: Tape) -> Path:
    """The same towards weights of equity."""
    written = path(line.time.size)
    _walk_weights((account, 0), line, weights, (tape, written))
    return written


def follow_orders(account: Accounts, line: Timeline, given: Given, tape: Tape) -> Path:
    """The same with orders from outside; `account` needs room for those that work at once.

    Raises:
        ConfigError: an order that no account can take, by its number.
    """
    refuse_orders(account, line.rows, line.world.market.bars.shape[0], given)
    written = path(line.time.size)
    _walk_orders((account, 0), line, given, (tape, written))
    return written


@compiled
def walk(
    account: tuple[Accounts, int], line: Timeline, wishes: Wishes, out: tuple[Tape, Path]
) -> None:
    """`replay` inside numba: `account` is (accounts, which), `out` the tape and the path."""
    accounts, k = account
    tape, written = out
    for t in range(line.rows.shape[0]):
        prefetch_wishes(line.world.market, wishes, t + 1)
        now = (line.rows[t], t, line.time[t], line.day[t])
        advance(accounts, k, line.world, now, wishes, tape)
        note(accounts, k, t, written)


@compiled
def _walk_weights(
    account: tuple[Accounts, int], line: Timeline, weights: Weights, out: tuple[Tape, Path]
) -> None:
    accounts, k = account
    tape, written = out
    for t in range(line.rows.shape[0]):
        trade(accounts, k, line.world, (line.rows[t], t, line.time[t], line.day[t]), tape)
        order_weights(accounts, k, line.world.market, (line.rows[t], t), weights)
        note(accounts, k, t, written)


@compiled
def _walk_orders(
    account: tuple[Accounts, int], line: Timeline, given: Given, out: tuple[Tape, Path]
) -> None:
    accounts, k = account
    tape, written = out
    for t in range(line.rows.shape[0]):
        trade(accounts, k, line.world, (line.rows[t], t, line.time[t], line.day[t]), tape)
        take_orders(accounts, k, line.world.market, (line.rows[t], t), given)
        note(accounts, k, t, written)


@compiled
def note(accounts: Accounts, k: int, t: int, written: Path) -> None:
    """Write down account `k` after bar `t`."""
    purse = accounts.purse[k]
    written.cash[t] = purse.cash
    written.invested[t] = purse.invested
    held = 0
    for a in range(purse.n_active):
        held += accounts.positions[k, accounts.active[k, a]].quantity != 0.0
    written.n_held[t] = held
    written.gross[t] = purse.gross
