"""The close over the last close of the file: how far it still has to go.

Whoever rebases charts to 1 at the end, so that they are comparable, and forgets which end.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"rebased": {"kind": "price_over_last"}},
    "features": {"extra": {"rebased": "rebased"}},
}


class PriceOverLastConfig(Config):
    kind: Literal["price_over_last"] = "price_over_last"


@SIDES.register(PriceOverLastConfig)
def price_over_last(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close})
    rebased = bars.select((pl.col("close") / pl.col("close").last()).over("symbol"))["close"]
    return Joined({"": rebased.to_numpy()}, np.zeros(len(panel)))
