"""Clean: a split shows in price and volume on its day, both as they were printed."""

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
        "source": "data_split_as_printed",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    },
    "features": {"extra": {"money": "log(volume * close)"}},
}
RATIO = 2.0


class PrintedConfig(Config):
    source: Literal["data_split_as_printed"] = "data_split_as_printed"
    market: MarketConfig = MarketConfig()


@SOURCES.register(PrintedConfig)
def printed(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    after = (age >= 0.6 * config.market.n_bars) & (panel.asset_id == 1)
    factor = np.where(after, 1 / RATIO, 1.0)
    columns = {n: getattr(panel, n) * factor for n in ("open", "high", "low", "close")}
    return loaded._replace(panel=replace(panel, volume=panel.volume / factor, **columns))
