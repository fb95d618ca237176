"""Raw bars of many instruments side by side, and what every check asks of them, computed once."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.data import grid
from touchstone.data.doubt.robust import grouped_median, local_scale, local_surge
from touchstone.data.faults import utc
from touchstone.data.loading import Reject
from touchstone.data.raw_bars import RawBars
from touchstone.market import Calendar, Panel, Timeframe
from touchstone.market.findings import Finding, Place, Severity

FEWEST: Final = 5
"""Instruments that a cross-section needs before its median says anything."""

_BLOCK: Final = {True: 32, False: 64}  # after a pause, between bars side by side
_NORMAL: Final = 1.4826
SMALLEST: Final = 1e-30
"""No price is smaller, and none larger than one over it: beyond, ratios leave the numbers."""

_CHANCE: Final = 0.01
_STIRRED: Final = 8.0  # robust deviations by which an instrument moves with another


class Clean(NamedTuple):
    """The rows of one instrument that hold possible prices, by time, each time once."""

    at: Int64
    """Row of the `RawBars`, (n_clean,)."""
    time: Int64
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64


class Moves(NamedTuple):
    """How one instrument moves, beside its own habits and the cross-section; (n_clean,) each."""

    step: Float64
    """Log return from close to close, 0 on the first row."""
    opening: Float64
    """Log of open over the close before, 0 on the first row."""
    rested: Bool
    """Whether the market paused before the bar: a night, a weekend, a hole; always for days."""
    scale: Float64
    """Robust standard deviation of `step` around the row, apart for rested rows."""
    z: Float64
    """`step` over `scale`, less what the cross-section did."""
    surge: Float64
    """Log volume above its usual, in robust deviations; 0 where there is no volume."""
    company: Bool
    """Whether more others moved by 8 deviations within a bar of this one than chance explains."""


class Cohort:
    """All instruments of one check.

    Args:
        bars: raw bars, by symbol.
        timeframe: length of a bar.
        calendar: the market's hours.
        now: present time, ns UTC; None: nothing is said about the present.
        unreadable: files that could not be read at all.
    """

    def __init__(
        self,
        bars: Sequence[RawBars],
        timeframe: Timeframe,
        calendar: Calendar,
        now: int | None = None,
        unreadable: Sequence[Reject] = (),
    ) -> None:
        self.bars = tuple(bars)
        self.timeframe, self.calendar, self.now = timeframe, calendar, now
        self.unreadable = tuple(unreadable)

    @classmethod
    def of(cls, panel: Panel, now: int | None = None) -> "Cohort":
        """A panel seen as raw bars; instruments without bars are left out."""
        held = (panel.bars(i) for i in range(panel.n_instruments))
        raw = [RawBars.of(b) for b in held if len(b)]
        return cls(raw, panel.timeframe, panel.calendar, now)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol, readable or not."""
        return tuple(sorted({b.symbol for b in self.bars} | {r.symbol for r in self.unreadable}))

    @cached_property
    def has_volume(self) -> tuple[bool, ...]:
        """Whether each instrument ever has a volume."""
        return tuple(bool((b.volume > 0).any()) for b in self.bars)

    @cached_property
    def clean(self) -> tuple[Clean, ...]:
        """The usable rows of each instrument."""
        return tuple(_clean(b) for b in self.bars)

    @cached_property
    def moves(self) -> tuple[Moves, ...]:
        """How each instrument moves."""
        alone = [_alone(c, self) for c in self.clean]
        return tuple(_among(alone, self.clean, self.timeframe))

    @cached_property
    def anchors(self) -> tuple[grid.Anchor, ...]:
        """What each instrument's bars are counted from."""
        if self.timeframe.is_daily:
            return tuple("utc" for _ in self.bars)
        return tuple(
            grid.anchor_of(c.time, self.calendar, self.timeframe) if c.time.size else "utc"
            for c in self.clean
        )

    @cached_property
    def clocks(self) -> tuple[Int64, ...] | None:
        """Expected starts of bars between each instrument's first and last, (n_expected,).

        None for bars of several sessions: the calendar does not say which of them a bar covers.
        """
        if self.timeframe.ns > grid.DAY_NS and self.calendar.name != "24/7":
            return None
        out = []
        for bars, anchor in zip(self.bars, self.anchors, strict=True):
            if not bars.time.size or bars.off_grid is not None:
                out.append(np.zeros(0, np.int64))
                continue
            first, last = int(bars.time.min()), int(bars.time.max())
            whole = self._whole_clock[anchor]
            out.append(whole[slice(*np.searchsorted(whole, (first, last + 1)))])
        return tuple(out)

    @cached_property
    def _whole_clock(self) -> dict[grid.Anchor, Int64]:
        out: dict[grid.Anchor, Int64] = {}
        for anchor in set(self.anchors):
            times = [
                b.time
                for b, a in zip(self.bars, self.anchors, strict=True)
                if a == anchor and b.time.size and b.off_grid is None
            ]
            if times:
                ends = np.array([min(t.min() for t in times), max(t.max() for t in times)])
                out[anchor] = grid.expected(self.calendar, self.timeframe, anchor, ends)
        return out

    def finding(
        self,
        check: str,
        severity: Severity,
        where: tuple[int, Int64],
        measured: tuple[float, float],
        sentence: str,
    ) -> Finding:
        """A finding about rows of one instrument's raw bars.

        Args:
            check: kind of the check.
            severity: how grave.
            where: (instrument, rows (n_found,) rising).
            measured: (value, threshold).
            sentence: what is said; the symbol and the times are put before it.
        """
        i, rows = where
        place = self.place(i, int(rows[0]), int(rows[-1]))
        symbol = self.bars[i].symbol
        when = utc(place.first) if len(rows) == 1 else f"{utc(place.first)} .. {utc(place.last)}"
        said = f"{symbol}, {when}: {sentence}"
        value, threshold = float(measured[0]), float(measured[1])
        return Finding(symbol, check, severity, place, len(rows), value, threshold, said)

    def place(self, instrument: int, first: int, last: int) -> Place:
        """Rows `first` to `last` of the raw bars as a place."""
        bars = self.bars[instrument]
        return Place(
            int(bars.row[first]), int(bars.row[last]), int(bars.time[first]), int(bars.time[last])
        )


