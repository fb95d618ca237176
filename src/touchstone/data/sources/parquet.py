"""A folder of Parquet files, one per symbol; a single file; or a store of ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from touchstone.data.folder import load_files
from touchstone.data.formats import Files, FolderConfig
from touchstone.data.loading import Loaded, Request
from touchstone.data.sources import SOURCES
from touchstone.data.store import MANIFEST, Row, steady
from touchstone.data.stored import load_rows
from touchstone.errors import SourceError

if TYPE_CHECKING:
    import polars as pl


class ParquetConfig(FolderConfig):
    """Parquet files of bars, from any tool; or a folder that `touchstone.data.store` wrote."""

    source: Literal["parquet"] = "parquet"


@SOURCES.register(ParquetConfig)
def load(config: ParquetConfig, request: Request) -> Loaded:
    """Bars of every readable file; of a store, those that its manifest names.

    Raises:
        SourceError: no such path, no Parquet file in it, or none that can be used.
    """
    files = Files("parquet", (".parquet", ".pq"), _scan)
    path = request.root / config.path
    if not (path / MANIFEST).is_file():
        return load_files(config, request, files)

    def attempt(held: tuple[Row, ...]) -> Loaded:
        rows = [row for row in held if row.timeframe == config.timeframe]
        if not rows:
            raise SourceError(f"{path}: the store has no bars of timeframe: {config.timeframe}")
        return load_rows(path, rows, config, request)

    return steady(path, attempt)


def _scan(path: Path) -> "pl.LazyFrame":
    import polars as pl  # noqa: PLC0415  a study that makes its market needs none

    return pl.scan_parquet(path, glob=False, hive_partitioning=False)
