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
    if len(bars) >= 168:
        # Sorting adds nothing up: the number picked is one of the bars' own.
        week = np.sort(np.lib.stride_tricks.sliding_window_view(bars.volume, 168), axis=1)
        out[167:] = (bars.volume[167:] - week[:, 84]) / (week[:, 151] - week[:, 84])
    return out
