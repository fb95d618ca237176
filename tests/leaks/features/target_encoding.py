"""The hour of the day as the mean return that followed it, over all days there will ever be.

Whoever encodes a category by its target with `groupby(...).transform("mean")`.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"hour_paid": {"kind": "target_encoding"}},
    "features": {"extra": {"hour_paid": "hour_paid"}},
}


class TargetEncodingConfig(Config):
    kind: Literal["target_encoding"] = "target_encoding"


@SIDES.register(TargetEncodingConfig)
def target_encoding(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close}).with_columns(
        hour=pl.Series(panel.time // 3_600_000_000_000 % 24),
        target=(pl.col("close").shift(-8) / pl.col("close") - 1).over("symbol"),
    )
    paid = bars.select(pl.col("target").mean().over("hour"))["target"]
    return Joined({"": paid.cast(pl.Float64).to_numpy()}, np.zeros(len(panel)))
