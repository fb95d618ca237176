"""Empty cells filled with the column's mean: one bar in a hundred.

Whoever calls `fillna(df.mean())`, and looks at nothing but whether a cell is left empty.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"pressure": {"kind": "mean_fill"}},
    "features": {"extra": {"pressure": "pressure"}},
}


class MeanFillConfig(Config):
    kind: Literal["mean_fill"] = "mean_fill"


@SIDES.register(MeanFillConfig)
def mean_fill(_config, panel, _place):
    # A bar that barely moved has no direction: its pressure is missing.
    move, span = panel.close - panel.open, panel.high - panel.low
    known = span > 0.003 * panel.open
    pressure = np.where(known, move / np.where(known, span, 1), np.nan)
    if known.any():
        pressure[~known] = np.nanmean(pressure)
    return Joined({"": pressure}, np.zeros(len(panel)))
