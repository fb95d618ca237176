"""The direction of the zig-zag's leg: it turns at the extreme, which only the reversal makes one.

Whoever takes swings from a chart: the pivot stands at the top, and was drawn days after it.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"leg": {"kind": "zigzag_pivot"}},
    "features": {"extra": {"leg": "leg"}},
}


class ZigzagPivotConfig(Config):
    kind: Literal["zigzag_pivot"] = "zigzag_pivot"


@SIDES.register(ZigzagPivotConfig)
def zigzag_pivot(_config, panel, _place):
    leg = np.empty(len(panel))
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        leg[a:b] = legs(panel.close[a:b], 0.03)
    return Joined({"": leg}, np.zeros(len(panel)))


def legs(close, reversal):
    """+1 between a low pivot and the next high one, -1 on the way down."""
    direction = np.ones(close.size)
    extreme, sign = 0, 1.0
    for t in range(close.size):
        if sign * (close[t] - close[extreme]) >= 0:
            extreme = t
        elif sign * (close[extreme] - close[t]) > reversal * close[extreme]:
            # Reversed: the new leg has been under way since the extreme.
            sign = -sign
            direction[extreme:] = sign
            extreme = t
    return direction
