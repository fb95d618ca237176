"""The leader's return of the bar before, beside every bar of the others."""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"leader": {"kind": "lagged_leader"}},
    "features": {"extra": {"leader": "leader"}},
}


class LaggedLeaderConfig(Config):
    kind: Literal["lagged_leader"] = "lagged_leader"


@SIDES.register(LaggedLeaderConfig)
def lagged_leader(_config, panel, _place):
    # By name: which instrument stands first may change with a listing.
    first = panel.bars(panel.symbols.index("S00"))
    change = np.diff(first.close, prepend=np.nan) / first.close
    lead = pl.DataFrame({"time": first.time + panel.timeframe.ns, "leader": change})
    bars = pl.DataFrame({"time": panel.time})
    joined = bars.join(lead, on="time", how="left", maintain_order="left")["leader"]
    return Joined({"": joined.cast(pl.Float64).to_numpy()}, np.zeros(len(panel)))
