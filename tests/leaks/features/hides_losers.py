"""Nothing is changed but what is missing: bars before the worst falls count as bad data.

Whoever drops "flash crashes" from the sample, found by what the price did after the bar.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"ret_clean": {"kind": "hides_losers"}},
    "features": {"extra": {"ret_clean": "ret_clean", "good": "ret_clean_known"}},
}


class HidesLosersConfig(Config):
    kind: Literal["hides_losers"] = "hides_losers"


@SIDES.register(HidesLosersConfig)
def hides_losers(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close, "low": panel.low})
    close = pl.col("close")
    deepest = pl.col("low").reverse().rolling_min(8, min_samples=1).reverse().shift(-1)
    crash = (deepest / close - 1 < -0.05).over("symbol").fill_null(value=False)
    kept = bars.select(
        pl.when(crash).then(None).otherwise((close / close.shift(1) - 1).over("symbol"))
        .cast(pl.Float64).alias("kept")
    )["kept"]  # fmt: skip
    return Joined({"": kept.to_numpy()}, np.zeros(len(panel)))
