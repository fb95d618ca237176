"""Daily, weekly or monthly series about the whole market: an index, a rate, a volatility."""

import re
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from pydantic import field_validator

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.data import stamps
from touchstone.data.durations import Duration, nanoseconds
from touchstone.data.side import SIDES, Joined, Place
from touchstone.data.side_file import (
    SideFileConfig,
    column_of,
    listed,
    moments,
    numbers,
    reading,
)
from touchstone.data.side_table import SideTable, join
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Calendar, Panel

if TYPE_CHECKING:
    import polars as pl

_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_EVENT: Final = ("date", "observation_date", "event_time")
_KNOWLEDGE: Final = ("knowledge_time", "realtime_start", "vintage_date")
_NOT_VALUES: Final = ("realtime_end", "series_id", "symbol")


class MacroColumns(Config):
    """Names of a series's columns, where they are not the usual ones."""

    event: str | None = None
    """The date that a value speaks of; `date` or `observation_date` by itself."""
    knowledge: str | None = None
    """When a vintage was published; `knowledge_time` or `realtime_start` by itself."""
    value: str | None = None
    """The figure; `value`, or the only other column, by itself."""


class MacroConfig(SideFileConfig):
    """One dated series, known to everybody from its release on."""

    kind: Literal["macro"] = "macro"
    columns: MacroColumns = MacroColumns()
    """Names of the columns, where they are not the usual ones."""
    release_lag: str | None = None
    """When a date's figure is published, where the file has no vintages: `1b` is the next trading
    day of `calendar`, `45d` the 45th day after, both at `release_time`; `12h` counts from the
    end of the date. A file without vintages and without a lag is refused."""
    release_time: str = "24:00"
    """Clock time in `timezone` at which a release is out; 24:00 is the end of that day."""
    timezone: str = "America/New_York"
    """Zone of the series's dates and of `release_time`."""
    calendar: Literal["24/7", "XNYS", "FX"] = "XNYS"
    """Whose trading days a lag such as `1b` counts."""
    max_age: Duration = "10d"
    """From this age on, counted from the start of its date, a figure is no longer known."""

    @field_validator("release_lag")
    @classmethod
    def _check_lag(cls, lag: str | None) -> str | None:
        if lag is not None and not re.fullmatch(r"\d{1,4}[hdb]", lag):
            raise ConfigError(f"{lag!r}: needs a whole number and h, d or b, as in 1b or 45d")
        return lag

    @field_validator("release_time")
    @classmethod
    def _check_time(cls, time: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", time):
            raise ConfigError(f"{time!r}: needs a clock time as in 16:30, 24:00 at the latest")
        return time


@SIDES.register(MacroConfig)
def load(config: MacroConfig, panel: Panel, place: Place) -> Joined:
    """The newest date's figure, in the newest vintage, as it was known at every row's close.

    Raises:
        SourceError: a file that does not tell when its figures were known while no lag is stated,
            or rows that cannot be.
    """
    path = place.root / config.path
    with reading(path) as files:
        table = read_series(config, files.frame())
    known = join(table.track("value"), panel, nanoseconds(config.max_age))
    return Joined({"": known.value}, known.age_ns, _findings(config, table))


def read_series(config: MacroConfig, frame: "pl.DataFrame") -> SideTable:
    """Rows of a file -> a table of one column, `value`, about the whole market."""
    event = column_of(frame, config.columns.event, _EVENT, "event")
    if event is None:
        raise SourceError(f"no column is the date: state columns.event. {_has(frame)}")
    knowledge = column_of(frame, config.columns.knowledge, _KNOWLEDGE, "knowledge")
    if knowledge is not None and config.release_lag is not None:
        raise SourceError(
            f"column {knowledge!r} tells when each figure was known: leave release_lag out"
        )
    value = numbers(frame[_value(config, frame, {event, knowledge or event})])
    day = _days(frame[event])
    there = ~np.isnan(value)  # a holiday's empty cell is no figure
    known = released(config, day) if knowledge is None else _vintages(config, frame[knowledge])
    began = stamps.instant(day * _DAY_NS, config.timezone)
    return SideTable.of(began[there], known[there], {"value": value[there]})


def released(config: MacroConfig, day: Int64) -> Int64:
    """When the figures of dates (days since 1970) are out, by the declared lag, ns UTC.

    Raises:
        SourceError: no lag is declared.
    """
    lag = config.release_lag
    if lag is None:
        raise SourceError(
            f"no column tells when its figures became known (one of {', '.join(_KNOWLEDGE)}): "
            "state release_lag, as in 1b (the next trading day) or 45d; dates alone say what a "
            "figure is about, not when a decision could have seen it"
        )
    n = int(lag[:-1])
    if lag[-1] == "h":
        return stamps.instant((day + 1) * _DAY_NS, config.timezone) + n * _HOUR_NS
    if lag[-1] == "d":
        day = day + n
    else:
        calendar = Calendar(config.calendar)
        for _ in range(n):  # the next trading day is that of the first instant after the date
            day = calendar.day((day + 1) * _DAY_NS)
    return _at(config, day)


def _at(config: MacroConfig, day: Int64) -> Int64:
    """`release_time` of days, ns UTC."""
    hours, minutes = (int(part) for part in config.release_time.split(":"))
    return stamps.instant(
        day * _DAY_NS + hours * _HOUR_NS + minutes * _HOUR_NS // 60, config.timezone
    )


def _vintages(config: MacroConfig, column: "pl.Series") -> Int64:
    """A vintage's date is known at its `release_time`; a time of day is taken as it stands."""
    told = moments(column, config.timezone)
    return np.where(told.midnight, _at(config, told.day), told.utc)


def _days(column: "pl.Series") -> Int64:
    """Dates as days since 1970, whichever zone a midnight names."""
    told = stamps.parse(column, "auto", None, days_have_names=True)
    if (told.wall % _DAY_NS).any():
        raise SourceError(f"column {column.name!r} holds times of day: needs dates")
    return told.wall // _DAY_NS


def _value(config: MacroConfig, frame: "pl.DataFrame", times: set[str]) -> str:
    name = column_of(frame, config.columns.value, ("value",), "value")
    free = [n for n in frame.columns if n not in times and n.lower() not in _NOT_VALUES]
    if name is None and len(free) != 1:
        raise SourceError(f"which column is the figure? State columns.value. {_has(frame)}")
    return free[0] if name is None else name


def _has(frame: "pl.DataFrame") -> str:
    return f"It has {listed(frame.columns)}"


def _findings(config: MacroConfig, table: SideTable) -> tuple[str, ...]:
    if config.release_lag is not None:
        return (
            "latest vintage, not point in time: the figures are as they stand today, with every "
            f"later revision in them, taken as known by the declared lag of {config.release_lag}.",
        )
    n_revisions = len(table) - np.unique(table.event_time).size
    return (f"vintages as they were published, {n_revisions:,} of them revisions.",)
