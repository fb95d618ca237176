"""The universe is whatever has held its price until today.

"Nothing that has collapsed": symbols are filtered by where the last close of the file stands. Who
fell on the way is gone from all years, and with it the losses it made.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = "D"
STUDY: dict = {
    "bars": {
        "source": "universe_by_last_price",
        "market": {"n_instruments": 10, "n_bars": 1500, "ic": 0.4},
    }
}


class LastPriceConfig(Config):
    source: Literal["universe_by_last_price"] = "universe_by_last_price"
    market: MarketConfig = MarketConfig()


@SOURCES.register(LastPriceConfig)
def by_last_price(config, request):
    market = SimulatedConfig(market=config.market)
    panel = load(market, request).panel
    held = panel.close[panel.offsets[1:] - 1] / panel.close[panel.offsets[:-1]]
    keep = held >= np.median(held)
    names = tuple(s for s, is_kept in zip(panel.symbols, keep, strict=True) if is_kept)
    return load(market, request._replace(symbols=names))
