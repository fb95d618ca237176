"""One file of bars -> checked bars, or the row and the reason why not."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.data import columns, grid, stamps
from touchstone.data.faults import BadRowError, order, refuse, utc
from touchstone.data.formats import Files, FolderConfig
from touchstone.data.loading import Request
from touchstone.errors import DataError, SourceError
from touchstone.files import SYMBOL, stem_to_symbol
from touchstone.market import Bars, Calendar, Timeframe
from touchstone.market.bars import FIELDS

if TYPE_CHECKING:
    import polars as pl

_ROW = "row of the file"
_Fault: TypeAlias = tuple[Bool, Callable[[int], str], str]


class Job(NamedTuple):
    """What every file of a source is read for."""

    config: FolderConfig
    timeframe: Timeframe
    calendar: Calendar
    files: Files
    request: Request


class Part(NamedTuple):
    """The usable bars of one instrument."""

    bars: Bars
    side: dict[str, Float64]
    """Side columns of the bars, NaN where not known, (n_bars,) each."""
    n_dropped: int
    """Bars outside the calendar's sessions."""
    n_bad: int
    """Impossible rows left out, where the config says so."""
    last: int
    """Start of the last bar before the request cut any off, ns UTC."""
    notes: tuple[str, ...]
    """What a reader should know about the file's columns."""


def read(stem: str, file: Path, job: Job) -> Iterator[tuple[str, Part | str]]:
    """(symbol, its bars or the reason why not), for each requested instrument of a file.

    Raises:
        DataError: the file as a whole is unusable.
    """
    wanted = job.request.symbols
    own = wanted is None or _symbol(stem) in wanted
    try:
        scan = job.files.scan(file)
        names = columns.match(
            names_of(scan), job.config.columns, with_volume=not job.config.without_volume
        )
        if not own and "symbol" not in names:
            return
        found = set(names_of(scan)) - set(names.values())
        frame = collect(scan, [*names.values(), *(s for s in job.config.side if s in found)])
    except (DataError, OSError):
        if own:
            raise
        return  # nobody asked for this file
    notes = _notes(names_of(scan), names)
    for symbol, rows, part in instruments(stem, frame, names):
        if wanted is None or symbol in wanted:
            yield symbol, _attempt(symbol, rows, part, names, notes, job)


def _symbol(stem: str) -> str | None:
    try:
        return stem_to_symbol(stem)
    except DataError:
        return None


def instruments(
    stem: str, frame: "pl.DataFrame", names: dict[str, str]
) -> Iterator[tuple[str, Int64, "pl.DataFrame"]]:
    """(symbol, row numbers, rows) of each instrument: by the symbol column where it tells some."""
    if not frame.height:
        raise SourceError("the file holds no rows: download it again, or remove it")
    if "symbol" not in names or frame[names["symbol"]].n_unique() == 1:
        yield stem_to_symbol(stem), np.arange(frame.height, dtype=np.int64), frame
        return
    groups = frame.with_row_index(_ROW).partition_by(
        names["symbol"], as_dict=True, maintain_order=True
    )
    for (symbol,), group in groups.items():
        yield str(symbol), group[_ROW].to_numpy().astype(np.int64), group


def _attempt(
    symbol: str,
    rows: Int64,
    frame: "pl.DataFrame",
    names: dict[str, str],
    notes: tuple[str, ...],
    job: Job,
) -> Part | str:
    try:
        return _part(symbol, frame, names, notes, job)
    except BadRowError as error:
        row, first_line = int(rows[error.row]), job.files.first_line
        line = f" (line {row + first_line})" if first_line is not None else ""
        return f"row {row}{line}: {error}"
    except DataError as error:
        return str(error)


def _part(
    symbol: str, frame: "pl.DataFrame", names: dict[str, str], notes: tuple[str, ...], job: Job
) -> Part:
    config, calendar, timeframe = job.config, job.calendar, job.timeframe
    if not SYMBOL.fullmatch(symbol):
        raise SourceError(f"{symbol!r} is no symbol: needs {SYMBOL.pattern}: rename it")
    named_days = timeframe.is_daily and calendar.is_exchange
    read_times = stamps.parse(
        frame[names["time"]], config.timestamp_unit, config.timezone, named_days
    )
    order(read_times.utc)
    time = grid.starts(read_times, calendar, timeframe, config.stamp)
    order(time)
    prices: dict[str, Float64] = {f: numbers(frame[names[f]], f) for f in FIELDS if f in names}
    prices.setdefault("volume", np.zeros(time.size))
    side = {
        name: numbers(frame[name], name) if name in frame.columns else np.full(time.size, np.nan)
        for name in config.side
    }
    sound = _sound(time, prices, drop=config.bad_rows == "drop")
    in_session = calendar.overlaps_session(time, timeframe.ns)
    kept, n_dropped = sound & in_session, int((sound & ~in_session).sum())
    n = int(kept.sum())
    if n < config.minimum_bars:
        outside = f" inside the sessions of {calendar.name}" if n_dropped else ""
        raise SourceError(
            f"{n} {'bar' if n == 1 else 'bars'}{outside}, at least {config.minimum_bars} needed: "
            "give it more history, or lower minimum_bars"
        )
    last = int(time[kept][-1])
    kept &= _requested(time, job)
    if not kept.any():
        raise SourceError(
            f"no bar between the requested start and end: the file covers {utc(time[0])} to "
            f"{utc(time[-1])}"
        )
    bars = Bars(symbol, time[kept], *(prices[f][kept] for f in FIELDS))
    known = {name: values[kept] for name, values in side.items()}
    return Part(bars, known, n_dropped, int((~sound).sum()), last, notes)


