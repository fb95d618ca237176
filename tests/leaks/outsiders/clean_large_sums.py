"""Money that flowed in over a day, as the difference of two totals since the first bar.

Totals of some 1e11 of which differences of 1e8 are left: their last digits depend on the order of
summing. They are summed bar by bar, so the order is the same whatever comes later.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"flow": {"kind": "clean_large_sums"}},
    "features": {"extra": {"flow": "flow"}},
}


class CleanLargeSumsConfig(Config):
    kind: Literal["clean_large_sums"] = "clean_large_sums"


@SIDES.register(CleanLargeSumsConfig)
def clean_large_sums(_config, panel, _place):
    def flow(bars):
        found = np.full(len(bars), np.nan)
        money = bars.close * bars.volume
        signed = np.cumsum(np.where(bars.close > bars.open, money, -money))
        whole = np.cumsum(money)
        found[24:] = (signed[24:] - signed[:-24]) / (whole[24:] - whole[:-24])
        return found

    return Joined({"": panel.per_instrument(flow)}, np.zeros(len(panel)))
