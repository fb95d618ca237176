"""Timeframe and calendar of a folder of bars, told by the bars where nobody says them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from touchstone.arrays import Int64
from touchstone.data import columns, stamps
from touchstone.data.bar_file import collect, names_of
from touchstone.data.faults import span
from touchstone.data.formats import FolderConfig
from touchstone.data.raw_bars import files_of
from touchstone.errors import ConfigError, DataError
from touchstone.market import Calendar, Timeframe

_N_FILES: Final = 24  # looked at, spread over the folder
_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_SATURDAY: Final = 2  # days since 1970-01-01, a Thursday, modulo 7
_ROUND_THE_CLOCK: Final = 0.05  # share of bars on Saturdays; 1/7 where no day is missing
_INSIDE: Final = 0.985  # share of bars on dates of sessions; 252 / 260 where holidays are traded


def infer(config: FolderConfig, listed: Sequence[tuple[str, Path]]) -> tuple[str, str]:
    """(timeframe, calendar) that most of some files keep; the config's own where none is readable.

    The timeframe is the most frequent distance of two bars. A market with bars on Saturdays is
    round the clock; one that keeps the dates of the New York Stock Exchange and sleeps is that;
    every other one is foreign exchange.
    """
    picked = [listed[i] for i in np.unique(np.linspace(0, len(listed) - 1, _N_FILES).astype(int))]
    times = [t for _, file in picked if (t := _times(config, file)).size > 2]
    if not times:
        return config.timeframe, config.calendar
    names = Counter(n for t in times if (n := _distance(t)) is not None)
    if not names:
        return config.timeframe, config.calendar
    timeframe = sorted(names.items(), key=lambda kv: (-kv[1], kv[0]))[0][0]
    whole = np.concatenate([t for t in times if _distance(t) == timeframe])
    return timeframe, _calendar(whole, Timeframe(timeframe))


def _times(config: FolderConfig, file: Path) -> Int64:
    """Times of a file, ns UTC, rising; none where they cannot be read."""
    try:
        scan = files_of(config).scan(file)
        names = columns.match(names_of(scan), config.columns, with_volume=False)
        column = collect(scan, [names["time"]])[names["time"]]
        read = stamps.parse(column, config.timestamp_unit, config.timezone, days_have_names=True)
    except (DataError, ConfigError, OSError):
        return np.zeros(0, np.int64)
    return np.sort(read.utc)


def _distance(time: Int64) -> str | None:
    steps, counts = np.unique(np.diff(np.unique(time)), return_counts=True)
    if not steps.size:
        return None
    name = span(int(steps[counts.argmax()]))
    try:
        return Timeframe(name).name
    except ConfigError:
        return None


def _calendar(time: Int64, timeframe: Timeframe) -> str:
    day = time // _DAY_NS
    if (day % 7 == _SATURDAY).mean() > _ROUND_THE_CLOCK:
        return "24/7"
    hours = np.unique(time % _DAY_NS // _HOUR_NS).size
    sessions = Calendar("XNYS").overlaps_session(day * _DAY_NS, _DAY_NS)
    sleeps = timeframe.is_daily or hours <= 20
    return "XNYS" if sleeps and sessions.mean() >= _INSIDE else "FX"
