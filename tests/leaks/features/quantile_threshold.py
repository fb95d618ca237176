"""A flag for busy bars: volume above the 90th percentile, of all volumes there will ever be.

Whoever turns a number into a class by a quantile of the column.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"busy_bar": {"kind": "quantile_threshold"}},
    "features": {"extra": {"busy_bar": "busy_bar"}},
}


class QuantileThresholdConfig(Config):
    kind: Literal["quantile_threshold"] = "quantile_threshold"


@SIDES.register(QuantileThresholdConfig)
def quantile_threshold(_config, panel, _place):
    flag = np.zeros(len(panel))
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        if b > a:
            flag[a:b] = panel.volume[a:b] > np.quantile(panel.volume[a:b], 0.9)
    return Joined({"": flag}, np.zeros(len(panel)))
