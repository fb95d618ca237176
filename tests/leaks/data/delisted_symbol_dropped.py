"""A symbol that is no longer listed is left out of its history, too.

The symbols are the vendor's list of today. Who was delisted on the way has no entry any more, and
the backtest never held it.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.market import Panel
from touchstone.simulation import MarketConfig

LAYER = "D"
STUDY: dict = {
    "bars": {
        "source": "delisted_symbol_dropped",
        "market": {"n_instruments": 7, "n_bars": 1500, "ic": 0.4},
    }
}
LIVES = {"S01": 0.55, "S04": 0.75}
"""Share of the history after which two of them are delisted."""


class ListedConfig(Config):
    source: Literal["delisted_symbol_dropped"] = "delisted_symbol_dropped"
    market: MarketConfig = MarketConfig()


@SOURCES.register(ListedConfig)
def listed(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    life = np.array([LIVES.get(s, 1) for s in panel.symbols]) * config.market.n_bars
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    traded = panel.where(age < life[panel.asset_id])
    today = traded.time.max()
    bars = [traded.bars(i) for i in range(traded.n_instruments)]
    alive = [b for b in bars if len(b) and b.time[-1] == today]
    return loaded._replace(panel=Panel.from_bars(alive, panel.timeframe, panel.calendar))
