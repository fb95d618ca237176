"""The hour of the day as the mean return that followed it, where that is known by now.

The honest twin of target encoding: a bar's next eight count once they are over.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"hour_paid": {"kind": "past_target_encoding"}},
    "features": {"extra": {"hour_paid": "hour_paid"}},
}


class PastTargetEncodingConfig(Config):
    kind: Literal["past_target_encoding"] = "past_target_encoding"


@SIDES.register(PastTargetEncodingConfig)
def past_target_encoding(_config, panel, _place):
    return Joined({"": panel.per_instrument(paid_so_far)}, np.zeros(len(panel)))


def paid_so_far(bars):
    hour = bars.time // 3_600_000_000_000 % 24
    total, n = np.zeros(24), np.zeros(24)
    out = np.zeros(len(bars))
    for t in range(len(bars)):
        if t >= 8:
            known = hour[t - 8]
            total[known] += bars.close[t] / bars.close[t - 8] - 1
            n[known] += 1
        out[t] = total[hour[t]] / max(n[hour[t]], 1)
    return out
