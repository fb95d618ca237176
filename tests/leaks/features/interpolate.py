"""Doubtful prices taken out and drawn as a line to the next good one.

Whoever calls `interpolate()` after cleaning: only bars right before a good one lie.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"steady": {"kind": "interpolate"}},
    "features": {"extra": {"steady": "steady"}},
}


class InterpolateConfig(Config):
    kind: Literal["interpolate"] = "interpolate"


@SIDES.register(InterpolateConfig)
def interpolate(_config, panel, _place):
    bars = pl.DataFrame({
        "symbol": panel.asset_id, "close": panel.close, "volume": panel.volume,
    })  # fmt: skip
    thin = pl.col("volume") < 0.35 * pl.col("volume").rolling_mean(24, min_samples=1)
    bars = bars.with_columns(close=pl.when(thin.over("symbol")).then(None).otherwise("close"))
    bars = bars.with_columns(close=pl.col("close").interpolate().over("symbol"))
    change = bars.select((pl.col("close") / pl.col("close").shift(6) - 1).over("symbol"))
    return Joined({"": change["close"].to_numpy()}, np.zeros(len(panel)))
