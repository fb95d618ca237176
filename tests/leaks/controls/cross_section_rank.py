"""The rank of an instrument's day among all instruments at the same close.

It looks across, not ahead.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"place": {"kind": "cross_section_rank"}},
    "features": {"extra": {"place": "place"}},
}


class CrossSectionRankConfig(Config):
    kind: Literal["cross_section_rank"] = "cross_section_rank"


@SIDES.register(CrossSectionRankConfig)
def cross_section_rank(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "time": panel.time, "close": panel.close})
    bars = bars.with_columns(r=(pl.col("close") / pl.col("close").shift(24) - 1).over("symbol"))
    place = bars.select((pl.col("r").rank() / pl.col("r").count()).over("time"))["r"]
    return Joined({"": place.to_numpy()}, np.zeros(len(panel)))
