"""Files of bars as they are, impossible rows included: what checks look at before trust."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.data import columns, grid, stamps
from touchstone.data.bar_file import collect, instruments, names_of, numbers
from touchstone.data.folder import listed_files, nearest
from touchstone.data.formats import Files, FolderConfig
from touchstone.data.loading import Reject
from touchstone.data.store import MANIFEST, Row, check, steady
from touchstone.errors import ConfigError, DataError, SourceError
from touchstone.files import SYMBOL, stem_to_symbol, symbol_to_stem
from touchstone.market import Bars, Calendar, Timeframe
from touchstone.market.bars import FIELDS

if TYPE_CHECKING:
    import polars as pl

VWAP: Final = "vwap"
ORIGINS: Final = ("source", "feed", "adjustment")
"""Text columns that say where a row comes from; they must not change inside a file."""

_VWAP_NAMES: Final = ("vwap", "vw", "weightedaverage", "averageprice")


class RawBars(NamedTuple):
    """One instrument's rows in the order of the file, times in ns UTC; nothing is checked."""

    symbol: str
    file: str
    """Path as it was opened; empty for bars that came from no file."""
    row: Int64
    """Row of the file that each row was, counted from 0, (n_rows,)."""
    time: Int64
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64
    """Zeros where the file has none."""
    vwap: Float64 | None = None
    """Volume-weighted average price, where the file has one."""
    off_grid: str | None = None
    """Why the times are no starts of bars; None where they are."""
    origin: Mapping[str, str] = {}
    """What the store's manifest says: source, adjustment."""
    marks: Mapping[str, tuple[str, ...]] = {}
    """Text columns that say where each row comes from, (n_rows,) each."""
    lacks_volume: bool = False
    """Whether the file has no volume, and nobody said that it may lack one."""

    @classmethod
    def of(cls, bars: Bars) -> "RawBars":
        """Checked bars, seen as rows."""
        values = (getattr(bars, name) for name in FIELDS)
        return cls(bars.symbol, "", np.arange(len(bars)), bars.time, *values)

    @property
    def prices(self) -> tuple[Float64, Float64, Float64, Float64]:
        """Open, high, low, close, (n_rows,) each."""
        return self.open, self.high, self.low, self.close


class RawFolder(NamedTuple):
    """All that a folder holds, readable or not."""

    bars: tuple[RawBars, ...]
    """By symbol."""
    unreadable: tuple[Reject, ...]


def read_folder(
    config: FolderConfig, root: Path = Path(), symbols: Sequence[str] | None = None
) -> RawFolder:
    """Every file of bars under `config.path`, Parquet and CSV alike; a store by its manifest.

    Raises:
        SourceError: no such path, or no file of bars in it.
    """
    path = root / config.path
    if not (path / MANIFEST).is_file():
        listed = dict.fromkeys(listed_files(path, files_of(config)))
        return _read(path, listed, config, symbols)
    return steady(path, lambda rows: _read(path, _held(path, rows, config), config, symbols))


def _read(
    path: Path, names: Mapping[tuple[str, Path], Row | None], config: FolderConfig,
    symbols: Sequence[str] | None,
) -> RawFolder:  # fmt: skip
    bars: dict[str, RawBars] = {}
    unreadable: list[Reject] = []
    for (stem, file), row in names.items():
        named = symbol_of(stem) if row is None else row.symbol
        try:
            if row is not None:
                check(row, file.read_bytes())
            for found in _file(stem, file, config, symbols):
                if isinstance(found, Reject):
                    unreadable.append(found)
                elif found.symbol in bars:
                    twice = "was read from another file already: keep one of the two"
                    unreadable.append(Reject(found.symbol, str(file), twice))
                else:
                    bars[found.symbol] = found._replace(origin=_origin(row))
        except (DataError, ConfigError, OSError) as error:
            if symbols is None or named in symbols:
                unreadable.append(Reject(named, str(file), str(error)))
    told = bars.keys() | {reject.symbol for reject in unreadable}
    known = [symbol_of(stem) if row is None else row.symbol for (stem, _), row in names.items()]
    absent = [Reject(s, str(path), nearest(s, known)) for s in symbols or () if s not in told]
    return RawFolder(tuple(bars[s] for s in sorted(bars)), (*unreadable, *absent))


