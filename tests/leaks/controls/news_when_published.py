"""Headlines, scored, from their publication on, by touchstone's own input.

The honest twin of the news joined by date.
"""

import numpy as np
import polars as pl

LAYER = None
STUDY = {
    "side": {"mood": {"kind": "news", "path": "news.parquet"}},
    "features": {"extra": {"mood": "mood", "items": "mood_count"}},
}
_SAYS = ("great profit", "terrible loss", "new order", "good growth", "weak demand")


def files(folder, panel):
    """Two items a day and instrument."""
    rng = np.random.default_rng(int(panel.volume[0]))
    n = 120 * panel.n_instruments
    when = np.sort(rng.integers(panel.time.min(), panel.available_at.max(), n))
    pl.DataFrame({
        "symbol": rng.choice(panel.symbols, n),
        "created_at": pl.Series(when).cast(pl.Datetime("ns", "UTC")),
        "headline": rng.choice(_SAYS, n),
    }).write_parquet(folder / "news.parquet")  # fmt: skip
