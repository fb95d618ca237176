"""One Parquet file of records that are no bars: opened, its columns there, its instants zoned."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from touchstone.arrays import Int64
from touchstone.errors import SourceError

if TYPE_CHECKING:
    import polars as pl


def opened(path: Path, needed: tuple[str, ...] = ()) -> "pl.DataFrame":
    """The file's rows.

    Raises:
        SourceError: no such file, none of Parquet, or one that lacks a needed column.
    """
    import polars as pl  # noqa: PLC0415  a study of bars needs none

    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        said = " ".join(str(error).split())[:160]
        raise SourceError(f"{path}: cannot be read as Parquet ({said})") from None
    missing = [n for n in needed if n not in frame.columns]
    if missing:
        raise SourceError(
            f"{path}: no column {', '.join(missing)}; needs {', '.join(needed)}, has "
            f"{', '.join(frame.columns)}"
        )
    return frame


def instants(path: Path, frame: "pl.DataFrame", name: str) -> Int64:
    """A column of instants, ns UTC, (n_rows,).

    Raises:
        SourceError: they name no zone, or a cell is empty.
    """
    column = frame[name]
    if getattr(column.dtype, "time_zone", None) is None or column.null_count():
        raise SourceError(
            f"{path}: {name} is of type {column.dtype} with {column.null_count()} empty cells: "
            "needs instants that name their zone"
        )
    return np.asarray(column.dt.epoch("ns").to_numpy(), np.int64)
