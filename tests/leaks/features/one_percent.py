"""Spikes repaired by the mean of the bars on both sides: one bar in a hundred, and no other.

Whoever cleans ticks: a bar that stands out is "obviously" bad, and its neighbours are there.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"repaired": {"kind": "one_percent"}},
    "features": {"extra": {"repaired": "repaired"}},
}


class OnePercentConfig(Config):
    kind: Literal["one_percent"] = "one_percent"


@SIDES.register(OnePercentConfig)
def one_percent(_config, panel, _place):
    close = panel.close.copy()
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        c = panel.close[a:b]
        for t in range(1, c.size - 1):
            spread = panel.high[a + t] / panel.low[a + t] - 1
            if spread > 0.034:
                close[a + t] = (c[t - 1] + c[t + 1]) / 2
    bars = pl.DataFrame({"symbol": panel.asset_id, "close": close})
    change = bars.select((pl.col("close") / pl.col("close").shift(1) - 1).over("symbol"))["close"]
    return Joined({"": change.to_numpy()}, np.zeros(len(panel)))