def symbol_of(stem: str) -> str:
    """The symbol that a file is named after; its name itself where that names none."""
    try:
        return stem_to_symbol(stem)
    except DataError:
        return stem


def _held(
    path: Path, held: Sequence[Row], config: FolderConfig
) -> dict[tuple[str, Path], Row | None]:
    rows = [row for row in held if row.timeframe == config.timeframe]
    if not rows:
        raise SourceError(f"{path}: the store has no bars of timeframe: {config.timeframe}")
    return {(symbol_to_stem(row.symbol), path / row.file): row for row in rows}


def _origin(row: Row | None) -> dict[str, str]:
    return {} if row is None else {"source": row.source, "adjustment": row.adjustment}


def files_of(config: FolderConfig) -> Files:
    """Parquet and CSV alike, told apart by their suffix."""
    separator = str(getattr(config, "separator", ","))

    def scan(file: Path) -> "pl.LazyFrame":
        import polars as pl  # noqa: PLC0415

        if file.name.lower().endswith((".parquet", ".pq")):
            return pl.scan_parquet(file, glob=False, hive_partitioning=False)
        return pl.scan_csv(file, separator=separator, infer_schema=False, glob=False)

    return Files("parquet or csv", (".parquet", ".pq", ".csv", ".csv.gz"), scan)


def _file(
    stem: str, file: Path, config: FolderConfig, symbols: Sequence[str] | None
) -> Iterator[RawBars | Reject]:
    scan = files_of(config).scan(file)
    there = names_of(scan)
    try:
        names = columns.match(there, config.columns, with_volume=not config.without_volume)
    except SourceError:
        # a file without a volume can still be checked, and says so among the findings
        names = columns.match(there, config.columns, with_volume=False)
        names.pop("volume", None)
    more = _more(there, list(names.values()))
    frame = collect(scan, [*names.values(), *more.values()])
    for symbol, rows, part in instruments(stem, frame, names):
        if symbols is not None and symbol not in symbols:
            continue
        try:
            yield _raw(symbol, rows, part, {**more, **names}, config)._replace(file=str(file))
        except DataError as error:
            yield Reject(symbol, str(file), str(error))


def _more(there: Sequence[str], used: Sequence[str]) -> dict[str, str]:
    """Further columns that a check can use: what it is -> its name in the file."""
    plain = {"".join(c for c in n.lower() if c.isalnum()): n for n in there if n not in used}
    found: dict[str, str] = {name: plain[name] for name in ORIGINS if name in plain}
    vwap = next((plain[n] for n in _VWAP_NAMES if n in plain), None)
    return found if vwap is None else {**found, VWAP: vwap}


def _raw(
    symbol: str, rows: Int64, frame: "pl.DataFrame", names: dict[str, str], config: FolderConfig
) -> RawBars:
    if not SYMBOL.fullmatch(symbol):
        raise SourceError(f"{symbol!r} is no symbol: needs {SYMBOL.pattern}: rename it")
    timeframe, calendar = Timeframe(config.timeframe), Calendar(config.calendar)
    named_days = timeframe.is_daily and calendar.is_exchange
    read = stamps.parse(frame[names["time"]], config.timestamp_unit, config.timezone, named_days)
    off_grid = None
    try:
        time = grid.starts(read, calendar, timeframe, config.stamp)
    except SourceError as error:
        off_grid, time = str(error), read.utc
    values = {f: numbers(frame[names[f]], f) for f in FIELDS if f in names}
    values.setdefault("volume", np.zeros(time.size))
    vwap = numbers(frame[names[VWAP]], VWAP) if VWAP in names else None
    marks: dict[str, tuple[str, ...]] = {
        name: tuple(str(x) for x in frame[names[name]].to_list())
        for name in ORIGINS
        if name in names
    }
    open_, high, low, close, volume = (values[f] for f in FIELDS)
    lacks = "volume" not in names and not config.without_volume
    return RawBars(
        symbol, "", rows, time, open_, high, low, close, volume, vwap, off_grid, {}, marks, lacks
    )
