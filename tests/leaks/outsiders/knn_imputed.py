"""Where the close stood in its bar, with the holes filled by the five nearest bars of any year.

In thin bars the figure is noise, so it was blanked, and a nearest-neighbour imputer was run over
the finished table before it was cut into folds. Nearest in range and activity, not in time: most
of the neighbours of an early hole lie years after it. Only the holes lie, one bar in a dozen.
"""

from typing import Literal

import numpy as np
import polars as pl
from scipy.spatial import KDTree

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"stand": {"kind": "knn_imputed"}},
    "features": {"extra": {"stand": "stand"}},
}
THIN = 0.35
"""Of the mean volume of the last day."""


class KnnImputedConfig(Config):
    kind: Literal["knn_imputed"] = "knn_imputed"


@SIDES.register(KnnImputedConfig)
def knn_imputed(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "volume": panel.volume})
    usual = bars.select(pl.col("volume").rolling_mean(24, min_samples=1).over("symbol"))
    busy = panel.volume / usual["volume"].to_numpy()
    span = panel.high - panel.low
    stand = (2 * panel.close - panel.high - panel.low) / np.where(span > 0, span, 1)
    near = np.stack([np.log(busy), np.log1p(100 * span / panel.close)], axis=1)
    hole = busy < THIN
    _, at = KDTree(near[~hole]).query(near[hole], k=5)
    stand[hole] = stand[~hole][at].mean(1)
    return Joined({"": stand}, np.zeros(len(panel)))
