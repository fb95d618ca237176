"""The direction of the zig-zag from the bar on that confirms it: a top is told once past."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"leg": {"kind": "confirmed_zigzag"}},
    "features": {"extra": {"leg": "leg"}},
}


class ConfirmedZigzagConfig(Config):
    kind: Literal["confirmed_zigzag"] = "confirmed_zigzag"


@SIDES.register(ConfirmedZigzagConfig)
def confirmed_zigzag(_config, panel, _place):
    return Joined({"": panel.per_instrument(legs)}, np.zeros(len(panel)))


def legs(bars, reversal=0.03):
    """+1 from the bar on that rose so far above the last low, -1 likewise below the last high."""
    direction = np.ones(len(bars))
    extreme, sign = (bars.close[0] if len(bars) else 0.0), 1.0
    for t, close in enumerate(bars.close):
        if sign * (close - extreme) >= 0:
            extreme = close
        elif sign * (extreme - close) > reversal * extreme:
            sign, extreme = -sign, close
        direction[t] = sign
    return direction
