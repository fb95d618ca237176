"""When a market is open: trading days, closes, and time that counts."""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import ConfigError

_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000

CALENDARS: Final = ("24/7", "XNYS", "FX")
"""Round the clock; New York Stock Exchange; foreign exchange, Sunday to Friday 17:00 New York."""

_EVERY_DAY: Final = np.arange(-7_305, 36_525)  # 1950 .. 2069
_DAYS_PER_YEAR: Final = {"24/7": 365, "XNYS": 252, "FX": 260}
_SESSION_NS: Final = {"24/7": _DAY_NS, "XNYS": 13 * _HOUR_NS // 2, "FX": _DAY_NS}


class _Sessions(NamedTuple):
    day: Int64
    """Days since 1970 of the session's date, (n_sessions,)."""
    open: Int64
    close: Int64
    elapsed: Int64
    """Open time before the session begins, ns, (n_sessions,)."""


@dataclass(frozen=True)
class Calendar:
    """One market's hours. All times are int64 nanoseconds since 1970 UTC, any shape.

    Raises:
        ConfigError: a name that is not one of `CALENDARS`.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in CALENDARS:
            raise ConfigError(f"no calendar named {self.name!r}. Known: {', '.join(CALENDARS)}.")

    @property
    def days_per_year(self) -> int:
        """Trading days a year: a constant of the calendar, used for every annual figure."""
        return _DAYS_PER_YEAR[self.name]

    @property
    def session_ns(self) -> int:
        """Length of a regular trading day, ns."""
        return _SESSION_NS[self.name]

    def day(self, time: Int64) -> Int64:
        """The trading day (days since 1970) that a bar starting at `time` belongs to.

        A time between sessions belongs to the next one.
        """
        if self.name == "24/7":
            return time // _DAY_NS
        at = np.searchsorted(self._sessions.close, time, side="right")
        return self._sessions.day[np.minimum(at, self._sessions.day.size - 1)]

    def session_bounds(self, time: Int64) -> tuple[Int64, Int64, Int64]:
        """Of the trading day of `time` (see `day`): the close before it, its open, its close."""
        if self.name == "24/7":
            opened = time // _DAY_NS * _DAY_NS
            return opened, opened, opened + _DAY_NS
        sessions = self._sessions
        at = np.searchsorted(sessions.close, time, side="right")
        at = np.minimum(at, sessions.day.size - 1)
        before = np.where(at > 0, sessions.close[np.maximum(at - 1, 0)], sessions.open[0])
        return before, sessions.open[at], sessions.close[at]

    def overlaps_session(self, time: Int64, timeframe_ns: int) -> Bool:
        """Whether bars [time, time + timeframe) overlap an open market."""
        if self.name == "24/7":
            return np.ones(np.shape(time), bool)
        at = np.searchsorted(self._sessions.close, time, side="right")
        at = np.minimum(at, self._sessions.day.size - 1)
        overlap = time + timeframe_ns > self._sessions.open[at]
        return np.asarray(overlap & (time < self._sessions.close[at]), bool)

    def available_at(self, time: Int64, timeframe_ns: int) -> Int64:
        """When a bar starting at `time` is known: its end, or its session's close if earlier.

        A bar of a day or more carries 00:00 UTC of its date and is known at the close of that
        date's session.
        """
        end = time + timeframe_ns
        if self.name != "XNYS":
            return end
        sessions = self._sessions
        if timeframe_ns >= _DAY_NS:
            last_day = (end - 1) // _DAY_NS
            at = np.maximum(np.searchsorted(sessions.day, last_day, side="right") - 1, 0)
            return np.asarray(
                np.where(sessions.close[at] > time, sessions.close[at], end), np.int64
            )
        at = np.minimum(np.searchsorted(sessions.close, time, side="right"), sessions.day.size - 1)
        inside = (time < sessions.close[at]) & (end > sessions.open[at])
        return np.asarray(np.where(inside, np.minimum(end, sessions.close[at]), end), np.int64)

    def trading_time(self, time: Int64) -> Int64:
        """Nanoseconds that the market has been open until `time`, from a fixed origin."""
        if self.name == "24/7":
            return time
        sessions = self._sessions
        at = np.searchsorted(sessions.close, time, side="right")
        at = np.minimum(at, sessions.day.size - 1)
        inside = np.clip(time - sessions.open[at], 0, sessions.close[at] - sessions.open[at])
        return np.asarray(sessions.elapsed[at] + inside, np.int64)

    def session_share(self, time: Int64) -> Float64:
        """Part of its trading day (see `day`) that had passed at `time`, 0 .. 1.

        Early closes count as known from the open; New York announced all but a handful before.
        """
        if self.name == "24/7":
            return np.asarray((time % _DAY_NS) / _DAY_NS)
        sessions = self._sessions
        at = np.searchsorted(sessions.close, time, side="right")
        at = np.minimum(at, sessions.day.size - 1)
        opened, closes = sessions.open[at], sessions.close[at]
        return np.asarray(np.clip((time - opened) / (closes - opened), 0.0, 1.0))

    @property
    def trading_days(self) -> Int64:
        """The trading days there were or will be (days since 1970), rising."""
        return _EVERY_DAY if self.name == "24/7" else self._sessions.day

    @property
    def announced_days(self) -> Int64:
        """The trading days that could be expected: without closures at short notice.

        New York was to trade on 2001-09-11 and on 2012-10-29; who stood before did not know.
        """
        if self.name != "XNYS":
            return self.trading_days
        return _announced_days(self.name)

    @cached_property
    def _sessions(self) -> _Sessions:
        return _fx_sessions() if self.name == "FX" else _exchange_sessions(self.name)


@lru_cache
def _exchange_sessions(name: str) -> _Sessions:
    import exchange_calendars  # noqa: PLC0415  pandas takes a second; most studies need no exchange

    # a stated end: the default is a year from today, and results must not depend on today
    with warnings.catch_warnings():  # its own calls of pandas are deprecated, and no user's matter
        warnings.simplefilter("ignore", DeprecationWarning)
        whole = exchange_calendars.get_calendar(name, start="1950-01-03", end="2069-12-31")
    hours = whole.schedule[["open", "close"]]
    opens, closes = (
        hours[c].to_numpy("datetime64[ns]").astype(np.int64) for c in ("open", "close")
    )
    day = hours.index.to_numpy("datetime64[D]").astype(np.int64)
    return _Sessions(day, opens, closes, _elapsed(opens, closes))


@lru_cache
def _announced_days(name: str) -> Int64:
    """Trading days, and the weekdays since 1970 that were closed at short notice.

    Before that the list holds Wednesdays closed for paperwork, which were announced.
    """
    import exchange_calendars  # noqa: PLC0415  as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        whole = exchange_calendars.get_calendar(name, start="1950-01-03", end="2069-12-31")
    took_place = _exchange_sessions(name).day
    at_short_notice = np.array(whole.adhoc_holidays, "datetime64[ns]").astype("datetime64[D]")
    days = at_short_notice.astype(np.int64)
    return np.union1d(took_place, days[(days >= 0) & ((days + 3) % 7 < 5)])


@lru_cache
def _fx_sessions() -> _Sessions:
    """Trading days end at 17:00 New York, 21:00 or 22:00 UTC; Monday's begins on Sunday."""
    day = np.arange(0, 36_500)
    day = day[(day + 3) % 7 < 5]  # 1970-01-01 was a Thursday
    new_york = ZoneInfo("America/New_York")
    afternoon = (datetime.fromtimestamp(int(d) * 86_400 + 17 * 3_600, UTC) for d in day)
    # the offset is asked at 17:00 UTC: clocks change on Sundays at 07:00, when no session runs
    behind = np.array([-t.astimezone(new_york).utcoffset().total_seconds() for t in afternoon])  # type: ignore[union-attr]
    closes = np.asarray(day * _DAY_NS + 17 * _HOUR_NS + behind.astype(np.int64) * 10**9, np.int64)
    opens = closes - _DAY_NS
    return _Sessions(day, opens, closes, _elapsed(opens, closes))


def _elapsed(opens: Int64, closes: Int64) -> Int64:
    return np.asarray(np.r_[0, np.cumsum(closes - opens)[:-1]], np.int64)