def _clean(bars: RawBars) -> Clean:
    sound = np.isfinite(bars.volume) & (bars.volume >= 0)
    for price in bars.prices:
        sound &= (price >= SMALLEST) & (price <= 1 / SMALLEST)
    at = np.flatnonzero(sound)
    if at.size and (np.diff(bars.time[at]) <= 0).any():
        at = at[np.argsort(bars.time[at], kind="stable")]
        at = at[np.r_[True, np.diff(bars.time[at]) > 0]]
    open_, high, low, close = (p[at] for p in bars.prices)
    return Clean(at, bars.time[at], open_, high, low, close, bars.volume[at])


def _alone(bars: Clean, cohort: Cohort) -> Moves:
    """Moves before anything is known of the others: `z` is still step over scale."""
    n = bars.time.size
    step, opening = np.zeros(n), np.zeros(n)
    step[1:] = np.log(bars.close[1:] / bars.close[:-1])
    opening[1:] = np.log(bars.open[1:] / bars.close[:-1])
    rested = np.ones(n, bool)
    if not cohort.timeframe.is_daily:
        rested[1:] = np.diff(bars.time) > cohort.timeframe.ns
    scale, surge = np.full(n, np.inf), np.zeros(n)
    log_volume = np.log(np.maximum(bars.volume, 1e-12))
    for kind in (True, False):
        mine = np.flatnonzero(rested == kind)
        if mine.size:
            scale[mine] = local_scale(step[mine], _BLOCK[kind])
            if (bars.volume > 0).any():
                surge[mine] = local_surge(log_volume[mine], _BLOCK[kind])
    scale *= np.sqrt(_elapsed(bars.time, cohort))
    return Moves(step, opening, rested, scale, step / scale, surge, np.zeros(n, bool))


def _elapsed(time: Int64, cohort: Cohort) -> Float64:
    """Bars of trading time since the row before, at least 1: a move over a hole may be larger."""
    if time.size < 2:
        return np.ones(time.size)
    daily = cohort.timeframe.is_daily
    bar_ns = cohort.calendar.session_ns * (cohort.timeframe.ns // grid.DAY_NS) if daily else 0
    passed = np.diff(cohort.calendar.trading_time(time)) / (bar_ns or cohort.timeframe.ns)
    return np.asarray(np.maximum(np.r_[1.0, passed], 1.0), np.float64)


def _among(alone: Sequence[Moves], clean: Sequence[Clean], timeframe: Timeframe) -> list[Moves]:
    """Moves less what the cross-section did, and whether another instrument moved too."""
    if not alone:
        return []
    time = np.concatenate([c.time for c in clean])
    z = np.concatenate([m.z for m in alone])
    if not time.size:
        return list(alone)
    every, group = np.unique(time, return_inverse=True)
    group = group.astype(np.int64)
    counts = np.bincount(group)
    middle = np.where(counts >= FEWEST, grouped_median(z, group), 0.0)
    apart = z - middle[group]
    spread = np.where(counts >= FEWEST, _NORMAL * grouped_median(np.abs(apart), group), 1.0)
    apart /= np.maximum(spread, 1.0)[group]
    stirred = np.abs(apart) > _STIRRED
    beside = np.diff(every) <= timeframe.ns
    n_near = _with_neighbours(np.bincount(group, stirred).astype(np.float64), beside)
    by_chance = _with_neighbours(counts.astype(float), beside) * stirred.mean()
    usual = _more_than_chance(by_chance)
    out, ends = [], np.cumsum([c.time.size for c in clean])
    for moves, c, end in zip(alone, clean, ends, strict=True):
        mine = slice(end - c.time.size, end)
        close_by = np.diff(c.time) <= timeframe.ns
        others = n_near[group[mine]] - _with_neighbours(stirred[mine].astype(float), close_by)
        company = others > usual[group[mine]]
        out.append(moves._replace(z=apart[mine], company=company))
    return out


def _with_neighbours(values: Float64, beside: Bool) -> Float64:
    """Each value plus those of the bars before and after, where those lie side by side."""
    total = values.copy()
    total[1:] += np.where(beside, values[:-1], 0.0)
    total[:-1] += np.where(beside, values[1:], 0.0)
    return total


def _more_than_chance(expected: Float64) -> Float64:
    """How many of a Poisson law's events chance rarely (1 %) exceeds."""
    from scipy.special import pdtrc  # noqa: PLC0415

    n = np.zeros_like(expected)
    for k in range(int(expected.max(initial=0)) * 2 + 10):
        n[pdtrc(k, expected) > _CHANCE] = k + 1
    return n
