"""A z-score by the mean and deviation of all bars so far.

Sums run on from bar to bar (`cumsum`), so that a row's bits do not depend on how many follow.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"z": {"kind": "expanding_zscore"}},
    "features": {"extra": {"z": "z"}},
}


class ExpandingZscoreConfig(Config):
    kind: Literal["expanding_zscore"] = "expanding_zscore"


@SIDES.register(ExpandingZscoreConfig)
def expanding_zscore(_config, panel, _place):
    return Joined({"": panel.per_instrument(z_so_far)}, np.zeros(len(panel)))


def z_so_far(bars):
    x = np.log1p(bars.volume)
    n = np.arange(1, x.size + 1)
    mean = np.cumsum(x) / n
    variance = np.maximum(np.cumsum(x * x) / n - mean * mean, 0)
    deviation = np.where(variance > 1e-12, np.sqrt(variance), np.nan)
    return (x - mean) / deviation
