"""The first principal component of a few columns, its axes fitted on every row there is.

Whoever reduces dimensions once, for the whole table, since "it does not use the labels".
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"factor": {"kind": "pca_on_all"}},
    "features": {"extra": {"factor": "factor"}},
}


class PcaOnAllConfig(Config):
    kind: Literal["pca_on_all"] = "pca_on_all"


@SIDES.register(PcaOnAllConfig)
def pca_on_all(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close, "volume": panel.volume})
    close = pl.col("close")
    table = bars.select(
        *((close / close.shift(k) - 1).over("symbol").alias(f"r{k}") for k in (1, 4, 12)),
        (pl.col("volume") / pl.col("volume").rolling_mean(24) - 1).over("symbol").alias("v"),
    ).to_numpy()
    whole = np.isfinite(table).all(axis=1)
    factor = np.full(len(panel), np.nan)
    if whole.sum() > 4:
        x = (table[whole] - table[whole].mean(axis=0)) / table[whole].std(axis=0)
        _, _, axes = np.linalg.svd(x, full_matrices=False)
        factor[whole] = x @ (axes[0] * np.sign(axes[0, 0]))
    return Joined({"": factor}, np.zeros(len(panel)))
