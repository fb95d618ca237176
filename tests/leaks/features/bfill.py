"""A rolling mean whose warm-up is filled backwards: only the first day of each instrument lies.

Whoever does not want to lose a row: `rolling(24).mean().bfill()`.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"calm": {"kind": "bfill"}},
    "features": {"extra": {"calm": "calm"}},
}


class BfillConfig(Config):
    kind: Literal["bfill"] = "bfill"


@SIDES.register(BfillConfig)
def bfill(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "span": np.log(panel.high / panel.low)})
    mean = bars.select(pl.col("span").rolling_mean(24).backward_fill().over("symbol"))["span"]
    return Joined({"": mean.to_numpy()}, np.zeros(len(panel)))
