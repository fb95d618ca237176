"""A z-score by the mean and deviation of the whole history.

Whoever normalises the table first and cuts it into train and test afterwards.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"z": {"kind": "full_zscore"}},
    "features": {"extra": {"z": "z"}},
}


class FullZscoreConfig(Config):
    kind: Literal["full_zscore"] = "full_zscore"


@SIDES.register(FullZscoreConfig)
def full_zscore(_config, panel, _place):
    log_volume = pl.col("volume").log1p()
    bars = pl.DataFrame({"symbol": panel.asset_id, "volume": panel.volume})
    z = ((log_volume - log_volume.mean()) / log_volume.std()).over("symbol")
    return Joined({"": bars.select(z)["volume"].to_numpy()}, np.zeros(len(panel)))
