"""A table that a user brings: read, checked, and laid on the rows of the bars."""

import contextlib
import difflib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from touchstone.arrays import Bool, Float64, Int64
from touchstone.data import grid, stamps
from touchstone.data.faults import BadRowError, utc
from touchstone.data.side_file import listed, numbers, words
from touchstone.errors import DataError, SourceError
from touchstone.files import stem_to_symbol
from touchstone.market import Panel

_SUFFIXES: Final = (".parquet", ".pq", ".csv", ".csv.gz")


class Wanted(NamedTuple):
    """Which instruments are asked about."""

    symbols: Collection[str] | None
    """Only these; None: all."""
    left_out: Collection[str] = ()
    """Those whose bars could not be used; what is said of them is passed over."""


class Brought(NamedTuple):
    """The rows of a user's table that lie on bars, in the file's order."""

    at: Int64
    """Each one's row in the file, counted from 0, (n,)."""
    row: Int64
    """Its row of the panel, (n,)."""
    frame: pl.DataFrame
    """The rows themselves, CSV columns as text, (n,)."""

    def refuse(self, broken: Bool, reason: Callable[[int], str], way_out: str) -> None:
        """Raise for the first row where `broken` (n,) holds; `reason` tells about that row.

        Raises:
            BadRowError: some row is broken; it knows the row in the file.
        """
        if broken.any():
            first, n = int(broken.argmax()), int(broken.sum())
            more = f" ({n:,} rows in all)" if n > 1 else ""
            raise BadRowError(int(self.at[first]), f"{reason(first)}{more}: {way_out}")

    def numbers(self, name: str) -> Float64:
        """A column as float64, NaN where the cell is empty, (n,).

        Raises:
            BadRowError: a cell that is no number.
            SourceError: a column of another type.
        """
        try:
            return numbers(self.frame[name])
        except BadRowError as error:
            raise BadRowError(int(self.at[error.row]), str(error)) from None


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file, and the row and line where there is one, in whatever goes wrong inside."""
    try:
        yield
    except BadRowError as error:
        line = f" (line {error.row + 2})" if _is_csv(path) else ""
        raise DataError(f"{path}: row {error.row}{line}: {error}") from None
    except SourceError as error:
        raise DataError(f"{path}: {error}") from None


def brought(
    path: Path, panel: Panel, needed: tuple[str, ...], wanted: Wanted, what: str
) -> Brought:
    """A table with `timestamp` (the bar's start), `symbol` and more, beside the bars' rows.

    Args:
        path: Parquet or CSV, plain or gzipped.
        panel: the bars.
        needed: columns that it must have, timestamp and symbol among them.
        wanted: rows of other instruments are passed over.
        what: what its rows are called in an error: scores, orders.

    Raises:
        BadRowError: a time that is missing, names no zone or starts no bar; an unknown symbol.
        SourceError: the table as a whole cannot be read, is empty, or lacks a column.
    """
    table = _table(path, what)
    missing = [c for c in needed if c not in table.columns]
    if missing:
        near = difflib.get_close_matches(missing[0], table.columns, n=1)
        hint = f" (is it {near[0]!r}?)" if near else ""
        raise SourceError(
            f"no column {missing[0]!r}{hint}: needs {', '.join(needed)}, has "
            f"{listed(table.columns)}: rename or add it"
        )
    if not table.height:
        raise SourceError(f"it holds no rows, so there are no {what}: write some, one a row")
    time = _times(table["timestamp"], panel)
    names = _names(table["symbol"])
    places = {symbol: i for i, symbol in enumerate(panel.symbols)}
    known = {name: _known(name, places, wanted) for name in names.unique().to_list()}
    place = names.replace_strict(list(known), list(known.values()), return_dtype=pl.Int64)
    instrument = np.asarray(place.to_numpy(), np.int64)
    _refuse_unknown(instrument, names, panel)
    at = np.flatnonzero(instrument >= 0)
    rows = _rows(panel, instrument[at], time[at])
    found = Brought(at, rows, table[at])
    found.refuse(
        rows < 0,
        lambda r: _no_bar(panel, int(instrument[at[r]]), int(time[at[r]])),
        f"timestamps are the starts of bars; check timeframe, zone and calendar (bars outside its "
        f"sessions are none), or leave such {what} out",
    )
    return found


def once(found: Brought, panel: Panel, what: str) -> None:
    """Refuse a bar that is named twice.

    Raises:
        BadRowError: by its second row; names the first.
    """
    order = np.argsort(found.row, kind="stable")
    twice, first = np.zeros(order.size, np.bool_), np.zeros(order.size, np.int64)
    again = found.row[order[1:]] == found.row[order[:-1]]
    twice[order[1:]], first[order[1:]] = again, found.at[order[:-1]]
    found.refuse(
        twice,
        lambda r: (
            f"{symbol_at(panel, found.row[r])} at {utc(panel.time[found.row[r]])} stands twice, "
            f"also in row {first[r]}"
        ),
        f"keep one of the {what}",
    )


def symbol_at(panel: Panel, row: int) -> str:
    """The symbol of a row of the panel."""
    return panel.symbols[int(panel.asset_id[row])]


def _table(path: Path, what: str) -> pl.DataFrame:
    if path.is_dir():
        raise SourceError(f"it is a folder: name the one file with the {what}")
    if not path.is_file():
        beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise SourceError(f"no such file of {what}: {hint}")
    if not path.name.lower().endswith(_SUFFIXES):
        raise SourceError(f"needs one of {', '.join(_SUFFIXES)}: convert it")
    try:
        if _is_csv(path):  # as text: it is parsed where its row can still be named
            return pl.read_csv(path, infer_schema=False)
        return pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        told = " ".join(str(error).split())[:160] or "it is empty"
        raise SourceError(
            f"it cannot be read as a table ({told}): write it again, Parquet or UTF-8 CSV"
        ) from None


def _is_csv(path: Path) -> bool:
    return path.name.lower().endswith((".csv", ".csv.gz"))


def _times(column: pl.Series, panel: Panel) -> Int64:
    """Starts of bars as the panel has them, ns UTC."""
    is_daily = panel.timeframe.is_daily
    try:
        told = stamps.parse(column, "auto", None, is_daily and panel.calendar.is_exchange)
    except BadRowError as error:
        if "names no time zone" not in str(error):
            raise
        raise BadRowError(
            error.row,
            f"time {column[error.row]} names no time zone: naive times are refused; write them "
            "with their zone, as in 2022-01-01T07:00:00Z",
        ) from None
    return grid.days(told, panel.calendar, "start") if is_daily else told.utc


def _names(column: pl.Series) -> pl.Series:
    if column.dtype.is_integer():  # codes that are numbers
        column = column.cast(pl.String)
    return words(column).str.strip_chars()


def _known(name: str, places: dict[str, int], wanted: Wanted) -> int:
    """Place of a symbol among the panel's; -1 where it is passed over, -2 where it is unknown."""
    forms = [name]
    with contextlib.suppress(DataError):
        forms.append(stem_to_symbol(name))  # BTC-USD, as files are called, is BTC/USD
    asked = [f for f in forms if wanted.symbols is None or f in wanted.symbols]
    here = [places[f] for f in asked if f in places]
    if here:
        return here[0]
    return -1 if not asked or any(f in wanted.left_out for f in asked) else -2


def _refuse_unknown(instrument: Int64, names: pl.Series, panel: Panel) -> None:
    unknown = instrument == -2
    if not unknown.any():
        return
    row, name = int(unknown.argmax()), str(names[int(unknown.argmax())])
    near = difflib.get_close_matches(name, panel.symbols, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    said = f"symbol {name!r} is not among the bars{hint}" if name else "the symbol is missing"
    n = int(unknown.sum())
    more = f" ({n:,} rows in all)" if n > 1 else ""
    raise BadRowError(
        row,
        f"{said}{more}: bring its bars, or name the instruments "
        "that count, as in --symbols " + ",".join(panel.symbols[:2]),
    )


def _rows(panel: Panel, instrument: Int64, time: Int64) -> Int64:
    """The panel's row of each (instrument, time), -1 where it has no such bar, (n,)."""
    rows = np.full(time.size, -1, np.int64)
    for i in np.unique(instrument):
        of, (a, b) = instrument == i, panel.offsets[i : i + 2]
        at = np.minimum(np.searchsorted(panel.time[a:b], time[of]), b - a - 1)
        rows[of] = np.where(panel.time[a:b][at] == time[of], at + a, -1)
    return rows


def _no_bar(panel: Panel, i: int, time: int) -> str:
    own = panel.time[panel.offsets[i] : panel.offsets[i + 1]]
    nearest = own[np.argmin(np.abs(own - time))]
    return (
        f"{panel.symbols[i]} has no bar that starts at {utc(time)}, the nearest starts at "
        f"{utc(nearest)}"
    )
