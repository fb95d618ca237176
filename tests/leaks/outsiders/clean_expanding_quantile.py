"""The share of all volumes of an instrument so far that lie below this bar's.

It looks like a quantile of the whole sample, and at the last bar it is one. At every other bar it
counts those until then.
"""

from bisect import bisect_left, insort
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"crowd": {"kind": "clean_expanding_quantile"}},
    "features": {"extra": {"crowd": "crowd"}},
}


class CleanExpandingQuantileConfig(Config):
    kind: Literal["clean_expanding_quantile"] = "clean_expanding_quantile"


@SIDES.register(CleanExpandingQuantileConfig)
def clean_expanding_quantile(_config, panel, _place):
    def share(bars):
        held, found = [], np.empty(len(bars))
        for i, volume in enumerate(bars.volume.tolist()):
            insort(held, volume)
            found[i] = bisect_left(held, volume) / len(held)
        return found

    return Joined({"": panel.per_instrument(share)}, np.zeros(len(panel)))
