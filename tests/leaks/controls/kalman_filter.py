"""What a Kalman filter of the price did not expect: filtered, never smoothed."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"surprise": {"kind": "kalman_filter"}},
    "features": {"extra": {"surprise": "surprise"}},
}


class KalmanFilterConfig(Config):
    kind: Literal["kalman_filter"] = "kalman_filter"


@SIDES.register(KalmanFilterConfig)
def kalman_filter(_config, panel, _place):
    return Joined({"": panel.per_instrument(innovations)}, np.zeros(len(panel)))


def innovations(bars):
    """A local level with the noise of the level a tenth of the noise of the price."""
    price = np.log(bars.close)
    out = np.full(price.size, np.nan)
    level, variance = (price[0] if price.size else 0.0), 1.0
    for t in range(1, price.size):
        variance += 0.1
        gain = variance / (variance + 1.0)
        out[t] = price[t] - level
        level += gain * out[t]
        variance *= 1.0 - gain
    return out
