"""An exponential average over a file that stood newest first: it remembers the future.

Whoever reads a vendor's pages as they come, computes, and turns the table round at the end.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"momentum": {"kind": "reversed_ema"}},
    "features": {"extra": {"momentum": "momentum"}},
}


class ReversedEmaConfig(Config):
    kind: Literal["reversed_ema"] = "reversed_ema"


@SIDES.register(ReversedEmaConfig)
def reversed_ema(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close}).reverse()
    average = pl.col("close").ewm_mean(span=12, adjust=False)
    ratio = bars.select((pl.col("close") / average - 1).over("symbol"))["close"].reverse()
    return Joined({"": ratio.to_numpy()}, np.zeros(len(panel)))
