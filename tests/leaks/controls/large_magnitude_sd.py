"""The deviation of 24 prices that are all near 1e12: nearly nothing is left of their digits.

Each row from its own 24 numbers: a sum that is carried on would differ in the last digits from one
that begins elsewhere.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"sd": {"kind": "large_magnitude_sd"}},
    "features": {"extra": {"sd": "sd"}},
}


class LargeMagnitudeSdConfig(Config):
    kind: Literal["large_magnitude_sd"] = "large_magnitude_sd"


@SIDES.register(LargeMagnitudeSdConfig)
def large_magnitude_sd(_config, panel, _place):
    return Joined({"": panel.per_instrument(deviations)}, np.zeros(len(panel)))


def deviations(bars):
    far = 1e12 + bars.close
    out = np.full(len(bars), np.nan)
    for t in range(23, len(bars)):
        out[t] = far[t - 23 : t + 1].std()
    return out
