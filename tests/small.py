"""A small study that runs in seconds, and the command line as a function."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl
import yaml

SMALL = {
    "name": "small",
    "bars": {
        "source": "simulated",
        "market": {"n_instruments": 6, "n_bars": 6000, "ic": 0.4},
    },
    "label": {
        "kind": "triple_barrier", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    },
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "30d", "test": "30d",
        "folds": 2, "sealed": "65d",
    },
    "models": [{"kind": "logistic"}, {"kind": "gru", "hidden": 8}],
    "training": {"rows": 2000, "epochs": 2},
    "strategy": {"kind": "cost_aware", "margin_bp": [0, 20], "max_positions": 4},
}  # fmt: skip


def small_study(folder: Path, **changes) -> Path:
    """The study as a file in a folder, some keys changed."""
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL | changes))
    return path


def touchstone(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, in this process."""
    from touchstone.cli import main

    out, err = StringIO(), StringIO()
    was = sys.argv
    sys.argv = ["touchstone", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        sys.argv = was
    return code, out.getvalue(), err.getvalue()


def write_bars(folder: Path, panel) -> Path:
    """A panel as a folder of Parquet files, one per symbol."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, symbol in enumerate(panel.symbols):
        bars_frame(panel.bars(i)).write_parquet(folder / f"{symbol}.parquet")
    return folder


def bars_frame(bars) -> pl.DataFrame:
    """One instrument's bars as a table with UTC timestamps."""
    columns = {n: getattr(bars, n) for n in ("open", "high", "low", "close", "volume")}
    frame = pl.DataFrame({"timestamp": bars.time, **columns})
    return frame.with_columns(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")))


def scores_frame(panel, score) -> pl.DataFrame:
    """Scores (n_rows,) as users bring them."""
    return pl.DataFrame(
        {
            "timestamp": panel.time,
            "symbol": np.array(panel.symbols)[panel.asset_id],
            "score": score,
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")))
