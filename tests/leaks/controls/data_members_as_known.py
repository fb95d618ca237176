"""Clean: members are those whose price held over the last ten days, as of every row."""

from dataclasses import replace
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = None
STUDY: dict = {
    "bars": {
        "source": "data_members_as_known",
        "market": {"n_instruments": 10, "n_bars": 1500, "ic": 0.4},
    }
}
BACK = 240


class MembersConfig(Config):
    source: Literal["data_members_as_known"] = "data_members_as_known"
    market: MarketConfig = MarketConfig()


@SOURCES.register(MembersConfig)
def members(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    rows = np.arange(len(panel))
    before = np.maximum(rows - BACK, panel.offsets[:-1][panel.asset_id])
    member = panel.close >= 0.9 * panel.close[before]
    return loaded._replace(panel=replace(panel, member=member))
