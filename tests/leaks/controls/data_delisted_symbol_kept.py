"""Clean: two symbols are delisted on the way and stay in their history; one is listed late."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = None
STUDY: dict = {
    "bars": {
        "source": "data_delisted_symbol_kept",
        "market": {"n_instruments": 7, "n_bars": 1500, "ic": 0.4},
    }
}
LIVES = {"S01": (0, 0.55), "S04": (0, 0.75), "S05": (0.2, 1)}


class KeptConfig(Config):
    source: Literal["data_delisted_symbol_kept"] = "data_delisted_symbol_kept"
    market: MarketConfig = MarketConfig()


@SOURCES.register(KeptConfig)
def kept(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    lives = np.array([LIVES.get(s, (0, 1)) for s in panel.symbols]) * config.market.n_bars
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    begin, end = lives[panel.asset_id].T
    return loaded._replace(panel=panel.where((age >= begin) & (age < end)))
