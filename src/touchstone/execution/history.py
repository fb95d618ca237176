"""The kernel's driver over history: one account, bar after bar, its path written down."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.execution.account import Accounts, Tape
from touchstone.execution.kernel import Prices, Wishes, advance
from touchstone.market import Panel


class Path(NamedTuple):
    """An account after each bar; all (n_times,)."""

    cash: Float64
    invested: Float64
    """Positions at their last known closes."""
    n_held: Int64
    """Positions held at the close."""


class Timeline(NamedTuple):
    """A panel as the kernel walks it: instruments in the order of their symbols."""

    time: Int64
    """(n_times,)"""
    rows: Int64
    """Row of the panel or -1, (n_times, n_instruments)."""
    prices: Prices
    """(n_rows,) columns."""


def timeline(panel: Panel) -> Timeline:
    """The panel's columns and its time-major rows, instruments sorted by symbol."""
    blocks = panel.blocks()
    order = sorted(range(panel.n_instruments), key=panel.symbols.__getitem__)
    is_sorted = order == list(range(panel.n_instruments))
    rows = blocks.row if is_sorted else np.ascontiguousarray(blocks.row[:, order])
    return Timeline(blocks.time, rows, Prices(panel.open, panel.high, panel.low, panel.close))


def path(n_times: int) -> Path:
    """An empty path of this length."""
    return Path(np.zeros(n_times), np.zeros(n_times), np.zeros(n_times, np.int64))


def replay(account: Accounts, line: Timeline, wishes: Wishes, tape: Tape) -> Path:
    """Take the first of `accounts` through a history; it carries on from the state it is in."""
    written = path(line.time.size)
    walk((account, 0), line.rows, line.prices, wishes, (tape, written))
    return written


@njit(cache=True)
def walk(
    account: tuple[Accounts, int],
    rows: Int64,
    prices: Prices,
    wishes: Wishes,
    out: tuple[Tape, Path],
) -> None:
    """`replay` inside numba: `account` is (accounts, which), `out` the tape and the path."""
    accounts, k = account
    tape, written = out
    for t in range(rows.shape[0]):
        advance(accounts, k, prices, rows[t], wishes, tape)
        note(accounts, k, t, written)


@njit(cache=True)
def note(accounts: Accounts, k: int, t: int, written: Path) -> None:
    """Write down account `k` after bar `t`."""
    purse = accounts.purse[k]
    written.cash[t] = purse.cash
    written.invested[t] = purse.invested
    held = 0
    for a in range(purse.n_active):
        held += accounts.positions[k, accounts.active[k, a]].quantity > 0.0
    written.n_held[t] = held
