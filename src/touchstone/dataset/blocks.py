"""Blocks of time and whom they touch: every fold of k-fold and combinatorial splits at once.

History is cut into blocks of equal length. One pass over the rows says of each which blocks its
interval meets, as one bit a block; consecutive rows that all splits treat alike become one *run*.
A split is then a choice of runs, whatever the number of rows: thousands of splits cost one pass.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Int64
from touchstone.dataset import folds as f
from touchstone.errors import ConfigError

MOST_BLOCKS: Final = 62
"""Bits of an int64 that one block each may take."""
_NONE, _TRAIN, _VALIDATE, _TEST = range(4)


class Runs(NamedTuple):
    """Rows of the panel as half-open ranges, rising, (n_runs,)."""

    first: Int64
    stop: Int64

    @property
    def size(self) -> int:
        """How many rows."""
        return int((self.stop - self.first).sum())

    def rows(self) -> Int64:
        """Every row, (size,)."""
        return np.asarray(_rows(self.first, self.stop, self.size), np.int64)


class Parts(NamedTuple):
    """One split."""

    train: Runs
    validate: Runs
    test: Runs
    purged_train: int
    purged_validate: int


class Blocks(NamedTuple):
    """Runs of all rows, each (n_runs,), and the bounds of the blocks."""

    runs: Runs
    block: Int64
    """The block that a run's rows are decided in; -1 outside of all."""
    meets: Int64
    """Bit b is set where the rows' intervals meet block b, its embargo included; their own is."""
    usable: Bool
    """Rows with a window and a label."""
    has_window: Bool
    edges: Int64
    """ns UTC, (n_blocks + 1,): a row belongs to block b where edges[b] < known <= edges[b + 1]."""

    @property
    def n_blocks(self) -> int:
        """How many blocks."""
        return self.edges.size - 1

    def split(self, test: Iterable[int], validate: int | None = None) -> Parts:
        """Test on some blocks, validate on one, train on the others, purged and embargoed.

        A train row is dropped whose interval meets a test or the validation block's, a validation
        row whose interval meets a test block's. A block reaches from the first bar that a window
        of its rows may read, whoever goes on into it, to the last exit, and on over the embargo:
        rows after it begin behind that.

        Args:
            test: blocks that compare.
            validate: the block that chooses, or None for none.
        """
        tested = sum(1 << int(b) for b in set(test))
        chooses = 0 if validate is None else 1 << int(validate)
        part, purged_train, purged_validate = _parts(self, tested, chooses)
        train, validated, compared = (self._where(part == p) for p in (_TRAIN, _VALIDATE, _TEST))
        return Parts(train, validated, compared, purged_train, purged_validate)

    def stretches(self, which: Iterable[int]) -> tuple[tuple[int, int], ...]:
        """Times of some blocks, ns UTC, neighbours joined."""
        joined: list[tuple[int, int]] = []
        for b in sorted(which):
            start, end = int(self.edges[b]), int(self.edges[b + 1])
            if joined and joined[-1][1] == start:
                start = joined.pop()[0]
            joined.append((start, end))
        return tuple(joined)

    def _where(self, chosen: Bool) -> Runs:
        return Runs(self.runs.first[chosen], self.runs.stop[chosen])


def blocks(timeline: f.Timeline, edges: Int64, embargo: int | None = None) -> Blocks:
    """Cut rows into blocks of time and find what their intervals meet.

    Args:
        timeline: when each row is decided and what it reaches over, in any order of rows; runs
            are few where an instrument's rows stand together and rise in time.
        edges: bounds of the blocks, ns UTC, rising, (n_blocks + 1,).
        embargo: ns of trading time that a block reaches on behind its last exit; the timeline's
            own where None.

    Raises:
        ConfigError: more than `MOST_BLOCKS` blocks.

    Source: López de Prado (2018), Advances in Financial Machine Learning, sections 7.4.1 and
    7.4.2, by intervals of whole samples (window and label) instead of labels alone.
    """
    n_blocks = edges.size - 1
    if n_blocks > MOST_BLOCKS:
        raise ConfigError(f"{n_blocks} blocks of time, at most {MOST_BLOCKS}: ask for fewer")
    reach = timeline.embargo if embargo is None else embargo
    known, begin, last = timeline.known, timeline.begin, timeline.end
    first_read, last_exit = _hulls(known, begin, last, timeline.has_label, edges)
    held = last_exit > first_read
    carried = np.array([timeline.first_read(int(edge)) for edge in edges[:-1]], np.int64)
    first_read[held] = np.minimum(first_read, carried)[held]
    last_exit[held] = timeline.calendar.later(last_exit[held], reach)
    has = timeline.has_window, timeline.has_label
    first, block, meets, usable, has_window = _runs(
        (known, begin, last), has, edges, first_read, last_exit
    )
    stop = np.append(first[1:], known.size) if first.size else first
    return Blocks(Runs(first, stop), block, meets, usable, has_window, edges)


