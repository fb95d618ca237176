"""A day's return less the mean of the instruments that trade at that hour, some of them new.

The number of columns is that of all instruments there will ever be; those without a bar a day ago
count neither in the sum nor in the number.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig
from touchstone.simulation import MarketConfig

LAYER = None
STUDY = {
    "bars": {"source": "clean_newcomers"},
    "side": {"apart": {"kind": "clean_present_members"}},
    "features": {"extra": {"apart": "apart"}},
}
LISTED = np.datetime64("2022-02-06T09:00", "ns").astype(np.int64)
"""When the last two instruments trade for the first time."""


class CleanNewcomersConfig(Config):
    source: Literal["clean_newcomers"] = "clean_newcomers"
    market: MarketConfig = MarketConfig(n_instruments=6, n_bars=1500, ic=0.4)


@SOURCES.register(CleanNewcomersConfig)
def clean_newcomers(config, request):
    loaded = SOURCES.part("simulated")(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    late = np.isin(panel.asset_id, [panel.symbols.index(s) for s in panel.symbols[-2:]])
    return loaded._replace(panel=panel.where(~late | (panel.time >= LISTED)))


class CleanPresentMembersConfig(Config):
    kind: Literal["clean_present_members"] = "clean_present_members"


@SIDES.register(CleanPresentMembersConfig)
def clean_present_members(_config, panel, _place):
    blocks = panel.blocks()
    close = np.log(blocks.spread(panel.close))
    moved = np.full_like(close, np.nan)
    moved[24:] = close[24:] - close[:-24]
    total, number = np.zeros(len(close)), np.zeros(len(close))
    for column in moved.T:
        total += np.nan_to_num(column)
        number += np.isfinite(column)
    apart = moved - (total / np.maximum(number, 1))[:, None]
    found = np.full(len(panel), np.nan)
    found[blocks.row[blocks.valid]] = apart[blocks.valid]
    return Joined({"": found}, np.zeros(len(panel)))
