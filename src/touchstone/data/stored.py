"""What a study reads of a vendor: the bars that were fetched into a store before."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from touchstone.data.folder import load_files
from touchstone.data.formats import Files, FolderConfig
from touchstone.data.loading import Loaded, Reject, Request
from touchstone.data.store import MANIFEST, Row, check, steady
from touchstone.errors import SourceError
from touchstone.files import symbol_to_stem

if TYPE_CHECKING:
    import polars as pl


class Marks(NamedTuple):
    """What bars of one instrument must agree in to stand in one row of a store."""

    source: str
    """Who printed them, as in alpaca or ccxt/binance."""
    feed: str
    """Which of the vendor's feeds, as in sip."""
    adjustment: str
    """raw, split, dividend, or all (splits and dividends)."""


def load_rows(path: Path, rows: list[Row], config: FolderConfig, request: Request) -> Loaded:
    """Bars of these rows of a store, each file checked against the manifest.

    Raises:
        SourceError: none that can be used.
    """
    by_file = {path / row.file: row for row in rows}
    listed = [(symbol_to_stem(row.symbol), file) for file, row in by_file.items()]
    files = Files("parquet", (".parquet",), partial(_checked, by_file))
    return load_files(config, request, files, listed)


def load_stored(config: Any, marks: Callable[[str], Marks], request: Request) -> Loaded:
    """Bars of a vendor's store; rows of another feed or adjustment are rejects, never mixed in.

    Raises:
        SourceError: no store there, none of its bars are of this timeframe and these marks.
    """
    path = request.root / config.path
    command = f"touchstone data fetch SYMBOL ... --source {config.source} --store {config.path}"
    if not (path / MANIFEST).is_file():
        raise SourceError(f"{path}: no bars were fetched into it yet: {command}")
    return steady(path, lambda rows: _of_marks(path, rows, (config, marks), request))


def _of_marks(
    path: Path, held: tuple[Row, ...], asked_for: tuple[Any, Callable[[str], Marks]],
    request: Request,
) -> Loaded:  # fmt: skip
    """Bars of those rows that are as the study asks; the others are rejects."""
    config, marks = asked_for
    command = f"touchstone data fetch SYMBOL ... --source {config.source} --store {config.path}"
    rows = [row for row in held if row.timeframe == config.timeframe]
    rejects: list[Reject] = []
    kept: list[Row] = []
    for row in rows:
        found, asked = Marks(row.source, row.feed, row.adjustment), marks(row.symbol)
        if found == asked:
            kept.append(row)
        elif request.symbols is None or row.symbol in request.symbols:
            rejects.append(Reject(row.symbol, str(path / row.file), _other(found, asked)))
    if not kept:
        reasons = f"; {rejects[0].symbol}: {rejects[0].reason}" if rejects else ""
        raise SourceError(
            f"{path}: the store has no {config.timeframe} bars as the study asks: "
            f"{command} --timeframe {config.timeframe}{reasons}"
        )
    folder = FolderConfig(
        path=config.path,
        timeframe=config.timeframe,
        calendar=config.calendar,
        minimum_bars=config.minimum_bars,
    )
    loaded = load_rows(path, kept, folder, request)
    told = {reject.symbol for reject in rejects}
    also = tuple(r for r in loaded.rejects if r.symbol not in told)
    return loaded._replace(rejects=(*rejects, *also))


def _other(found: Marks, asked: Marks) -> str:
    pairs = zip(Marks._fields, found, asked, strict=True)
    name, has, wants = next(p for p in pairs if p[1] != p[2])
    return (
        f"the store's bars have {name} {has!r}, the study asks for {wants!r}: say so in the "
        "study, or fetch them into another store"
    )


def _checked(rows: dict[Path, Row], path: Path) -> "pl.LazyFrame":
    import polars as pl  # noqa: PLC0415  a study that makes its market needs none

    check(rows[path], path.read_bytes())
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)
