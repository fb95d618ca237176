"""On-balance volume, a sum of millions that grows for years, and its change over a day.

`cumsum` adds in order: a row's total is the same bits whatever follows. `np.sum` of a prefix adds
in pairs and would not be.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"on_balance": {"kind": "running_total"}},
    "features": {"extra": {"on_balance": "on_balance"}},
}


class RunningTotalConfig(Config):
    kind: Literal["running_total"] = "running_total"


@SIDES.register(RunningTotalConfig)
def running_total(_config, panel, _place):
    return Joined({"": panel.per_instrument(change_of_total)}, np.zeros(len(panel)))


def change_of_total(bars):
    sign = np.sign(np.diff(bars.close, prepend=bars.close[:1]))
    total = np.cumsum(sign * bars.volume * bars.close) + 1e15
    out = np.full(total.size, np.nan)
    out[24:] = (total[24:] - total[:-24]) / 1e9
    return out
