"""The bar's share of its day's volume, the evening's trades counted in the morning.

Whoever calls `groupby(date).transform("sum")`.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"share": {"kind": "days_total_volume"}},
    "features": {"extra": {"share": "share"}},
}


class DaysTotalVolumeConfig(Config):
    kind: Literal["days_total_volume"] = "days_total_volume"


@SIDES.register(DaysTotalVolumeConfig)
def days_total_volume(_config, panel, _place):
    bars = pl.DataFrame({
        "symbol": panel.asset_id, "day": panel.calendar.day(panel.time), "volume": panel.volume,
    })  # fmt: skip
    share = (pl.col("volume") / pl.col("volume").sum()).over("symbol", "day")
    return Joined({"": bars.select(share)["volume"].to_numpy()}, np.zeros(len(panel)))
