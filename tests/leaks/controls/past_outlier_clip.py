"""Returns cut at four deviations of all returns before them.

The honest twin of the outlier filter.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"tame": {"kind": "past_outlier_clip"}},
    "features": {"extra": {"tame": "tame"}},
}


class PastOutlierClipConfig(Config):
    kind: Literal["past_outlier_clip"] = "past_outlier_clip"


@SIDES.register(PastOutlierClipConfig)
def past_outlier_clip(_config, panel, _place):
    return Joined({"": panel.per_instrument(tamed)}, np.zeros(len(panel)))


def tamed(bars):
    change = np.diff(bars.close, prepend=bars.close[:1]) / bars.close
    n = np.arange(change.size)
    squares = np.r_[0.0, np.cumsum(change * change)][:-1]
    limit = np.where(n >= 24, 4 * np.sqrt(squares / np.maximum(n, 1)), np.inf)
    return np.clip(change, -limit, limit)
