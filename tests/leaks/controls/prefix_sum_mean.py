"""A moving average as the difference of two running totals near 1e12: coarse, and honest.

Its digits are poor, and the same in every run.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"mean_gap": {"kind": "prefix_sum_mean"}},
    "features": {"extra": {"mean_gap": "mean_gap"}},
}


class PrefixSumMeanConfig(Config):
    kind: Literal["prefix_sum_mean"] = "prefix_sum_mean"


@SIDES.register(PrefixSumMeanConfig)
def prefix_sum_mean(_config, panel, _place):
    return Joined({"": panel.per_instrument(gap)}, np.zeros(len(panel)))


def gap(bars):
    total = np.r_[0.0, np.cumsum(bars.close + 1e10)]
    out = np.full(len(bars), np.nan)
    mean = (total[24:] - total[:-24]) / 24 - 1e10
    out[23:] = bars.close[23:] / mean - 1
    return out
