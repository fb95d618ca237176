"""The clock that bars keep: where they may start, how they lie apart, which ones are expected."""

from typing import Final, Literal

import numpy as np

from touchstone.arrays import Int64
from touchstone.data.faults import refuse, span, utc
from touchstone.data.stamps import Stamps, instant, local
from touchstone.errors import SourceError
from touchstone.market import Calendar, Timeframe

DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_SLACK_NS: Final = 10**9  # some vendors end a bar at 00:59:59 or 00:59:59.999

Anchor = Literal["utc", "clock", "session"]
"""What bars are counted from: 00:00 UTC, 00:00 of the exchange's clock, or its session's open."""

_ZONE: Final = {"XNYS": "America/New_York", "FX": "America/New_York", "CME": "America/Chicago"}
_OPENS_NS: Final = {"XNYS": 19 * _HOUR_NS // 2, "FX": 17 * _HOUR_NS, "CME": 17 * _HOUR_NS}


def phase(time: Int64, calendar: Calendar, timeframe: Timeframe, anchor: Anchor) -> Int64:
    """How far each time lies behind the last point of the grid, ns, (n,)."""
    if anchor == "utc":
        return time % timeframe.ns
    opens = _OPENS_NS[calendar.name] if anchor == "session" else 0
    return (local(time, _ZONE[calendar.name]) - opens) % timeframe.ns


def anchor_of(time: Int64, calendar: Calendar, timeframe: Timeframe) -> Anchor:
    """The grid that most of the times keep, 00:00 UTC where they are equal."""
    best: tuple[int, Anchor] = (-1, "utc")
    for anchor in anchors(calendar):
        n_on = int((phase(time, calendar, timeframe, anchor) == 0).sum())
        if n_on == time.size:
            return anchor
        best = max(best, (n_on, anchor), key=lambda b: b[0])
    return best[1]


def anchors(calendar: Calendar) -> tuple[Anchor, ...]:
    """The grids that a calendar knows."""
    return ("utc", "clock", "session") if calendar.name in _ZONE else ("utc",)


def starts(stamps: Stamps, calendar: Calendar, timeframe: Timeframe, stamp: str) -> Int64:
    """Start of each bar, ns UTC, on the grid of its timeframe, (n_rows,).

    Args:
        stamps: times as the file has them.
        calendar: market's hours.
        timeframe: length of a bar.
        stamp: "start" or "end": what the file's time says of a bar.

    Raises:
        BadRowError: a time off the grid.
        SourceError: bars of another timeframe.
    """
    _spacing(stamps.wall if timeframe.is_daily else stamps.utc, calendar, timeframe)
    if timeframe.is_daily:
        return days(stamps, calendar, stamp)
    if stamp == "end":
        return _from_ends(stamps.utc, calendar, timeframe)
    behind = phase(stamps.utc, calendar, timeframe, anchor_of(stamps.utc, calendar, timeframe))
    refuse(
        behind != 0,
        lambda r: f"time {utc(stamps.utc[r])} is no start of a {timeframe.name} bar",
        _off_the_clock(calendar, timeframe, together=bool((behind == behind[0]).all())),
    )
    return stamps.utc


def expected(calendar: Calendar, timeframe: Timeframe, anchor: Anchor, ends: Int64) -> Int64:
    """Starts of the bars that a market in session prints between two times, both included."""
    first, last = int(ends[0]), int(ends[1])
    if timeframe.is_daily:
        days = np.arange(first, last + 1, timeframe.ns, dtype=np.int64)
        if calendar.name == "FX":  # Sunday's two hours are printed by some vendors only
            return days[(days // DAY_NS + 3) % 7 < 5]
        if calendar.name == "CME":  # Monday's session begins on Sunday, whose date prints no bar
            return days[calendar.is_session(days // DAY_NS)]
        return days[calendar.overlaps_session(days, timeframe.ns)]
    if anchor == "utc":
        grid = np.arange(first, last + 1, timeframe.ns, dtype=np.int64)
    else:
        grid = _local_grid(calendar, timeframe, anchor, first, last)
    return grid[calendar.overlaps_session(grid, timeframe.ns)]


def _local_grid(
    calendar: Calendar, timeframe: Timeframe, anchor: Anchor, first: int, last: int
) -> Int64:
    """Every point of the exchange's own clock, one day after another: its hours shift with DST."""
    midnight = np.arange(first // DAY_NS - 1, last // DAY_NS + 2, dtype=np.int64) * DAY_NS
    opens = _OPENS_NS[calendar.name] if anchor == "session" else 0
    ticks = np.arange(0, DAY_NS, timeframe.ns, dtype=np.int64) + opens % timeframe.ns
    grid = (instant(midnight, _ZONE[calendar.name])[:, None] + ticks).ravel()
    return grid[(grid >= first) & (grid <= last)]


def days(stamps: Stamps, calendar: Calendar, stamp: str) -> Int64:
    """Daily bars carry 00:00 UTC of their date; an exchange's date may come as its midnight."""
    if stamps.named_days:
        return stamps.wall
    walls = [stamps.wall, stamps.utc] if calendar.is_exchange else [stamps.utc]
    if calendar.is_exchange:
        zoned = local(stamps.utc, _ZONE[calendar.name])
        at_close = calendar.available_at(zoned // DAY_NS * DAY_NS, DAY_NS) == stamps.utc
        if stamp == "end" and at_close.all():
            return zoned // DAY_NS * DAY_NS
        walls.append(zoned)
        walls.append(zoned - _OPENS_NS[calendar.name])
    for wall in walls:
        if not (wall % DAY_NS).any():
            # an exchange's date names a session; a day round the clock ends at the next midnight
            ends = stamp == "end" and not calendar.is_exchange
            return wall - DAY_NS if ends else wall
    broken = stamps.utc % DAY_NS != 0
    refuse(
        broken,
        lambda r: f"time {utc(stamps.utc[r])} is not the 00:00 of a day",
        "a bar of a day carries 00:00 UTC of its date; intraday bars need their timeframe:, "
        "as in timeframe: 1h",
    )
    raise SourceError("times are not the 00:00 of a day")


def _from_ends(end: Int64, calendar: Calendar, timeframe: Timeframe) -> Int64:
    """Ends -> starts: the last grid point before the end, since a session cuts its last bar."""
    step = timeframe.ns
    best: tuple[int, Int64, Int64] | None = None
    for anchor in anchors(calendar):
        behind = phase(end - 1, calendar, timeframe, anchor) + 1
        start = end - behind
        closes = calendar.available_at(start, step)
        off = np.minimum(np.abs(closes - end), step - behind)
        bad = int((off > _SLACK_NS).sum())
        if best is None or bad < best[0]:
            best = (bad, start, off)
    assert best is not None
    refuse(
        best[2] > _SLACK_NS,
        lambda r: f"time {utc(end[r])} is no end of a {timeframe.name} bar",
        "bars end on the clock or with their session; check timeframe:, timezone: and stamp:",
    )
    return best[1]


def _spacing(time: Int64, calendar: Calendar, timeframe: Timeframe) -> None:
    """Bars that never lie one timeframe apart are of another timeframe."""
    if time.size < 3:
        return
    steps = np.diff(time)
    if (steps <= 0).any():  # rows out of order: that is said of them, not this
        steps = np.diff(np.unique(time))
        if not steps.size:
            return
    steps, counts = np.unique(steps, return_counts=True)
    usual, least = int(steps[counts.argmax()]), int(steps[0])
    # a session may hold only one bar of more than half its length
    once_a_session = calendar.name != "24/7" and timeframe.ns > calendar.session_ns // 2
    coarser = least > timeframe.ns and (timeframe.is_daily or not once_a_session)
    if usual < min(timeframe.ns, DAY_NS) or coarser:
        raise SourceError(
            f"bars lie {span(usual)} apart, the study's bars are of {timeframe.name}: write "
            f"timeframe: {span(usual)} if that is what they are"
        )


def _off_the_clock(calendar: Calendar, timeframe: Timeframe, together: bool) -> str:
    clock = f"bars start on the clock (a {timeframe.name} bar at {_example(timeframe)})"
    if calendar.name in _ZONE:
        return (
            f"{clock} or a whole number of bars after the session's open: check timeframe:, "
            "timezone: and stamp:"
        )
    exchange = ", and name the exchange if it has one (calendar: XNYS)" if together else ""
    return f"{clock}: check timeframe:, timezone: and stamp:{exchange}"


def _example(timeframe: Timeframe) -> str:
    day = np.datetime64("2022-01-03", "ns").astype(np.int64)
    return utc(int(day) + 9 * _HOUR_NS // timeframe.ns * timeframe.ns).split()[1]