def even_edges(start: int, end: int, n_blocks: int) -> Int64:
    """Bounds of blocks of equal length, ns UTC, (n_blocks + 1,)."""
    # Python's integers: a century of nanoseconds times the number of blocks is no int64.
    return np.array([start + b * (end - start) // n_blocks for b in range(n_blocks + 1)], np.int64)


def cut(whole: Blocks, test: Iterable[int], bare: Blocks | None = None) -> f.Fold:
    """A fold that tests on some blocks, validates on the latest of the others, trains on the rest.

    Its spans are the outermost bounds of each part; `stretches` says where they really lie.
    `bare` are the same blocks without an embargo, to tell what it alone keeps away.
    """
    tested = sorted(set(test))
    others = [b for b in range(whole.n_blocks) if b not in tested]
    validate, trained = others[-1], others[:-1]
    parts = whole.split(tested, validate)
    stretches = f.Stretches(*(whole.stretches(p) for p in (trained, [validate], tested)))
    spans = f.Spans(*(bound for part in stretches for bound in (part[0][0], part[-1][1])))
    return f.Fold(
        parts.train.rows(),
        parts.validate.rows(),
        parts.test.rows(),
        spans,
        parts.purged_train,
        parts.purged_validate,
        stretches,
        0 if bare is None else parts.purged_train - bare.split(tested, validate).purged_train,
    )


class Plan(NamedTuple):
    """What a split by blocks asks for."""

    n_blocks: int
    tests: tuple[tuple[int, ...], ...]
    """Which blocks each fold tests on."""
    sealed: str
    """A share of all time, or calendar time."""
    embargo: str | None
    """Trading time; None for the timeline's own."""
    key: str
    """The setting that says how many blocks there are."""


def cut_all(plan: Plan, timeline: f.Timeline) -> f.Folds:
    """Every fold of a plan, and the final one: all blocks but the last train, the last validates.

    Raises:
        TooFewBarsError: no time before the seal, or a part of a fold has no rows.
    """
    start, seal, last = f.history(timeline, plan.sealed)
    edges = even_edges(start, seal, plan.n_blocks)
    embargo = None if plan.embargo is None else f.duration_ns(plan.embargo)
    whole, bare = blocks(timeline, edges, embargo), blocks(timeline, edges, 0)
    remedy = f"ask for fewer `{plan.key}`, lower `sealed`, or shorten lookback and horizon"
    fitted = []
    for i, test in enumerate(plan.tests):
        name = f"fold {i + 1} of {len(plan.tests)}"
        fold = _known_by(cut(whole, test, bare), timeline, seal)
        fitted.append(f.checked(fold, name, remedy=remedy))
    validate = int(edges[-2])
    final = f.cut(timeline, f.Spans(start, validate, validate, seal, seal, last))
    sealed = last > seal
    return f.Folds(tuple(fitted), f.checked(final, "final", sealed=sealed, remedy=remedy), seal)


def _known_by(fold: f.Fold, timeline: f.Timeline, seal: int) -> f.Fold:
    """The fold without rows whose label ends behind the seal: nobody before it knows them."""
    train, validate = (rows[timeline.end[rows] <= seal] for rows in (fold.train, fold.validate))
    return fold._replace(
        train=train,
        validate=validate,
        purged_train=fold.purged_train + fold.train.size - train.size,
        purged_validate=fold.purged_validate + fold.validate.size - validate.size,
    )


@njit(cache=True)
def _hulls(
    known: Int64, begin: Int64, end: Int64, has_label: Bool, edges: Int64
) -> tuple[Int64, Int64]:
    """First window bar and last exit of each block's rows, (n_blocks,); crossed if it is empty."""
    n_blocks = edges.size - 1
    nothing = np.iinfo(np.int64)
    first_read, last_exit = np.full(n_blocks, nothing.max), np.full(n_blocks, nothing.min)
    b, low, high = 0, nothing.max, nothing.min
    start, stop = edges[0], edges[1]
    for i in range(known.size):
        if not start < known[i] <= stop:
            if b >= 0:
                first_read[b], last_exit[b] = min(first_read[b], low), max(last_exit[b], high)
            b = _block(known[i], edges)
            start, stop = edges[b], edges[b + 1]
            low, high = nothing.max, nothing.min
            if b < 0:
                start, stop = known[i] - 1, known[i]
        low = min(low, begin[i])
        high = max(high, end[i] if has_label[i] else known[i])
    if b >= 0:
        first_read[b], last_exit[b] = min(first_read[b], low), max(last_exit[b], high)
    return first_read, last_exit


@njit(cache=True)
def _block(known: int, edges: Int64) -> int:
    """The block in which a row is decided; -1 outside of all."""
    if not edges[0] < known <= edges[-1]:
        return -1
    return int(np.searchsorted(edges, known)) - 1


@njit(cache=True)
def _runs(
    times: tuple[Int64, Int64, Int64],
    has: tuple[Bool, Bool],
    edges: Int64,
    first_read: Int64,
    last_exit: Int64,
) -> tuple[Int64, Int64, Int64, Bool, Bool]:
    """Where runs begin, their block, the blocks they meet, and what their rows have."""
    known, begin, end = times
    has_window, has_label = has
    n_rows, n_blocks = known.size, edges.size - 1
    quiet_from, quiet_to = _quiet(first_read, last_exit)
    first, block = np.empty(n_rows, np.int64), np.empty(n_rows, np.int64)
    meets = np.empty(n_rows, np.int64)
    usable, windowed = np.empty(n_rows, np.bool_), np.empty(n_rows, np.bool_)
    n, b = 0, -1
    start, stop, since, until = 0, 0, 0, 0
    seen_mask, seen_window, seen_usable = np.int64(-1), False, False
    for i in range(n_rows):
        if not start < known[i] <= stop:
            b = _block(known[i], edges)
            start, stop = known[i] - 1, known[i]
            if b >= 0:
                start, stop = edges[b], edges[b + 1]
                since, until = quiet_from[b], quiet_to[b]
        mask = np.int64(0)
        if b >= 0:
            mask = np.int64(1) << b
            last = end[i] if has_label[i] else known[i]
            if begin[i] < since or last > until:
                for other in range(n_blocks):
                    if begin[i] < last_exit[other] and first_read[other] < last:
                        mask |= np.int64(1) << other
        window, whole = has_window[i], has_window[i] and has_label[i]
        alike = mask == seen_mask and window == seen_window and whole == seen_usable
        if alike and block[n - 1] == b:
            continue
        first[n], block[n], meets[n], usable[n], windowed[n] = i, b, mask, whole, window
        seen_mask, seen_window, seen_usable = mask, window, whole
        n += 1
    return (
        first[:n].copy(),
        block[:n].copy(),
        meets[:n].copy(),
        usable[:n].copy(),
        windowed[:n].copy(),
    )


@njit(cache=True)
def _parts(blocks: Blocks, tested: int, chooses: int) -> tuple[Int64, int, int]:
    """The part that each run belongs to, (n_runs,), and how many rows were purged."""
    part = np.zeros(blocks.block.size, np.int64)
    purged_train, purged_validate = 0, 0
    for r in range(part.size):
        if blocks.block[r] < 0:
            continue
        own, meets = 1 << blocks.block[r], blocks.meets[r]
        n_rows = blocks.runs.stop[r] - blocks.runs.first[r]
        if own & tested:
            part[r] = _TEST if blocks.has_window[r] else _NONE
        elif not blocks.usable[r]:
            part[r] = _NONE
        elif own & chooses:
            part[r] = _NONE if meets & tested else _VALIDATE
            purged_validate += n_rows if meets & tested else 0
        elif meets & (tested | chooses):
            purged_train += n_rows
        else:
            part[r] = _TRAIN
    return part, purged_train, purged_validate


@njit(cache=True)
def _quiet(first_read: Int64, last_exit: Int64) -> tuple[Int64, Int64]:
    """Between what times an interval of a block's row meets no other block, (n_blocks,)."""
    n_blocks = first_read.size
    since = np.full(n_blocks, np.iinfo(np.int64).min)
    until = np.full(n_blocks, np.iinfo(np.int64).max)
    for b in range(1, n_blocks):
        since[b] = max(since[b - 1], last_exit[b - 1])
        until[n_blocks - 1 - b] = min(until[n_blocks - b], first_read[n_blocks - b])
    return since, until


@njit(cache=True)
def _rows(first: Int64, stop: Int64, size: int) -> Int64:
    out = np.empty(size, np.int64)
    n = 0
    for r in range(first.size):
        for i in range(first[r], stop[r]):
            out[n] = i
            n += 1
    return out
