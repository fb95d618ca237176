"""The leader's return beside every bar, an hour too early: one table stamps ends, one starts.

Whoever joins bars of two vendors on a column called `timestamp` without asking what it stamps.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"leader": {"kind": "another_symbols_future"}},
    "features": {"extra": {"leader": "leader"}},
}


class AnotherSymbolsFutureConfig(Config):
    kind: Literal["another_symbols_future"] = "another_symbols_future"


@SIDES.register(AnotherSymbolsFutureConfig)
def another_symbols_future(_config, panel, _place):
    # The leader's file stamps the end of a bar, so "the bar of the same hour" is one hour on.
    first = panel.bars(panel.symbols.index("S00"))
    starts = first.time - panel.timeframe.ns
    change = np.diff(first.close, prepend=np.nan) / first.close
    lead = pl.DataFrame({"timestamp": starts, "leader": change})
    bars = pl.DataFrame({"timestamp": panel.time})
    joined = bars.join(lead, on="timestamp", how="left", maintain_order="left")["leader"]
    return Joined({"": joined.cast(pl.Float64).to_numpy()}, np.zeros(len(panel)))
