"""A price between 0 and 1 by the lowest and highest so far."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"place_so_far": {"kind": "expanding_minmax"}},
    "features": {"extra": {"place_so_far": "place_so_far"}},
}


class ExpandingMinmaxConfig(Config):
    kind: Literal["expanding_minmax"] = "expanding_minmax"


@SIDES.register(ExpandingMinmaxConfig)
def expanding_minmax(_config, panel, _place):
    return Joined({"": panel.per_instrument(place)}, np.zeros(len(panel)))


def place(bars):
    low, high = np.minimum.accumulate(bars.low), np.maximum.accumulate(bars.high)
    return (bars.close - low) / (high - low)
