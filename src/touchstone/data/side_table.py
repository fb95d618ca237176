"""A bitemporal table: what was the case, when it became known, and what was known at any time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int32, Int64
from touchstone.data.faults import utc
from touchstone.errors import DataError
from touchstone.market import Panel


class Track(NamedTuple):
    """What a reader who always looks up the newest figure saw over time, subject by subject."""

    symbols: tuple[str, ...] | None
    """Instruments spoken of; None where every row speaks of the whole market."""
    offsets: Int64
    """Rows of subject i are offsets[i] .. offsets[i + 1] - 1, (n_subjects + 1,)."""
    knowledge_time: Int64
    """From when on the row is what is seen, not falling within a subject, ns UTC."""
    event_time: Int64
    """What the figure speaks of, not falling within a subject, ns UTC."""
    value: Float64


class Known(NamedTuple):
    """A figure as it was known at the close of every row of a panel, (n_rows,) each."""

    value: Float64
    """NaN where nothing was known, or only what was too old."""
    age_ns: Float64
    """Time from the event to the row's close, ns; NaN where the value is."""


@dataclass(frozen=True)
class SideTable:
    """Figures with two times each, in the order in which they became known.

    A row says: of `symbol`, at `event_time`, the value was this, and nobody could know it before
    `knowledge_time`. A revision is one more row of the same event, known later; nothing is ever
    replaced, so what was known at any time stays what it was. Times are int64 ns UTC, values
    float64, NaN for an empty cell, which says nothing. All (n_rows,). Build it with `of`.
    """

    symbols: tuple[str, ...] | None
    """Instruments spoken of; None where every row speaks of the whole market."""
    subject: Int32
    """Place of the row's instrument in `symbols`; 0 throughout for the market."""
    event_time: Int64
    knowledge_time: Int64
    values: Mapping[str, Float64] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        event_time: Int64,
        knowledge_time: Int64,
        values: Mapping[str, Float64],
        symbol: "np.ndarray[tuple[int], np.dtype[np.str_]] | None" = None,
    ) -> "SideTable":
        """Rows in any order -> a table.

        Args:
            event_time: what each row speaks of, ns UTC, (n_rows,).
            knowledge_time: from when it could be known, ns UTC, (n_rows,).
            values: columns by name, (n_rows,) each.
            symbol: of which instrument, (n_rows,) text; None: of the whole market.

        Raises:
            DataError: lengths differ, a value is infinite, a row was known before it happened,
                or one moment knows two different figures of one event.
        """
        columns = {name: np.asarray(column, np.float64) for name, column in values.items()}
        shapes = {np.shape(c) for c in (event_time, knowledge_time, *columns.values())}
        if symbol is not None:
            shapes.add(np.shape(symbol))
        if len(shapes) > 1:
            raise DataError(f"columns of a side table differ in length: {sorted(shapes)}")
        names: tuple[str, ...] | None = None
        if symbol is None:
            subject = np.zeros(event_time.size, np.int32)
        else:
            unique, inverse = np.unique(symbol, return_inverse=True)
            names, subject = tuple(str(s) for s in unique), inverse.astype(np.int32)
        return cls._ordered(names, subject, (event_time, knowledge_time), columns)

    def __len__(self) -> int:
        return self.event_time.size

    def as_of(self, time: int) -> "SideTable":
        """The rows known at or before `time` (ns UTC): the table as it stood then."""
        n = int(np.searchsorted(self.knowledge_time, time, side="right"))
        return SideTable(
            self.symbols,
            self.subject[:n],
            self.event_time[:n],
            self.knowledge_time[:n],
            {name: column[:n] for name, column in self.values.items()},
        )

    def append(self, more: "SideTable") -> "SideTable":
        """This table and what was learnt since; rows that it holds already are passed over.

        Raises:
            DataError: other columns or subjects of another sort; or a new row that claims to have
                been known no later than what is held of its instrument: that would fill the past
                in with what nobody knew then.
        """
        if set(more.values) != set(self.values) or (more.symbols is None) != (self.symbols is None):
            raise DataError(
                f"a table of {_sort(self)} cannot take rows of {_sort(more)}: keep them apart"
            )
        names = tuple(sorted({*self._subjects, *more._subjects}))
        subject = [t._subject_in(names) for t in (self, more)]
        since = (
            int(np.searchsorted(self.knowledge_time, more.knowledge_time[0])) if len(more) else 0
        )
        held = self._keys(subject[0])[since:]  # no row known before can be one of the new
        keys = np.concatenate([held, more._keys(subject[1])])
        first = np.unique(keys, axis=0, return_index=True)[1]  # of equal rows, the one held
        fresh = np.zeros(len(more), bool)
        fresh[first[first >= len(held)] - len(held)] = True
        self._refuse_past(more, fresh)
        joined = {n: np.r_[column, more.values[n][fresh]] for n, column in self.values.items()}
        times = (
            np.r_[self.event_time, more.event_time[fresh]],
            np.r_[self.knowledge_time, more.knowledge_time[fresh]],
        )
        return self._ordered(
            None if self.symbols is None else names,
            np.r_[subject[0], subject[1][fresh]],
            times,
            joined,
        )

    def track(self, column: str) -> Track:
        """The newest event's newest figure over time.

        A late revision of an old event changes nothing here: the newer event is what is looked up.
        """
        rows = np.flatnonzero(~np.isnan(self.values[column]))
        rows = rows[np.argsort(self.subject[rows], kind="stable")]
        rows = rows[_forward(self.subject[rows], self.event_time[rows])]
        n_subjects = len(self._subjects)
        offsets = np.searchsorted(self.subject[rows], np.arange(n_subjects + 1)).astype(np.int64)
        return Track(
            self.symbols,
            offsets,
            self.knowledge_time[rows],
            self.event_time[rows],
            self.values[column][rows],
        )

    @property
    def _subjects(self) -> tuple[str, ...]:
        return ("",) if self.symbols is None else self.symbols

    def _subject_in(self, names: tuple[str, ...]) -> Int32:
        """The rows' instruments as places in `names`, which holds them all."""
        place = {name: i for i, name in enumerate(names)}
        there = np.array([place[s] for s in self._subjects], np.int32)
        return np.asarray(there[self.subject], np.int32)

    def _keys(self, subject: Int32) -> Int64:
        """Everything a row says, as (n_rows, 3 + n_columns) integers."""
        cells = [np.where(np.isnan(c), np.nan, c + 0.0) for _, c in sorted(self.values.items())]
        bits = [c.view(np.int64) for c in cells]
        return np.stack(
            [subject.astype(np.int64), self.event_time, self.knowledge_time, *bits], axis=1
        )

    def _refuse_past(self, more: "SideTable", fresh: Bool) -> None:
        never = np.iinfo(np.int64).min
        ends = np.full(len(self._subjects), never)
        np.maximum.at(ends, self.subject, self.knowledge_time)
        until = dict(zip(self._subjects, ends.tolist(), strict=True))
        names = more._subjects
        last = np.array([until.get(name, never) for name in names], np.int64)[more.subject]
        past = fresh & (more.knowledge_time <= last)
        if past.any():
            i = int(past.argmax())
            raise DataError(
                f"{names[more.subject[i]] or 'the market'}: a new row of "
                f"{utc(more.event_time[i])} says it was known at {utc(more.knowledge_time[i])}, "
                f"but the table goes until {utc(last[i])} without it: the past is not filled in; "
                "a row learnt later carries a later knowledge_time"
            )

    @classmethod
    def _ordered(
        cls,
        symbols: tuple[str, ...] | None,
        subject: Int32,
        times: tuple[Int64, Int64],
        values: dict[str, Float64],
    ) -> "SideTable":
        order = np.lexsort((subject, *times))
        made = cls(
            symbols,
            np.asarray(subject[order], np.int32),
            np.asarray(times[0][order], np.int64),
            np.asarray(times[1][order], np.int64),
            {name: column[order] for name, column in values.items()},
        )
        return made._checked()

    def _checked(self) -> "SideTable":
        early = self.knowledge_time < self.event_time
        if early.any():
            i = int(early.argmax())
            raise DataError(
                f"a row of {utc(self.event_time[i])} was known at {utc(self.knowledge_time[i])}, "
                f"before it happened ({int(early.sum())} rows in all): a forecast's event_time is "
                "the time it was made"
            )
        for name, column in self.values.items():
            if np.isinf(column).any():
                i = int(np.isinf(column).argmax())
                raise DataError(f"column {name!r}: infinite at {utc(self.event_time[i])}: empty it")
        keys = np.stack([self.knowledge_time, self.event_time, self.subject.astype(np.int64)])
        twice = np.r_[False, (np.diff(keys, axis=1) == 0).all(axis=0)]
        same = np.ones(len(self), bool)
        for column in self.values.values():
            before = np.r_[np.nan, column[:-1]][: column.size]
            same &= (column == before) | (np.isnan(column) & np.isnan(before))
        if (twice & ~same).any():
            i = int((twice & ~same).argmax())
            raise DataError(
                f"two figures of {utc(self.event_time[i])} were both known at "
                f"{utc(self.knowledge_time[i])} and differ: keep the one that was published"
            )
        return self._where(~twice) if twice.any() else self

    def _where(self, keep: Bool) -> "SideTable":
        return SideTable(
            self.symbols,
            self.subject[keep],
            self.event_time[keep],
            self.knowledge_time[keep],
            {name: column[keep] for name, column in self.values.items()},
        )


