"""The four-hour bar under its start: at its first hour the close of its last is known.

Whoever resamples (labels stand left by default) and joins back by time.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"slow": {"kind": "higher_bar_at_start"}},
    "features": {"extra": {"slow": "slow"}},
}


class HigherBarAtStartConfig(Config):
    kind: Literal["higher_bar_at_start"] = "higher_bar_at_start"


@SIDES.register(HigherBarAtStartConfig)
def higher_bar_at_start(_config, panel, _place):
    hours = pl.DataFrame({
        "symbol": panel.asset_id, "time": panel.time, "close": panel.close,
        "slow_time": panel.time // (4 * panel.timeframe.ns) * (4 * panel.timeframe.ns),
    })  # fmt: skip
    slow = hours.group_by("symbol", "slow_time", maintain_order=True).agg(pl.col("close").last())
    slow = slow.with_columns(change=(pl.col("close") / pl.col("close").shift(1) - 1).over("symbol"))
    joined = hours.join(
        slow, on=("symbol", "slow_time"), how="left", maintain_order="left", suffix="_slow"
    )
    return Joined({"": joined["change"].to_numpy()}, np.zeros(len(panel)))
