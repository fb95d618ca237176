"""Whole days exchanged for other days: which row lends its window to which."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Int32, Int64
from touchstone.errors import DataError
from touchstone.explain import Subject

_DAY_NS: Final = 86_400_000_000_000


class DayBlocks(NamedTuple):
    """The days of a fold's rows in blocks, the last of them longer where days are left over."""

    n: int
    """Blocks."""
    n_days: int
    """Days of a block."""
    at: Int64
    """Each row's block, (n_rows,)."""
    day: Int64
    """Its day within the block, (n_rows,)."""
    clock: Int64
    """Nanoseconds of its day that have passed, (n_rows,)."""
    sizes: Int64
    """Days of each block, (n,)."""


def day_blocks(subject: Subject) -> DayBlocks:
    """The blocks in which a feature's values can be moved without tearing apart what overlaps.

    A block is at least a day and as long as a row's window and outcome together, both in days that
    have rows: within it values keep their order, their hour and what they share with neighbours.

    Args:
        subject: rows rising; the blocks are of all its test rows (`test_rows`).

    Raises:
        DataError: no rows, or fewer than two blocks.
    """
    if not subject.rows.size:
        raise DataError(f"{subject.name}: no rows to explain")
    rows, instant = test_rows(subject)
    days, at = np.unique(instant // _DAY_NS, return_inverse=True)
    bars = subject.windows.lookback + subject.horizon
    a_day = _bars_a_day(subject.windows.ids(rows), rows, at.astype(np.int64))
    n_days = max(1, int(np.ceil(bars / a_day)))
    n = days.size // n_days
    if n < 2:
        raise DataError(
            f"{subject.name}: {days.size} days with rows make {n} blocks of {n_days} (a window and "
            f"its outcome span {bars} bars), 2 are needed: lengthen the test or shorten the window"
        )
    block = np.minimum(at // n_days, n - 1).astype(np.int64)
    sizes = np.full(n, n_days, np.int64)
    sizes[-1] = days.size - (n - 1) * n_days
    clock = instant % _DAY_NS
    return DayBlocks(n, n_days, block, (at - block * n_days).astype(np.int64), clock, sizes)


def lenders(blocks: DayBlocks, asset_id: Int32, rng: np.random.Generator) -> Int64:
    """For each row the place of the row whose window it borrows, (n_rows,).

    Blocks change places along one random cycle, the same for all instruments, so that what
    instruments share at one time they go on sharing, and no block keeps its own values: any other
    is as likely. An instrument without rows in a block leaves it out. Within a block a row takes
    the row of its own instrument on the same day of the block and at the same time of the day,
    where there is none the last before it. An instrument with rows in one block alone keeps them.

    Args:
        blocks: of the rows.
        asset_id: (n_rows,), rows of an instrument in order of time.
        rng: draws the cycle.
    """
    key = rng.permutation(blocks.n)
    span = int(blocks.sizes.max()) * _DAY_NS
    moment = blocks.at * span + blocks.day * _DAY_NS + blocks.clock
    out = np.arange(blocks.at.size)
    for asset in np.unique(asset_id):
        own = np.flatnonzero(asset_id == asset)
        there = np.unique(blocks.at[own])
        cycle = there[np.argsort(key[there])]
        source = np.full(blocks.n, -1)
        source[cycle] = np.roll(cycle, -1)
        block = source[blocks.at[own]]
        wanted = block * span + blocks.day[own] % blocks.sizes[block] * _DAY_NS + blocks.clock[own]
        place = np.searchsorted(moment[own], wanted, side="right") - 1
        first = np.searchsorted(blocks.at[own], block, side="left")
        out[own] = own[np.maximum(place, first)]
    return out


def test_rows(subject: Subject) -> tuple[Int64, Int64]:
    """Rows whose values may be borrowed, and when their bars close, (n_test,) each."""
    if subject.test is None or subject.test_instant is None:
        return subject.rows, subject.instant
    if not np.isin(subject.rows, subject.test).all():
        raise DataError(f"{subject.name}: rows are asked about that are none of its test rows")
    return subject.test, subject.test_instant


def _bars_a_day(ids: Int32, rows: Int64, day: Int64) -> float:
    """Bars of the matrix that pass between two days with rows, the mean over instruments."""
    bars, days = 0, 0
    for asset in np.unique(ids):
        own = np.flatnonzero(ids == asset)
        bars += int(rows[own[-1]] - rows[own[0]])
        days += int(day[own[-1]] - day[own[0]])
    return bars / days if bars and days else 1.0
