"""A price between 0 and 1 by the lowest and highest of the whole history.

Whoever calls `MinMaxScaler().fit_transform` on the column, as the tutorials of price networks do.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"place": {"kind": "full_minmax"}},
    "features": {"extra": {"level": "place"}},
}


class FullMinmaxConfig(Config):
    kind: Literal["full_minmax"] = "full_minmax"


@SIDES.register(FullMinmaxConfig)
def full_minmax(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    close = pl.col("close")
    scaled = ((close - close.min()) / (close.max() - close.min())).over("symbol")
    return Joined({"": bars.select(scaled)["close"].to_numpy()}, np.zeros(len(panel)))
