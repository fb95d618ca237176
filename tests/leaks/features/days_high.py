"""How far the close lies below the high of its day, the high of the evening in the morning.

Whoever joins daily bars to hourly ones by date.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"below_high": {"kind": "days_high"}},
    "features": {"extra": {"below_high": "below_high"}},
}


class DaysHighConfig(Config):
    kind: Literal["days_high"] = "days_high"


@SIDES.register(DaysHighConfig)
def days_high(_config, panel, _place):
    bars = pl.DataFrame({
        "symbol": panel.asset_id, "date": panel.calendar.day(panel.time),
        "close": panel.close, "high": panel.high,
    })  # fmt: skip
    daily = bars.group_by("symbol", "date").agg(day_high=pl.col("high").max())
    hourly = bars.join(daily, on=("symbol", "date"), how="left", maintain_order="left")
    below = hourly.select(pl.col("close") / pl.col("day_high") - 1)["close"].to_numpy()
    return Joined({"": below}, np.zeros(len(panel)))
