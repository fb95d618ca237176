"""Returns cut at the 1st and 99th percentile of the whole history: only outliers are touched.

Whoever winsorises in the cleaning step, before there are folds.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"tame": {"kind": "outlier_filter"}},
    "features": {"extra": {"tame": "tame"}},
}


class OutlierFilterConfig(Config):
    kind: Literal["outlier_filter"] = "outlier_filter"


@SIDES.register(OutlierFilterConfig)
def outlier_filter(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    bars = bars.with_columns(r=(pl.col("close") / pl.col("close").shift(1) - 1).over("symbol"))
    low, high = bars["r"].quantile(0.01), bars["r"].quantile(0.99)
    if low is None:
        return Joined({"": np.full(len(panel), np.nan)}, np.zeros(len(panel)))
    return Joined({"": bars["r"].clip(low, high).to_numpy()}, np.zeros(len(panel)))
