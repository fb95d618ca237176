"""A folder of CSV files, one per symbol; or a single file."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import StringConstraints

from touchstone.data.folder import load_files
from touchstone.data.formats import Files, FolderConfig
from touchstone.data.loading import Loaded, Request
from touchstone.data.sources import SOURCES

if TYPE_CHECKING:
    import polars as pl


class CsvConfig(FolderConfig):
    """CSV files of bars, UTF-8, whose first line names the columns; plain or gzipped."""

    source: Literal["csv"] = "csv"
    separator: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    """Character between two values."""


@SOURCES.register(CsvConfig)
def load(config: CsvConfig, request: Request) -> Loaded:
    """Bars of every readable file.

    Raises:
        SourceError: no such path, no CSV file in it, or none that can be used.
    """
    scan = partial(_scan, separator=config.separator)
    return load_files(config, request, Files("csv", (".csv", ".csv.gz"), scan, first_line=2))


def _scan(path: Path, separator: str) -> "pl.LazyFrame":
    import polars as pl  # noqa: PLC0415  a study that makes its market needs none

    # every value as text: it is parsed where its row can still be named
    return pl.scan_csv(path, separator=separator, infer_schema=False, glob=False)
