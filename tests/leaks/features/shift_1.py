"""The next bar's return under the name of momentum: `shift(-1)` where `shift(1)` was meant.

Whoever comes from a table that is sorted newest first, where -1 is the bar before.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"momentum": {"kind": "shift_1"}},
    "features": {"extra": {"momentum": "momentum"}},
}


class Shift1Config(Config):
    kind: Literal["shift_1"] = "shift_1"


@SIDES.register(Shift1Config)
def shift_1(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    close = pl.col("close")
    moved = bars.select((close.shift(-1) / close - 1).over("symbol"))
    return Joined({"": moved["close"].to_numpy()}, np.zeros(len(panel)))
