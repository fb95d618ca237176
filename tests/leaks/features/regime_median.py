"""Two regimes, calm and wild, told apart by the median volatility of the whole history.

Whoever splits at the median so that both regimes have as many bars.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"wild": {"kind": "regime_median"}},
    "features": {"extra": {"wild": "wild"}},
}


class RegimeMedianConfig(Config):
    kind: Literal["regime_median"] = "regime_median"


@SIDES.register(RegimeMedianConfig)
def regime_median(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    change = pl.col("close") / pl.col("close").shift(1) - 1
    bars = bars.with_columns(volatility=change.rolling_std(24).over("symbol"))
    wild = (pl.col("volatility") > pl.col("volatility").median()).over("symbol")
    return Joined(
        {"": bars.select(wild.cast(pl.Float64))["volatility"].to_numpy()}, np.zeros(len(panel))
    )
