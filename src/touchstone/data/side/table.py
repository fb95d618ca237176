"""Any table that says when each of its figures became known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.data.durations import nanoseconds
from touchstone.data.faults import refuse
from touchstone.data.side import SIDES, Joined, Place
from touchstone.data.side_file import (
    SideFileConfig,
    column_of,
    listed,
    moments,
    numbers,
    over,
    reading,
    symbols,
)
from touchstone.data.side_table import SideTable, join
from touchstone.errors import SourceError
from touchstone.market import Panel

if TYPE_CHECKING:
    import polars as pl

_NEEDED: Final = {
    "event_time": "what each row speaks of",
    "knowledge_time": "from when on each row could be known; without it nobody can tell what a "
    "decision could have seen",
}


class TableColumns(Config):
    """Names of a table's columns, where they are not the usual ones."""

    event_time: str | None = None
    """What the row speaks of; `event_time` by itself."""
    knowledge_time: str | None = None
    """From when on the row could be known; `knowledge_time` by itself."""
    symbol: str | None = None
    """Of which instrument; `symbol` by itself. Without one the table speaks of the market."""


class TableConfig(SideFileConfig):
    """A table with `event_time`, `knowledge_time`, number columns, and `symbol` where it has one.

    A revision is one more row of the same event, known later.
    """

    kind: Literal["table"] = "table"
    columns: TableColumns = TableColumns()
    """Names of the columns, where they are not the usual ones."""
    values: tuple[str, ...] = ()
    """The number columns to take; none named: all there are. One alone carries the input's
    name, several carry it before their own."""


@SIDES.register(TableConfig)
def load(config: TableConfig, panel: Panel, place: Place) -> Joined:
    """The newest event's newest figure, as it was known at every row's close.

    Raises:
        SourceError: a table without knowledge_time, or rows that cannot be.
    """
    path = place.root / config.path
    with reading(path) as files:
        table = read_table(config, files.frame(), place.renamed)
    known = {
        name: join(table.track(name), panel, nanoseconds(config.max_age)) for name in table.values
    }
    alone = len(known) == 1
    age = np.fmin.reduce([k.age_ns for k in known.values()])
    return Joined({"" if alone else n: k.value for n, k in known.items()}, age, _findings(table))


def read_table(config: TableConfig, frame: "pl.DataFrame", renamed: Mapping[str, str]) -> SideTable:
    """Rows of a file -> the table.

    Raises:
        SourceError: no event_time or knowledge_time, or no column of numbers.
        BadRowError: a cell that cannot be read.
        DataError: rows that no table holds.
    """
    times: dict[str, Int64] = {}
    taken = set()
    for key, meaning in _NEEDED.items():
        name = column_of(frame, getattr(config.columns, key), (key,), key)
        if name is None:
            raise SourceError(
                f"no column {key} ({meaning}): add it, or state columns.{key}. "
                f"It has {listed(frame.columns)}"
            )
        taken.add(name)
        told = moments(frame[name], config.timezone)
        # a date alone is over before it is known, and most programs write one as a midnight
        times[key] = over(told, told.zoneless) if key == "knowledge_time" else told.utc
    symbol = column_of(frame, config.columns.symbol, ("symbol",), "symbol")
    names = config.values or [n for n in frame.columns if n not in {*taken, symbol}]
    if not names:
        raise SourceError("no column of numbers beside its times: what should be known of it?")
    for name in config.values:
        column_of(frame, name, (), "values")
    values = {name: numbers(frame[name]) for name in names}
    return SideTable.of(
        times["event_time"],
        times["knowledge_time"],
        values,
        None if symbol is None else _named(frame[symbol], renamed),
    )


def _named(
    column: "pl.Series", renamed: Mapping[str, str]
) -> "np.ndarray[tuple[int], np.dtype[np.str_]]":
    names = symbols(column, renamed)
    refuse(
        np.asarray((names == "").to_numpy(), bool),
        lambda _: f"column {column.name!r} is empty",
        "name the instrument; a figure of the whole market belongs in a table without symbols",
    )
    return np.asarray(names.to_numpy(), np.str_)


def _findings(table: SideTable) -> tuple[str, ...]:
    events = np.stack([table.subject.astype(np.int64), table.event_time], axis=1)
    n_revisions = len(table) - np.unique(events, axis=0).shape[0]
    if not n_revisions:
        return ("no event was ever revised.",)
    return (f"{n_revisions:,} of {len(table):,} rows revise an earlier one.",)