def last_known(
    symbols: tuple[str, ...] | None, offsets: Int64, knowledge_time: Int64, panel: Panel
) -> Int64:
    """Per row of a panel, the last entry of its instrument that was known at its close.

    Args:
        symbols: instruments of the entries; None: entries about the whole market.
        offsets: entries of subject i are offsets[i] .. offsets[i + 1] - 1.
        knowledge_time: not falling within a subject, ns UTC.
        panel: bars; a row is known, and decided on, at its `available_at`.

    Returns:
        (n_rows,) place of the entry, -1 where none was known. An entry known at the very instant
        of the close counts: the bar itself is known from that instant on, and `Panel.until` says
        so too. A binary search a row: O(n_rows log n_entries).
    """
    at = panel.available_at
    if symbols is None:
        return np.asarray(np.searchsorted(knowledge_time, at, side="right") - 1, np.int64)
    place = {name: i for i, name in enumerate(symbols)}
    out = np.full(len(panel), -1, np.int64)
    for i, symbol in enumerate(panel.symbols):
        if symbol not in place:
            continue
        rows = slice(*panel.offsets[i : i + 2])
        first, last = offsets[place[symbol] : place[symbol] + 2]
        found = np.searchsorted(knowledge_time[first:last], at[rows], side="right") - 1
        out[rows] = np.where(found >= 0, found + first, -1)
    return out


