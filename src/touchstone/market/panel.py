"""Many instruments, ragged: one contiguous column per field, and the time-major view of it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int32, Int64
from touchstone.errors import BarsError
from touchstone.market.bars import FIELDS, Bars
from touchstone.market.calendar import Calendar
from touchstone.market.happened import Happened
from touchstone.market.timeframe import Timeframe


class Blocks(NamedTuple):
    """The time-major view of a panel: which row, if any, each instrument has at each time."""

    time: Int64
    """All times of the panel, rising, (n_times,)."""
    row: Int64
    """Row of the panel, or -1 where the instrument has no bar, (n_times, n_instruments)."""

    @property
    def valid(self) -> Bool:
        """Where a bar exists, (n_times, n_instruments)."""
        return self.row >= 0

    def spread(self, column: Float64, missing: float = np.nan) -> Float64:
        """A column (n_rows,) as (n_times, n_instruments), `missing` where no bar is."""
        return np.where(self.row >= 0, column[np.maximum(self.row, 0)], missing)


@dataclass(frozen=True)
class Panel:
    """Bars of many instruments, rows sorted by (instrument, time).

    Instrument i holds rows offsets[i] .. offsets[i + 1] - 1; `asset_id` of a row is its
    instrument's place in `symbols`. A missing bar is absent, never filled. Side columns are
    already joined as of knowledge time; NaN there means not known. Build it with `from_bars`.
    """

    symbols: tuple[str, ...]
    timeframe: Timeframe
    calendar: Calendar
    offsets: Int64
    time: Int64
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64
    side: Mapping[str, Float64] = field(default_factory=dict)
    member: Bool | None = None
    """Rows of instruments that belonged to the universe then, as was known, (n_rows,); None: all.
    A row outside has a past and an outcome, but is neither learned from nor entered on."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Symbol -> the group that it is reported with; a symbol may have none."""
    happened: Happened | None = None
    """Splits, dividends, halts and delistings that an account meets in these bars; None: none."""
    finer: "Panel | None" = None
    """Bars of a shorter timeframe of the same instruments, for what happened inside a bar."""

    @classmethod
    def from_bars(cls, bars: Sequence[Bars], timeframe: Timeframe, calendar: Calendar) -> "Panel":
        """Bars of distinct symbols -> a panel, in the given order.

        Raises:
            BarsError: no bars at all, or a symbol twice.
        """
        symbols = tuple(b.symbol for b in bars)
        if not bars:
            raise BarsError("a panel needs at least one instrument, got none")
        if len(set(symbols)) < len(symbols):
            twice = next(s for s in symbols if symbols.count(s) > 1)
            raise BarsError(f"{twice}: stands twice in one panel")
        offsets = np.r_[0, np.cumsum([len(b) for b in bars])].astype(np.int64)
        columns: dict[str, Any] = {
            n: np.concatenate([getattr(b, n) for b in bars]) for n in ("time", *FIELDS)
        }
        return cls(symbols, timeframe, calendar, offsets, **columns)

    def __len__(self) -> int:
        return self.time.size

    @property
    def n_instruments(self) -> int:
        """How many instruments."""
        return len(self.symbols)

    def bars(self, instrument: int) -> Bars:
        """One instrument's bars, as views."""
        a, b = self.offsets[instrument : instrument + 2]
        return Bars(
            self.symbols[instrument], self.time[a:b], *(getattr(self, n)[a:b] for n in FIELDS)
        )

    @cached_property
    def asset_id(self) -> Int32:
        """The instrument of each row, (n_rows,)."""
        return np.repeat(np.arange(self.n_instruments, dtype=np.int32), np.diff(self.offsets))

    @cached_property
    def available_at(self) -> Int64:
        """When each row is known, ns UTC, (n_rows,)."""
        return self.calendar.available_at(self.time, self.timeframe.ns)

    @cached_property
    def wide(self) -> Float64:
        """Open, high, low, close and volume beside each other, (n_rows, 5)."""
        return np.column_stack([getattr(self, n) for n in FIELDS])

    @property
    def members(self) -> Bool:
        """`member`, all of them where no universe says otherwise, (n_rows,)."""
        return np.ones(len(self), bool) if self.member is None else self.member

    def blocks(self) -> Blocks:
        """The time-major view, made once."""
        return self._blocks

    @cached_property
    def _blocks(self) -> Blocks:
        time = np.unique(self.time)
        row = np.full((time.size, self.n_instruments), -1, np.int64)
        row[np.searchsorted(time, self.time), self.asset_id] = np.arange(len(self))
        if np.count_nonzero(row >= 0) < len(self):
            self._refuse_twice()
        return Blocks(time, row)

    def _refuse_twice(self) -> None:
        order = np.lexsort((self.time, self.asset_id))
        time, which = self.time[order], self.asset_id[order]
        at = int(order[1:][(np.diff(time) == 0) & (np.diff(which) == 0)][0])
        when = np.datetime64(int(self.time[at]), "ns").astype("datetime64[s]")
        raise BarsError(
            f"{self.symbols[self.asset_id[at]]}: the bar of {when} UTC stands twice (row {at}); "
            "a panel holds one bar an instant: use Panel.from_bars, or drop one of the two"
        )

    def where(self, keep: Bool) -> "Panel":
        """The rows where `keep` (n_rows,) holds; every instrument stays, if need be empty."""
        counts = np.bincount(self.asset_id[keep], minlength=self.n_instruments)
        offsets = np.r_[0, np.cumsum(counts)].astype(np.int64)
        columns: dict[str, Any] = {n: getattr(self, n)[keep] for n in ("time", *FIELDS)}
        side = {name: column[keep] for name, column in self.side.items()}
        member = None if self.member is None else self.member[keep]
        first = self.offsets[:-1][self.asset_id]
        happened = None if self.happened is None else self.happened.where(keep, first)
        changed = {"offsets": offsets, "side": side, "member": member, "happened": happened}
        return replace(self, **changed, **columns)

    def until(self, end: int) -> "Panel":
        """The rows known before or at `end` (ns UTC): what could be seen then."""
        seen = self.where(self.available_at <= end)
        return seen if seen.finer is None else replace(seen, finer=seen.finer.until(end))

    def map_side(self, side: Mapping[str, Float64]) -> "Panel":
        """The same bars with these side columns, each (n_rows,).

        Raises:
            BarsError: a column of another length.
        """
        for name, column in side.items():
            if column.shape != self.time.shape:
                raise BarsError(
                    f"side column {name!r}: shape {column.shape}, the panel's is {self.time.shape}"
                )
        return replace(self, side=dict(side))

    def content_hash(self) -> str:
        """SHA-256 of all that a panel holds, 64 hex digits."""
        noun = (self.symbols, self.timeframe.name, self.calendar.name, sorted(self.side))
        digest = hashlib.sha256(repr(noun).encode())
        columns = [getattr(self, n) for n in ("offsets", "time", *FIELDS)]
        for column in (*columns, *(self.side[name] for name in sorted(self.side))):
            digest.update(np.ascontiguousarray(column).data)
        if self.member is not None:
            digest.update(b"member" + np.packbits(self.member).tobytes())
        if self.groups:
            digest.update(repr(sorted(self.groups.items())).encode())
        if self.happened is not None:
            for name, column in zip(self.happened._fields, self.happened, strict=True):
                digest.update(name.encode() + np.ascontiguousarray(column).tobytes())
        if self.finer is not None:
            digest.update(b"finer" + self.finer.content_hash().encode())
        return digest.hexdigest()

    def per_instrument(self, compute: Callable[[Bars], Float64]) -> Float64:
        """A function of one instrument's bars, (n_bars,), over all instruments, (n_rows,)."""
        return np.concatenate([compute(self.bars(i)) for i in range(self.n_instruments)])
