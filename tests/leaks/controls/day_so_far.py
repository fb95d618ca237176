"""Volume and high of the day, as far as it has come.

The honest twin of the day's totals.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"today": {"kind": "day_so_far"}},
    "features": {"extra": {"share": "today_share", "below_high": "today_below"}},
}


class DaySoFarConfig(Config):
    kind: Literal["day_so_far"] = "day_so_far"


@SIDES.register(DaySoFarConfig)
def day_so_far(_config, panel, _place):
    bars = pl.DataFrame({
        "symbol": panel.asset_id, "day": panel.calendar.day(panel.time),
        "high": panel.high, "volume": panel.volume,
    })  # fmt: skip
    so_far = bars.select(
        (pl.col("volume") / pl.col("volume").cum_sum()).over("symbol", "day"),
        pl.col("high").cum_max().over("symbol", "day"),
    )
    below = panel.close / so_far["high"].to_numpy() - 1
    return Joined({"share": so_far["volume"].to_numpy(), "below": below}, np.zeros(len(panel)))
