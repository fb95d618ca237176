"""Longer bars from shorter ones: clock-aligned, cut by sessions, and when each is over."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import BarsError, ConfigError
from touchstone.market.calendar import Calendar
from touchstone.market.panel import Panel
from touchstone.market.timeframe import DAY_NS, Timeframe


class Spans(NamedTuple):
    """The longer bars that shorter ones belong to, any shape."""

    start: Int64
    """Start of the longer bar, ns UTC: its time, and its name."""
    end: Int64
    """When it is over: no bar that belongs to it is known later."""


def spans(time: Int64, timeframe: Timeframe, calendar: Calendar) -> Spans:
    """The bar of a longer timeframe that a bar starting at `time` (ns UTC) belongs to.

    Within a day bars are aligned to the clock (UTC) and end with the session, so that no bar
    reaches over a close. A day is the calendar's trading day: it carries 00:00 UTC of its date
    on an exchange, its first moment elsewhere, and is over when its session closes.
    """
    clock = time // timeframe.ns * timeframe.ns
    if calendar.name == "24/7" or (calendar.name == "FX" and timeframe.ns < DAY_NS):
        return Spans(clock, clock + timeframe.ns)
    before, opened, closes = calendar.session_bounds(time)
    if timeframe.ns >= DAY_NS:
        day = opened if calendar.name == "FX" else calendar.day(time) * DAY_NS
        return Spans(day, closes)
    start, end = np.maximum(clock, before), clock + timeframe.ns
    inside = (start < closes) & (end > opened)
    return Spans(start, np.where(inside, np.minimum(end, closes), end))


def refuse_unless_longer(timeframe: Timeframe, bars: Timeframe) -> None:
    """Raise ConfigError unless one bar of `timeframe` holds a whole number of the others."""
    if timeframe.ns % bars.ns or timeframe.ns > DAY_NS:
        raise ConfigError(
            f"bars of {bars.name} make no bars of {timeframe.name}: needs a whole multiple of "
            f"{bars.name}, 1d at most"
        )


def resample(panel: Panel, timeframe: Timeframe) -> Panel:
    """The panel in longer bars: first open, highest high, lowest low, last close, volume in all.

    A longer bar exists as soon as its first shorter one does, so the last of an instrument may
    still be under way: what counts is `available_at`. A time without bars has none here either.
    A side column carries what was known at the last of the shorter bars.

    Args:
        panel: (n_rows,) bars.
        timeframe: a whole multiple of the panel's, one day at most.

    Raises:
        ConfigError: the timeframe is none of those.
        BarsError: bars of an instrument overlap.
    """
    return last_finished(panel, timeframe)[0]


def last_finished(panel: Panel, timeframe: Timeframe) -> tuple[Panel, Int64]:
    """The panel in longer bars, and for each of its rows the last that was over when it was known.

    Returns:
        The longer bars, as `resample`; and their rows, (n_rows,), -1 where none was over yet.
    """
    refuse_unless_longer(timeframe, panel.timeframe)
    begins_instrument = np.zeros(len(panel), bool)
    begins_instrument[panel.offsets[:-1][np.diff(panel.offsets) > 0]] = True
    _refuse_overlap(panel, begins_instrument)
    start, end = spans(panel.time, timeframe, panel.calendar)
    begins = begins_instrument | np.r_[True, start[1:] != start[:-1]][: len(panel)]
    first = np.flatnonzero(begins)
    last = np.r_[first[1:], len(panel)][: first.size] - 1
    high, low, volume = _fold(first, last, panel.high, panel.low, panel.volume)
    offsets = np.searchsorted(first, panel.offsets).astype(np.int64)
    longer = Panel(
        panel.symbols,
        timeframe,
        panel.calendar,
        offsets,
        start[first],
        panel.open[first],
        high,
        low,
        panel.close[last],
        volume,
        {name: column[last] for name, column in panel.side.items()},
    )
    mine = np.cumsum(begins) - 1
    over = mine - (end > panel.available_at)
    return longer, np.where(over >= offsets[panel.asset_id], over, -1).astype(np.int64)


def _refuse_overlap(panel: Panel, begins_instrument: Bool) -> None:
    """Bars that overlap could make one that counts as over grow again."""
    close = np.r_[False, np.diff(panel.time) < panel.timeframe.ns][: len(panel)]
    if (close & ~begins_instrument).any():
        row = int((close & ~begins_instrument).argmax())
        when = np.datetime64(int(panel.time[row]), "ns").astype("datetime64[s]")
        raise BarsError(
            f"{panel.symbols[panel.asset_id[row]]}: the bar at {when} UTC begins before the one "
            f"before it, of {panel.timeframe.name}, is over; bars must not overlap"
        )


@njit(cache=True)
def _fold(
    first: Int64, last: Int64, high: Float64, low: Float64, volume: Float64
) -> tuple[Float64, Float64, Float64]:
    """Highest, lowest and sum, in order of time, of rows first[k] .. last[k]."""
    top, bottom, total = np.empty(first.size), np.empty(first.size), np.empty(first.size)
    for k in range(first.size):
        top[k], bottom[k], total[k] = high[first[k]], low[first[k]], volume[first[k]]
        for row in range(first[k] + 1, last[k] + 1):
            top[k] = max(top[k], high[row])
            bottom[k] = min(bottom[k], low[row])
            total[k] += volume[row]
    return top, bottom, total
