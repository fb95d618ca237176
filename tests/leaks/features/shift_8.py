"""The label's own raw material left among the features: the return over the next eight bars.

Whoever makes features and label in one table, and drops only the column called label.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"change_8": {"kind": "shift_8"}},
    "features": {"extra": {"change_8": "change_8"}},
}


class Shift8Config(Config):
    kind: Literal["shift_8"] = "shift_8"


@SIDES.register(Shift8Config)
def shift_8(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": panel.close}).with_columns(
        change_8=(pl.col("close").shift(-8) / pl.col("close") - 1).over("symbol"),
    )
    return Joined({"": bars["change_8"].to_numpy()}, np.zeros(len(panel)))
