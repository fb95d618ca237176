"""One file, or a folder of files, of side data -> checked columns; an error names file and row."""

import contextlib
import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from pydantic import field_validator

from touchstone.arrays import Bool, Float64, Int64
from touchstone.config import Config
from touchstone.data import stamps
from touchstone.data.durations import Duration
from touchstone.data.faults import BadRowError, refuse
from touchstone.data.stamps import known_timezone
from touchstone.errors import DataError, SourceError
from touchstone.files import stem_to_symbol

if TYPE_CHECKING:
    import polars as pl

_SUFFIXES: Final = (".parquet", ".pq", ".csv", ".csv.gz")
_DAY_NS: Final = 86_400_000_000_000
_DATE: Final = r"^\s*\d{4}[-/.]?\d{2}[-/.]?\d{2}\s*$"
_MIDNIGHT: Final = r"^\s*\d{4}[-/.]?\d{2}[-/.]?\d{2}([T ]00:00(:00(\.0+)?)?)?\s*$"
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


class SideFiles:
    """The files of one side input, and which of their rows stands where in the whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heights: list[tuple[Path, int]] = []

    def frame(self) -> "pl.DataFrame":
        """All rows of the file, or of the files of the folder in the order of their names.

        Files of a folder may lack columns that others have; CSV columns are text.

        Raises:
            SourceError: no such path, no file of a known format, no rows, or not to be read.
        """
        import polars as pl  # noqa: PLC0415

        frames = []
        for file in _files(self.path):
            with _read(file):
                frames.append(_frame(file))
            self.heights.append((file, frames[-1].height))
        with _read(self.path):
            whole = pl.concat(frames, how="diagonal_relaxed")
        if not whole.height:
            raise SourceError("it holds no rows: download it again, or take the side input out")
        return whole

    def place(self, row: int) -> str:
        """The file and the row in it of a row of the whole."""
        for file, height in self.heights:
            if row < height:
                return f"{file}: row {row}"
            row -= height
        return f"{self.path}: row {row}"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[SideFiles]:
    """Name the file, and the row where there is one, in whatever goes wrong inside."""
    files = SideFiles(path)
    try:
        yield files
    except BadRowError as error:
        raise SourceError(f"{files.place(error.row)}: {error}") from None
    except DataError as error:
        raise SourceError(f"{path}: {error}") from None


@contextlib.contextmanager
def _read(file: Path) -> Iterator[None]:
    import polars as pl  # noqa: PLC0415

    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        text = " ".join(str(error).split())[:160] or "it is empty"
        raise SourceError(
            f"{file.name} cannot be read ({text}): download it again, or save it as UTF-8"
        ) from None


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


class Moments(NamedTuple):
    """Times of a column, (n_rows,)."""

    utc: Int64
    """Nanoseconds since 1970 UTC; of a date alone, its first instant."""
    day: Int64
    """Days since 1970 of the clock beside the row."""
    midnight: Bool
    """Whether that clock showed 00:00:00, as a date alone does."""
    bare: Bool
    """Whether the row holds a date without any time of day."""
    zoneless: Bool
    """Whether it holds a date, or a midnight that names no zone, which is how a date looks in a
    column of times."""


def moments(column: "pl.Series", timezone: str | None) -> Moments:
    """Read a column of times or dates, each row by itself: no row says what another one means.

    Raises:
        BadRowError: a time that is missing or cannot be read.
        SourceError: no zone is named, neither in the column nor by `timezone`.
    """
    import polars as pl  # noqa: PLC0415

    told = stamps.parse(column, "auto", timezone, days_have_names=True)
    if told.named_days and timezone is None:
        raise SourceError(
            f"column {column.name!r} holds dates without a zone: state timezone:, as in "
            "timezone: America/New_York"
        )
    midnight = np.asarray(told.wall % _DAY_NS == 0, bool)
    bare = np.full(len(column), column.dtype == pl.Date)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        zoneless = midnight
    else:
        zoneless = bare
    if column.dtype == pl.String:
        bare = np.asarray(column.str.contains(_DATE).to_numpy(), bool)
        zoneless = np.asarray(column.str.contains(_MIDNIGHT).to_numpy(), bool)
    utc = stamps.instant(told.wall, timezone) if told.named_days and timezone else told.utc
    return Moments(utc, told.wall // _DAY_NS, midnight, bare, zoneless)


def over(told: Moments, dated: Bool) -> Int64:
    """The times, but of `dated` rows (n_rows,) the instant when their date is over.

    What is dated to a day could be known when the day had passed.
    """
    return np.where(dated, told.utc + _DAY_NS, told.utc)


def words(column: "pl.Series") -> "pl.Series":
    """A column as text, "" where the cell is empty.

    Raises:
        SourceError: a column of another type.
    """
    import polars as pl  # noqa: PLC0415

    if column.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise SourceError(f"column {column.name!r} is of type {column.dtype}: needs text")
    return column.cast(pl.String).fill_null("")


def symbols(column: "pl.Series", renamed: Mapping[str, str]) -> "pl.Series":
    """Symbols as the bars write them, "" where there is none: BRK-A is BRK.A, BTC-USD BTC/USD.

    Of an instrument that was `renamed` the former name is today's: FB is META.
    """
    import polars as pl  # noqa: PLC0415

    text = words(column).str.strip_chars()
    known = {name: _symbol(name) for name in text.unique().to_list()}
    known = {name: renamed.get(symbol, symbol) for name, symbol in known.items()}
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
