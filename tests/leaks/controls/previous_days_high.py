"""The close over the high of the day before, joined by date plus one."""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"yesterday": {"kind": "previous_days_high"}},
    "features": {"extra": {"yesterday": "yesterday"}},
}


class PreviousDaysHighConfig(Config):
    kind: Literal["previous_days_high"] = "previous_days_high"


@SIDES.register(PreviousDaysHighConfig)
def previous_days_high(_config, panel, _place):
    bars = pl.DataFrame({
        "symbol": panel.asset_id, "date": panel.calendar.day(panel.time), "high": panel.high,
    })  # fmt: skip
    daily = bars.group_by("symbol", "date").agg(before=pl.col("high").max())
    daily = daily.with_columns(pl.col("date") + 1)
    hourly = bars.join(daily, on=("symbol", "date"), how="left", maintain_order="left")
    before = hourly["before"].cast(pl.Float64).to_numpy()
    return Joined({"": panel.close / before - 1}, np.zeros(len(panel)))
