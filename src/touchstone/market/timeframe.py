"""The length of a bar, and the one home of periods per year."""

import re
from dataclasses import dataclass
from typing import Final

from touchstone.errors import ConfigError
from touchstone.market.calendar import Calendar

MINUTE_NS: Final = 60_000_000_000
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS

_UNITS = {"m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS}


@dataclass(frozen=True)
class Timeframe:
    """A bar's length, written as in `1m`, `5m`, `1h`, `1d`.

    >>> Timeframe("1h").ns
    3600000000000

    Raises:
        ConfigError: not a positive whole number of minutes, hours or days.
    """

    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9]\d{0,3}[mhd]", self.name):
            raise ConfigError(f"timeframe {self.name!r}: needs a number and m, h or d, as in 1h")

    @property
    def ns(self) -> int:
        """Length in nanoseconds."""
        return int(self.name[:-1]) * _UNITS[self.name[-1]]

    @property
    def is_daily(self) -> bool:
        """Whether a bar covers whole days, so that sessions do not cut it."""
        return self.ns % DAY_NS == 0

    def periods_per_year(self, calendar: Calendar) -> float:
        """Bars a year: days a year of the calendar x bars a day of its sessions.

        >>> Timeframe("1h").periods_per_year(Calendar("24/7"))
        8760.0
        """
        if self.is_daily:
            return calendar.days_per_year * DAY_NS / self.ns
        return calendar.days_per_year * calendar.session_ns / self.ns
