"""A rank in the cross-section, in which instruments stand that are not listed yet.

The closes were spread into a table, a column each, and its holes filled backwards "so that the
rank has no missing values". An instrument that comes in five weeks has a flat price until then,
and a momentum of zero that half of the others beat. No later price is read: what is known ahead is
who will be listed.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig
from touchstone.simulation import MarketConfig

LAYER = "A"
STUDY = {
    "bars": {"source": "listed_in_february"},
    "side": {"standing": {"kind": "not_yet_listed"}},
    "features": {"extra": {"standing": "standing"}},
}
LISTED = np.datetime64("2022-02-06T09:00", "ns").astype(np.int64)
"""When the last two instruments trade for the first time."""


class ListedInFebruaryConfig(Config):
    source: Literal["listed_in_february"] = "listed_in_february"
    market: MarketConfig = MarketConfig(n_instruments=6, n_bars=1500, ic=0.4)


@SOURCES.register(ListedInFebruaryConfig)
def listed_in_february(config, request):
    loaded = SOURCES.part("simulated")(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    late = np.isin(panel.asset_id, [panel.symbols.index(s) for s in panel.symbols[-2:]])
    return loaded._replace(panel=panel.where(~late | (panel.time >= LISTED)))


class NotYetListedConfig(Config):
    kind: Literal["not_yet_listed"] = "not_yet_listed"


@SIDES.register(NotYetListedConfig)
def not_yet_listed(_config, panel, _place):
    blocks = panel.blocks()
    close = pl.DataFrame(np.log(blocks.spread(panel.close))).fill_nan(None)
    close = close.select(pl.all().backward_fill().forward_fill().fill_null(np.nan)).to_numpy()
    momentum = np.full_like(close, np.nan)
    momentum[24:] = close[24:] - close[:-24]
    there = np.isfinite(momentum)
    rank = np.full(len(panel), np.nan)
    at, who = np.nonzero(blocks.row >= 0)
    own = momentum[at, who]
    beaten = (momentum[at] < own[:, None]).sum(1) / np.maximum(there[at].sum(1), 1)
    rank[blocks.row[at, who]] = np.where(np.isfinite(own), beaten, np.nan)
    return Joined({"": rank}, np.zeros(len(panel)))
