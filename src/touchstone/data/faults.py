"""A fault of one row of a file, before the file's name is known."""

from collections.abc import Callable

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.errors import SourceError


class BadRowError(SourceError):
    """A row that cannot be a bar; whoever knows the file says its name and line."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row


def refuse(broken: Bool, reason: Callable[[int], str], way_out: str) -> None:
    """Raise for the first row where `broken` (n_rows,) holds; `reason` tells about that row.

    Raises:
        BadRowError: some row is broken.
    """
    if broken.any():
        row, n = int(broken.argmax()), int(broken.sum())
        more = f" ({n} rows in all)" if n > 1 else ""
        raise BadRowError(row, f"{reason(row)}{more}: {way_out}")


def utc(ns: int) -> str:
    """A time as people read it: 2022-01-01 07:00 UTC.

    >>> utc(1_641_020_400_000_000_000)
    '2022-01-01 07:00 UTC'
    """
    text = str(np.datetime64(int(ns), "ns").astype("datetime64[s]")).replace("T", " ")
    return f"{text.removesuffix(':00')} UTC"


def span(ns: int) -> str:
    """A length of time as a timeframe is written: 15m, 1h, 1d; seconds where it is no minutes.

    >>> span(900_000_000_000), span(86_400_000_000_000), span(1_500_000_000)
    ('15m', '1d', '1.5s')
    """
    minute = 60_000_000_000
    for unit, length in (("d", 1440 * minute), ("h", 60 * minute), ("m", minute)):
        if ns and ns % length == 0:
            return f"{ns // length}{unit}"
    return f"{ns / 1e9:g}s"


def order(time: Int64) -> None:
    """Times (n_rows,) must rise strictly.

    Raises:
        BadRowError: the first row that repeats or goes back.
    """
    step = np.diff(time)
    if time.size > 1 and (step < 0).all():
        raise BadRowError(
            1, "times fall from the first row to the last: sort the file oldest first"
        )
    back, again = np.r_[False, step < 0], np.r_[False, step == 0]
    refuse(
        back,
        lambda r: f"time {utc(time[r])} comes after {utc(time[r - 1])} of the row before",
        "sort the file by time",
    )
    refuse(
        again,
        lambda r: f"time {utc(time[r])} stands twice",
        "keep one bar per time",
    )
