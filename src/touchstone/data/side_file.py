"""One file, or a folder of files, of side data -> checked columns; an error names file and row."""

import contextlib
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import field_validator

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.durations import Duration
from touchstone.data.faults import BadRowError, refuse
from touchstone.data.stamps import known_timezone
from touchstone.errors import DataError, SourceError
from touchstone.files import stem_to_symbol

if TYPE_CHECKING:
    import polars as pl

_SUFFIXES: Final = (".parquet", ".pq", ".csv", ".csv.gz")
_EMPTY: Final = ("", ".", "nan", "null", "none", "na", "n/a", "#n/a")  # "." is FRED's


class SideFileConfig(Config):
    """What the kinds of side input that read files have in common."""

    path: str
    """A Parquet or CSV file, or a folder of them; relative to the study's file."""
    timezone: str | None = None
    """Zone of times that name none, as in UTC or America/New_York; None refuses such times."""
    max_age: Duration = "7d"
    """From this age on, counted from the event, a figure is no longer known: 12h, 7d."""

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        return None if name is None else known_timezone(name)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file, and the row where there is one, in whatever goes wrong inside."""
    try:
        yield
    except BadRowError as error:
        raise SourceError(f"{path}: row {error.row}: {error}") from None
    except DataError as error:
        raise SourceError(f"{path}: {error}") from None


def read_frame(path: Path) -> "pl.DataFrame":
    """All rows of a file, or of the files of a folder in the order of their names.

    Files of a folder may lack columns that others have; CSV columns are text.

    Raises:
        SourceError: no such path, no file of a known format, no rows, or not to be read.
    """
    import polars as pl  # noqa: PLC0415

    files = _files(path)
    try:
        frame = pl.concat([_frame(file) for file in files], how="diagonal_relaxed")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        text = " ".join(str(error).split())[:160] or "it is empty"
        raise SourceError(
            f"cannot be read ({text}): download it again, or save it as UTF-8"
        ) from None
    if not frame.height:
        raise SourceError("it holds no rows: download it again, or take the side input out")
    return frame


def column_of(
    frame: "pl.DataFrame", stated: str | None, usual: Sequence[str], key: str
) -> str | None:
    """The name of a column: as stated, else the first of the usual ones (in any case), else None.

    Raises:
        SourceError: a stated column that is absent.
    """
    if stated is not None:
        if stated in frame.columns:
            return stated
        near = difflib.get_close_matches(stated, frame.columns, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SourceError(f"columns.{key} says {stated!r}: {hint}It has {listed(frame.columns)}")
    lower = {name.strip().lower(): name for name in reversed(frame.columns)}
    return next((lower[name] for name in usual if name in lower), None)


def listed(names: Sequence[str]) -> str:
    """Names for a message, a dozen at most."""
    shown = ", ".join(repr(n) for n in names[:12])
    return f"{shown}, ... ({len(names)} columns)" if len(names) > 12 else shown


def numbers(column: "pl.Series") -> Float64:
    """A column as float64, NaN where the cell is empty.

    Raises:
        BadRowError: a cell that is no number.
        SourceError: a column of another type.
    """
    import polars as pl  # noqa: PLC0415

    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return np.array(column.cast(pl.Float64).to_numpy(), np.float64)
    if column.dtype == pl.Null:
        return np.full(column.len(), np.nan)
    if column.dtype != pl.String:
        raise SourceError(f"column {column.name!r} is of type {column.dtype}: needs numbers")
    text = column.str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    empty = text.str.to_lowercase().is_in(_EMPTY).fill_null(value=True)
    refuse(
        (number.is_null() & ~empty).to_numpy(),
        lambda r: f"{column.name} {column[r]!r} is no number",
        "write plain numbers with a decimal point, leave the cell empty, or do not take the column",
    )
    return np.asarray(number.to_numpy(), np.float64)


def symbols(column: "pl.Series") -> "pl.Series":
    """Symbols as the bars write them, "" where there is none: BRK-A is BRK.A, BTC-USD BTC/USD."""
    import polars as pl  # noqa: PLC0415

    text = column.cast(pl.String).str.strip_chars().fill_null("")
    known = {name: _symbol(name) for name in text.unique().to_list()}
    return text.replace_strict(list(known), list(known.values()), return_dtype=pl.String)


def _symbol(name: str) -> str:
    try:
        return stem_to_symbol(name)
    except DataError:
        return name


def _frame(file: Path) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415

    if file.name.lower().endswith((".csv", ".csv.gz")):
        return pl.read_csv(file, infer_schema=False)
    return pl.read_parquet(file, hive_partitioning=False)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if not path.name.lower().endswith(_SUFFIXES):
            raise SourceError(f"needs one of {', '.join(_SUFFIXES)}: convert it")
        return [path]
    if not path.is_dir():
        near = difflib.get_close_matches(path.name, _beside(path), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check its path (relative to the study)"
        raise SourceError(f"no such file or folder: {hint}")
    found = sorted(
        p
        for p in path.iterdir()
        if p.is_file() and p.name.lower().endswith(_SUFFIXES) and p.name[0] != "."
    )
    if not found:
        raise SourceError(f"the folder holds no {', '.join(_SUFFIXES)} file")
    return found


def _beside(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
