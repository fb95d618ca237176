"""Ichimoku's lagging span: today's close drawn thirty bars back, and read where it is drawn.

Whoever copies an indicator from a charting package: the shift belongs to the picture.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"span": {"kind": "shift_30"}},
    "features": {"extra": {"span": "span"}},
}


class Shift30Config(Config):
    kind: Literal["shift_30"] = "shift_30"


@SIDES.register(Shift30Config)
def shift_30(_config, panel, _place):
    span = np.full(len(panel), np.nan)
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        close = panel.close[a:b]
        span[a : max(b - 30, a)] = close[30:] / close[:-30] - 1
    return Joined({"": span}, np.zeros(len(panel)))
