"""What a bar's start and its calendar alone tell: all of it known before the bar begins."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.market import Calendar

_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_FIRST_DAY, _LAST_DAY = -7_305, 36_524  # 1950 .. 2069


class _Days(NamedTuple):
    """One row for each day from 1950 to 2069, as if it were a trading day."""

    month: Float64
    day: Float64
    month_passed: Float64
    month_left: Float64
    from_session: Float64
    to_session: Float64
    to_holiday: Float64


FARTHEST_HOLIDAY: Final = 60
"""Days beyond which `to_holiday` does not look; its value where a calendar knows no holidays."""

CLOCK: Final = ("hour", "weekday", "session", "session_share", *_Days._fields)
"""Inputs of the language that `clock` knows."""


def clock(name: str, time: Int64, calendar: Calendar) -> Float64:
    """An input that follows from the bars' start (ns UTC) alone, any shape.

    What lies ahead (`to_session`, `to_holiday`, `month_left`) counts the trading days that were
    announced, not those that came about: a closure nobody foresaw is not foreseen here either.
    """
    if name == "hour":
        return np.asarray((time % _DAY_NS) / _HOUR_NS)
    if name == "weekday":
        return np.asarray((time // _DAY_NS + 3) % 7, np.float64)  # 1970-01-01 was a Thursday
    if name == "session_share":
        return calendar.session_share(time)
    session = calendar.day(time)
    if name == "session":
        return np.asarray(session, np.float64)
    at = np.minimum(np.maximum(session, _FIRST_DAY), _LAST_DAY) - _FIRST_DAY
    column: Float64 = getattr(_days(calendar), name)
    return np.asarray(column[at])


@lru_cache
def _days(calendar: Calendar) -> _Days:
    days = np.arange(_FIRST_DAY, _LAST_DAY + 1)
    dates = days.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    first, after = (
        m.astype("datetime64[D]").astype(np.int64) for m in (month, month + np.timedelta64(1, "M"))
    )
    took_place, announced = calendar.trading_days, calendar.announced_days
    before = np.searchsorted(took_place, days)
    coming = np.searchsorted(announced, days, side="right")
    columns = (
        month.astype(np.int64) % 12 + 1,
        days - first + 1,
        before - np.searchsorted(took_place, first),
        np.searchsorted(announced, after) - coming,
        days - took_place[np.maximum(before - 1, 0)],
        announced[np.minimum(coming, announced.size - 1)] - days,
        _to_next(np.setdiff1d(days[(days + 3) % 7 < 5], announced), days),
    )
    return _Days(*(np.maximum(column, 0).astype(np.float64) for column in columns))


def _to_next(holidays: Int64, days: Int64) -> Int64:
    """Days from each day to the first holiday after it."""
    ahead = np.r_[holidays, _LAST_DAY + FARTHEST_HOLIDAY + 1]
    coming = ahead[np.searchsorted(ahead, days, side="right")]
    return np.asarray(np.minimum(coming - days, FARTHEST_HOLIDAY), np.int64)
