"""Empty cells filled with the mean of the cells before them.

The honest twin of the mean fill.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"pressure": {"kind": "past_mean_fill"}},
    "features": {"extra": {"pressure": "pressure"}},
}


class PastMeanFillConfig(Config):
    kind: Literal["past_mean_fill"] = "past_mean_fill"


@SIDES.register(PastMeanFillConfig)
def past_mean_fill(_config, panel, _place):
    return Joined({"": panel.per_instrument(filled)}, np.zeros(len(panel)))


def filled(bars):
    span = bars.high - bars.low
    wide = span > 0.003 * bars.open
    pressure = np.where(wide, (bars.close - bars.open) / np.where(wide, span, 1), 0.0)
    mean = np.cumsum(pressure) / np.maximum(np.cumsum(wide), 1)
    return np.where(wide, pressure, mean)
