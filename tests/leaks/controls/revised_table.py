"""A table with revisions, joined as of knowledge time by touchstone's own input.

The honest twin of the join on the time that a figure speaks of.
"""

import numpy as np
import polars as pl

LAYER = None
STUDY = {
    "side": {"figure": {"kind": "table", "path": "figure.parquet"}},
    "features": {"extra": {"figure": "figure", "told": "figure_known"}},
}
_HOUR = 3_600_000_000_000


def files(folder, panel):
    """One figure of every instrument every other day, first told 36 hours after, revised once."""
    rng = np.random.default_rng(int(panel.volume[0]))
    tables = []
    for i, symbol in enumerate(panel.symbols):
        event = np.arange(panel.bars(i).time[0], panel.available_at.max(), 48 * _HOUR)
        first = rng.normal(size=event.size)
        for late, value in ((36, first), (60, first + rng.normal(0, 0.3, event.size))):
            tables.append(pl.DataFrame({
                "symbol": [symbol] * event.size,
                "event_time": pl.Series(event).cast(pl.Datetime("ns", "UTC")),
                "knowledge_time": pl.Series(event + late * _HOUR).cast(pl.Datetime("ns", "UTC")),
                "value": value,
            }))  # fmt: skip
    pl.concat(tables).write_parquet(folder / "figure.parquet")