def join(track: Track, panel: Panel, max_age_ns: int) -> Known:
    """A track as of every row's close; a figure whose event lies further back is not known.

    Age counts from the event, not from its release: an old figure that is published again, or
    scored again, is old.
    """
    found = last_known(track.symbols, track.offsets, track.knowledge_time, panel)
    if not track.value.size:
        nothing = np.full(len(panel), np.nan)
        return Known(nothing, nothing.copy())
    at = np.maximum(found, 0)
    age = panel.available_at - track.event_time[at]
    known = (found >= 0) & (age <= max_age_ns)
    return Known(
        np.where(known, track.value[at], np.nan), np.where(known, age.astype(np.float64), np.nan)
    )


@njit(cache=True)
def _forward(subject: Int32, event_time: Int64) -> Bool:
    """Rows (by subject, then knowledge) that speak of no older event than one known before."""
    keep = np.zeros(subject.size, np.bool_)
    newest = np.int64(0)
    for i in range(subject.size):
        if i == 0 or subject[i] != subject[i - 1] or event_time[i] >= newest:
            keep[i] = True
            newest = event_time[i]
    return keep


def _sort(table: SideTable) -> str:
    about = "the market" if table.symbols is None else "instruments"
    return f"{about} with columns {', '.join(sorted(table.values)) or 'none'}"
