"""Volume against the median and the 90th percentile of the last week."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"busy_bar": {"kind": "rolling_quantile"}},
    "features": {"extra": {"busy_bar": "busy_bar"}},
}


class RollingQuantileConfig(Config):
    kind: Literal["rolling_quantile"] = "rolling_quantile"


@SIDES.register(RollingQuantileConfig)
def rolling_quantile(_config, panel, _place):
    return Joined({"": panel.per_instrument(against_the_week)}, np.zeros(len(panel)))


def against_the_week(bars):
    out = np.full(len(bars), np.nan)
    for t in range(167, len(bars)):
        middle, high = np.quantile(bars.volume[t - 167 : t + 1], [0.5, 0.9])
        out[t] = (bars.volume[t] - middle) / (high - middle)
    return out
