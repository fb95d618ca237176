"""The close over its exponential average, from the oldest bar to the newest.

The honest twin of the average over a file that stood newest first.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"away": {"kind": "ewma"}},
    "features": {"extra": {"away": "away"}},
}


class EwmaConfig(Config):
    kind: Literal["ewma"] = "ewma"


@SIDES.register(EwmaConfig)
def ewma(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    average = pl.col("close").ewm_mean(span=12, adjust=False)
    away = bars.select((pl.col("close") / average - 1).over("symbol"))["close"]
    return Joined({"": away.to_numpy()}, np.zeros(len(panel)))
