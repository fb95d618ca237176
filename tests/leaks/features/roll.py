"""Yesterday's price by `np.roll`, which is a ring: the first bar follows upon the last.

Whoever takes `roll` for `shift`. Nothing but the first bar of each instrument lies.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"gap": {"kind": "roll"}},
    "features": {"extra": {"gap": "gap"}},
}


class RollConfig(Config):
    kind: Literal["roll"] = "roll"


@SIDES.register(RollConfig)
def roll(_config, panel, _place):
    gap = np.empty(len(panel))
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        gap[a:b] = panel.open[a:b] / np.roll(panel.close[a:b], 1) - 1
    return Joined({"": gap}, np.zeros(len(panel)))
