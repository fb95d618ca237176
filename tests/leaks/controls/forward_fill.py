"""The pressure of the last bar that moved enough to have one, carried on.

A fill that looks back only.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"quiet": {"kind": "forward_fill"}},
    "features": {"extra": {"quiet": "quiet"}},
}


class ForwardFillConfig(Config):
    kind: Literal["forward_fill"] = "forward_fill"


@SIDES.register(ForwardFillConfig)
def forward_fill(_config, panel, _place):
    span = panel.high - panel.low
    wide = span > 0.003 * panel.open
    pressure = np.where(wide, (panel.close - panel.open) / np.where(wide, span, 1), np.nan)
    bars = pl.DataFrame({"symbol": panel.asset_id, "pressure": pressure}).with_columns(
        pl.col("pressure").fill_nan(None).forward_fill().over("symbol")
    )
    return Joined({"": bars["pressure"].to_numpy()}, np.zeros(len(panel)))
