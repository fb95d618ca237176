"""One instrument in several timeframes, with where the bars came from; do the timeframes agree?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import BarsError
from touchstone.market.bars import FIELDS, Bars
from touchstone.market.calendar import Calendar
from touchstone.market.timeframe import Timeframe

_DAY_NS: Final = 86_400_000_000_000
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Provenance:
    """Where bars came from: what must be the same for bars to be compared or joined."""

    source: str
    """Vendor or folder: alpaca, parquet."""
    feed: str
    """Which prints they are made of: sip, iex, mid; what the source calls it."""
    adjustment: str
    """View of the prices: raw, split, or all (splits and dividends)."""
    currency: str
    """What prices are in."""
    fetched_at: int
    """When the last of them was fetched, ns UTC."""


class Disagreement(NamedTuple):
    """A coarse bar that is not what its finer bars make."""

    time: int
    """Start of the coarse bar, ns UTC."""
    field: str
    """open, high, low, close or volume."""
    coarse: float
    fine: float
    """What the finer bars make of it."""


class Agreement(NamedTuple):
    """How far a coarser timeframe is what a finer one makes."""

    n_compared: int
    """Coarse bars with a finer bar inside."""
    n_without: int
    """Coarse bars between the first and the last finer bar that have none inside."""
    disagreements: tuple[Disagreement, ...]

    @property
    def share(self) -> float:
        """Share of the compared bars that agree in every field; 1 where none is compared."""
        wrong = len({d.time for d in self.disagreements})
        return 1.0 - wrong / self.n_compared if self.n_compared else 1.0


@dataclass(frozen=True)
class BarSet:
    """The same instrument in several timeframes, of one source, feed, adjustment and currency.

    Raises:
        BarsError: no timeframe, bars of different symbols, or a key that is no timeframe's name.
    """

    calendar: Calendar
    provenance: Provenance
    by_timeframe: Mapping[str, Bars]
    """Timeframe's name -> its bars."""

    def __post_init__(self) -> None:
        symbols = {bars.symbol for bars in self.by_timeframe.values()}
        if len(symbols) != 1:
            raise BarsError(
                f"a set of bars holds one instrument, got {', '.join(sorted(symbols)) or 'none'}"
            )
        for name in self.by_timeframe:
            Timeframe(name)

    @property
    def symbol(self) -> str:
        """Whose bars they are."""
        return next(iter(self.by_timeframe.values())).symbol

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The finest first."""
        return tuple(sorted((Timeframe(n) for n in self.by_timeframe), key=lambda t: t.ns))

    def bars(self, timeframe: str) -> Bars:
        """Bars of one timeframe.

        Raises:
            BarsError: the set has none of it.
        """
        if timeframe not in self.by_timeframe:
            known = ", ".join(t.name for t in self.timeframes)
            raise BarsError(f"{self.symbol}: no bars of {timeframe}: the set has {known}")
        return self.by_timeframe[timeframe]

    def available_at(self, timeframe: str) -> Int64:
        """When each bar of a timeframe is known, ns UTC, (n_bars,)."""
        time = self.bars(timeframe).time
        return self.calendar.available_at(time, Timeframe(timeframe).ns)

    def last_finished(self, fine: str, coarse: str) -> Int64:
        """Row of the last coarse bar that is known at each fine bar's close, -1 if none, (n,)."""
        known = np.searchsorted(self.available_at(coarse), self.available_at(fine), side="right")
        return np.asarray(known - 1, np.int64)

    def agreement(self, fine: str, coarse: str, rounding: float = _ROUNDING) -> Agreement:
        """Compare each coarse bar with the fine bars that start inside it.

        A fine bar belongs to the coarse one that it starts in; to a bar of a day, if it overlaps
        that day's session. Open is the first one's, close the last one's, volume the sum.

        Args:
            fine: the finer timeframe.
            coarse: the coarser one.
            rounding: largest difference that counts as none, as a share of the fine value.

        Raises:
            BarsError: fine is not finer than coarse, or one is not there.
        """
        if Timeframe(fine).ns >= Timeframe(coarse).ns:
            raise BarsError(f"{self.symbol}: {fine} is not finer than {coarse}: swap the two")
        low, high = self.bars(fine), self.bars(coarse)
        place, inside = self._place(low, high, Timeframe(fine), Timeframe(coarse))
        made = _made(low, place[inside], np.flatnonzero(inside))
        if not made.row.size:
            return Agreement(0, 0, ())
        between = made.row[-1] - made.row[0] + 1
        found = []
        for name in FIELDS:
            told, own = getattr(high, name)[made.row], getattr(made, name)
            wrong = np.abs(told - own) > rounding * np.abs(own)
            found += [
                Disagreement(int(high.time[r]), name, float(a), float(b))
                for r, a, b in zip(made.row[wrong], told[wrong], own[wrong], strict=True)
            ]
        found.sort(key=lambda d: (d.time, FIELDS.index(d.field)))
        return Agreement(made.row.size, int(between - made.row.size), tuple(found))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of symbol, calendar, provenance and all bars, 64 hex digits.

        When bars were fetched is no part of what they are.
        """
        told = [getattr(self.provenance, f.name) for f in fields(self.provenance)]
        digest = hashlib.sha256(repr((self.symbol, self.calendar.name, told[:-1])).encode())
        for timeframe in self.timeframes:
            digest.update(timeframe.name.encode())
            bars = self.by_timeframe[timeframe.name]
            for name in ("time", *FIELDS):
                digest.update(np.ascontiguousarray(getattr(bars, name)).data)
        return digest.hexdigest()

    def _place(
        self, fine: Bars, coarse: Bars, of: Timeframe, into: Timeframe
    ) -> tuple[Int64, Bool]:
        """Row of the coarse bar that each fine bar belongs to, and whether there is one."""
        if not len(coarse):
            return np.zeros(len(fine), np.int64), np.zeros(len(fine), bool)
        if into.is_daily:
            key = self.calendar.day(fine.time) * _DAY_NS
            usable = self.calendar.overlaps_session(fine.time, of.ns)
        else:
            key, usable = fine.time, np.ones(len(fine), bool)
        place = np.searchsorted(coarse.time, key, side="right") - 1
        begins = coarse.time[np.maximum(place, 0)]
        return place, usable & (place >= 0) & (key < begins + into.ns)


class _Made(NamedTuple):
    """Coarse bars as their fine bars make them."""

    row: Int64
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64


def _made(fine: Bars, place: Int64, rows: Int64) -> _Made:
    """Fine rows, in time, put together by the coarse row each belongs to."""
    row, first = np.unique(place, return_index=True)
    last = np.r_[first[1:], place.size] - 1
    if not row.size:
        none = np.zeros(0)
        return _Made(row, none, none, none, none, none)
    return _Made(
        row,
        fine.open[rows[first]],
        np.maximum.reduceat(fine.high[rows], first),
        np.minimum.reduceat(fine.low[rows], first),
        fine.close[rows[last]],
        np.add.reduceat(fine.volume[rows], first),
    )
