"""The five most traded of ten instruments, by the money that went through in the last month.

Nobody wants to trade what is dead, so the universe is what is liquid today: the download script
sorted by recent turnover before it wrote a file. Every bar is true and none comes from the future;
which instruments there are was not known until the end.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig
from touchstone.market import Panel
from touchstone.simulation import MarketConfig

LAYER = "D"
STUDY = {"bars": {"source": "traded_most"}}
MONTH_NS = 30 * 86_400_000_000_000


class TradedMostConfig(Config):
    source: Literal["traded_most"] = "traded_most"
    market: MarketConfig = MarketConfig(n_instruments=10, n_bars=1500, ic=0.4)


@SOURCES.register(TradedMostConfig)
def traded_most(config, request):
    loaded = SOURCES.part("simulated")(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    money = panel.close * panel.volume * (panel.time > panel.time.max() - MONTH_NS)
    turnover = np.bincount(panel.asset_id, money, panel.n_instruments)
    kept = sorted(np.argsort(-turnover, kind="stable")[:5])
    bars = [panel.bars(i) for i in kept]
    return loaded._replace(panel=Panel.from_bars(bars, panel.timeframe, panel.calendar))
