"""Single stages as tables: features and labels of a folder of bars, written as Parquet or CSV."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from touchstone.arrays import Floats
from touchstone.data.folder import source_of
from touchstone.data.sources import SOURCES, Loaded, Request
from touchstone.errors import ConfigError
from touchstone.features import FeaturesConfig, evaluate
from touchstone.files import write_bytes
from touchstone.labels import LABELS, UNKNOWN
from touchstone.market import Panel
from touchstone.pipelines.prepare import column, compile_some


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


def feature_table(panel: Panel, settings: Mapping[str, Any]) -> pl.DataFrame:
    """symbol, timestamp, available_at and one column a feature."""
    plan = compile_some(FeaturesConfig.parse(settings), panel)
    return feature_frame(panel, plan.names, evaluate(plan, panel))


def feature_frame(panel: Panel, names: tuple[str, ...], values: Floats) -> pl.DataFrame:
    """Feature columns beside the rows they belong to."""
    return _beside(panel, {name: values[:, i] for i, name in enumerate(names)})


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


def _beside(panel: Panel, columns: Mapping[str, Any]) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "symbol": np.array(panel.symbols)[panel.asset_id],
            "timestamp": panel.time,
            "available_at": panel.available_at,
            **{name: np.ascontiguousarray(c) for name, c in columns.items()},
        }
    )
    stamps = ("timestamp", "available_at")
    return frame.with_columns(pl.col(c).cast(pl.Datetime("ns", "UTC")) for c in stamps)
