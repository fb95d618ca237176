"""A moving average with its window centred on the bar: half of it lies ahead.

Whoever smooths for a plot (`center=True` looks better) and keeps the column as a feature.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"smooth": {"kind": "centred_rolling"}},
    "features": {"extra": {"smooth": "smooth"}},
}


class CentredRollingConfig(Config):
    kind: Literal["centred_rolling"] = "centred_rolling"


@SIDES.register(CentredRollingConfig)
def centred_rolling(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    mean = pl.col("close").rolling_mean(9, center=True).over("symbol")
    smooth = bars.select(mean / pl.col("close") - 1)["close"].to_numpy()
    return Joined({"": smooth}, np.zeros(len(panel)))
