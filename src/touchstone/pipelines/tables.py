"""Single stages as tables: features and labels of a folder of bars, written as Parquet or CSV."""

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import polars as pl

from touchstone.arrays import Floats
from touchstone.data.cache import StageCache
from touchstone.data.folder import source_of
from touchstone.data.side import SIDES, Place
from touchstone.data.side_inputs import with_side
from touchstone.data.sources import SOURCES, Loaded, Request
from touchstone.errors import ConfigError
from touchstone.features import FeaturesConfig, evaluate_in_parts, n_parts
from touchstone.files import write_atomically, write_bytes
from touchstone.labels import LABELS, UNKNOWN
from touchstone.market import Panel
from touchstone.pipelines.prepare import column, compile_some, feature_matrix
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.workspace import source_hash

_ROWS: Final = 65_536
"""Rows of a table written at a time, in Parquet a row group."""


def load_folder(
    path: Path, more: Mapping[str, Any], symbols: tuple[str, ...] | None = None
) -> Loaded:
    """Bars of a folder, or of one file.

    Args:
        path: the folder.
        more: what a study would say under `bars:`, as in {"timeframe": "1h", "timezone": "UTC"}.
        symbols: only these.
    """
    settings = {"source": source_of(path), "path": str(path.resolve()), **more}
    if settings.get("actions") is not None:
        settings["actions"] = str(Path(settings["actions"]).resolve())  # as typed, from here
    config = SOURCES.parse(settings)
    return SOURCES.part_of(config)(config, Request(symbols, None, None, 0, path.parent))


def load_side(loaded: Loaded, inputs: Mapping[str, Any], root: Path) -> Loaded:
    """Bars with side inputs, name -> settings as under a study's `side:`; paths below `root`."""
    return with_side(loaded, {n: SIDES.parse(s) for n, s in inputs.items()}, Place(root))


def write_features(
    panel: Panel,
    settings: Mapping[str, Any],
    path: Path,
    progress: Progress,
    cache: StageCache | None = None,
) -> tuple[int, int]:
    """Write symbol, timestamp, available_at and one column a feature, a few instruments at a time.

    The file is there whole or not at all, Parquet or CSV by its suffix, and never in memory.
    With a cache, columns that it has are not computed, and those that it lacks are kept there.

    Returns:
        Rows and columns written.

    Raises:
        ConfigError: an expression that cannot be read, no feature, or another suffix.
    """
    form = check_format(path)
    plan = compile_some(FeaturesConfig.parse(settings), panel)
    parts: Iterable[tuple[slice, Floats]] = evaluate_in_parts(plan, panel)
    if cache is not None:
        made_of = (panel.content_hash(), source_hash())
        whole = feature_matrix(plan, panel, made_of, cache, progress)
        parts = [(slice(0, len(panel)), whole)]
    n = n_parts(panel) if cache is None else 1
    with progress.stage("features" if cache is None else "table", n) as step:

        def frames() -> Iterator[pl.DataFrame]:
            for rows, values in parts:
                for first in range(rows.start, rows.stop, _ROWS):
                    piece = slice(first, min(first + _ROWS, rows.stop))
                    within = slice(piece.start - rows.start, piece.stop - rows.start)
                    yield feature_frame(panel, plan.names, values[within], piece)
                step.advance(f"{rows.stop:,} rows")
                del values  # before the next part is computed: each is large

        write_atomically(path, lambda file: _write_frames(file, form, frames()))
        step.say(f"{len(plan.names)} columns on {len(panel):,} rows")
    return len(panel), len(plan.names) + 3


def _write_frames(file: BinaryIO, form: str, frames: Iterator[pl.DataFrame]) -> None:
    """Frames of the same columns one after the other, in Parquet a row group each."""
    first = next(frames)
    if form == "csv":
        first.write_csv(file)
        for frame in frames:
            frame.write_csv(file, include_header=False)
        return
    import pyarrow.parquet as pq  # noqa: PLC0415  polars writes no file in pieces

    table = first.to_arrow()
    # hardly a value of a feature comes twice: a dictionary of them would cost most of the time
    of_text = ["symbol"]
    with pq.ParquetWriter(file, table.schema, compression="zstd", use_dictionary=of_text) as writer:
        writer.write_table(table)
        for frame in frames:
            writer.write_table(frame.to_arrow())


def feature_frame(
    panel: Panel, names: tuple[str, ...], values: Floats, rows: slice = slice(None)
) -> pl.DataFrame:
    """Feature columns beside the rows of the panel they belong to."""
    return _beside(panel, {name: values[:, i] for i, name in enumerate(names)}, rows)


def label_table(panel: Panel, settings: Mapping[str, Any]) -> pl.DataFrame:
    """symbol, timestamp, available_at, outcome, exit_time, realised, up, down, ambiguous.

    Where the bars end before the outcome is known, outcome, exit and realised are null.
    """
    config = LABELS.parse(dict(settings))
    width = getattr(config, "width", None)
    labels = LABELS.part_of(config)(panel, config, None if width is None else column(width, panel))
    known = labels.exit != UNKNOWN
    columns = {
        "outcome": labels.outcome,
        "exit_time": panel.time[np.maximum(labels.exit, 0)],
        "realised": labels.realised,
        "up": labels.up,
        "down": labels.down,
        "ambiguous": labels.ambiguous,
    }
    frame = _beside(panel, columns).with_columns(pl.Series("known", known))
    blank = ("outcome", "exit_time", "realised")
    frame = frame.with_columns(pl.when(pl.col("known")).then(pl.col(c)).alias(c) for c in blank)
    return frame.with_columns(pl.col("exit_time").cast(pl.Datetime("ns", "UTC"))).drop("known")


def check_format(path: Path, to: str | None = None) -> str:
    """Csv or parquet, as asked or by the file's suffix.

    Raises:
        ConfigError: neither.
    """
    form = to or path.suffix.removeprefix(".")
    if form not in ("csv", "parquet"):
        raise ConfigError(f"{path}: needs csv or parquet, got {form!r}")
    return form


def write_table(frame: pl.DataFrame, path: Path, to: str | None = None) -> None:
    """Write a table whole or not at all; the format follows `to`, else the file's suffix."""
    form = check_format(path, to)
    buffer = BytesIO()
    if form == "csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    write_bytes(path, buffer.getvalue())


def date_ns(date: str) -> int:
    """A date's first instant, ns UTC."""
    try:
        return int(np.datetime64(date, "D").astype("datetime64[ns]").astype(np.int64))
    except ValueError:
        raise ConfigError(f"{date!r} is no date: needs YYYY-MM-DD") from None


def _beside(panel: Panel, columns: Mapping[str, Any], rows: slice = slice(None)) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "symbol": np.array(panel.symbols)[panel.asset_id[rows]],
            "timestamp": panel.time[rows],
            "available_at": panel.available_at[rows],
            **{name: np.ascontiguousarray(c) for name, c in columns.items()},
        }
    )
    stamps = ("timestamp", "available_at")
    return frame.with_columns(pl.col(c).cast(pl.Datetime("ns", "UTC")) for c in stamps)