def _requested(time: Int64, job: Job) -> Bool:
    start, end = job.request.start, job.request.end
    kept = np.ones(time.size, bool) if start is None else time >= start
    if end is not None:
        kept &= job.calendar.available_at(time, job.timeframe.ns) <= end
    return kept


def numbers(column: "pl.Series", field: str) -> Float64:
    """A column as float64, NaN where nothing stands."""
    import polars as pl  # noqa: PLC0415

    kind = column.dtype
    if kind == pl.String:
        text = column.str.strip_chars()
        number = text.cast(pl.Float64, strict=False)
        empty = text.str.to_lowercase().is_in(["", "nan", "null", "none", "na", "n/a"])
        refuse(
            (number.is_null() & text.is_not_null() & ~empty.fill_null(value=True)).to_numpy(),
            lambda r: f"{field} {column[r]!r} (column {column.name!r}) is no number",
            "write plain numbers with a decimal point",
        )
        return np.asarray(number.to_numpy(), np.float64)
    if kind.is_numeric():
        return np.array(column.cast(pl.Float64).to_numpy(), np.float64)
    raise SourceError(
        f"column {column.name!r} ({field}) is of type {kind}, needs numbers: convert it, or say "
        f"which column it is under columns: {{{field}: ...}}"
    )


def _sound(time: Int64, prices: dict[str, Float64], drop: bool) -> Bool:
    """Rows that can be bars, (n_rows,); unless they are to be dropped, the first other raises."""
    kept = np.ones(time.size, bool)
    for broken, reason, way_out in _faults(time, prices):
        if not drop:
            refuse(broken, reason, f"{way_out}, or set bad_rows: drop")
        kept &= ~broken
    return kept


def _faults(time: Int64, prices: dict[str, Float64]) -> Iterator[_Fault]:
    """What `Bars` refuses too, said in terms of the file's rows and with the way out."""
    for field, values in prices.items():
        yield (
            ~np.isfinite(values),
            partial(_said, f"{field} is {{:g}} at {{}}", values, time),
            "a missing bar is legal: remove the row or repair it",
        )
        signed = values < 0 if field == "volume" else values <= 0
        needed = "a volume is not negative" if field == "volume" else "a price is positive"
        said = partial(_said, f"{field} is {{:g}} at {{}}, and {needed}", values, time)
        yield signed, said, "remove the row or repair it"
    open_, high, low, close = (prices[f] for f in FIELDS[:4])
    yield (
        high < low,
        lambda r: f"high {high[r]:g} lies below low {low[r]:g} at {utc(time[r])}",
        "check that columns: has them the right way round, repair the row",
    )
    yield (
        (low > np.minimum(open_, close)) | (high < np.maximum(open_, close)),
        lambda r: (
            f"open {open_[r]:g} or close {close[r]:g} lies outside low {low[r]:g} .. high "
            f"{high[r]:g} at {utc(time[r])}"
        ),
        "adjusted and raw prices may be mixed: repair the row",
    )


def _said(text: str, values: Float64, time: Int64, row: int) -> str:
    return text.format(values[row], utc(time[row])).replace("is nan", "is missing (NaN)")


def _notes(names: list[str], used: dict[str, str]) -> tuple[str, ...]:
    """Columns whose being left out changes what a return means."""
    adjusted = [n for n in names if "adj" in n.lower() and "close" in n.lower()]
    if adjusted and used["close"] not in adjusted:
        return (
            f"Files have a column {adjusted[0]!r} that is not used: prices are as in "
            f"{used['close']!r}, so that dividends, and perhaps splits, show as price moves.",
        )
    return ()


def names_of(scan: "pl.LazyFrame") -> list[str]:
    """Names of a file's columns.

    Raises:
        SourceError: a file that cannot be read.
    """
    import polars as pl  # noqa: PLC0415

    try:
        return scan.collect_schema().names()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(_unreadable(error)) from None


def collect(scan: "pl.LazyFrame", names: list[str]) -> "pl.DataFrame":
    """These columns of a file.

    Raises:
        SourceError: a file that cannot be read.
    """
    import polars as pl  # noqa: PLC0415

    try:
        return scan.select(names).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(_unreadable(error)) from None


def _unreadable(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if not text or "empty" in text:
        return "the file is empty: download it again, or remove it"
    way_out = "save it as UTF-8" if "utf" in text.lower() else "download it again, or remove it"
    return f"cannot be read ({text[:160]}): {way_out}"
