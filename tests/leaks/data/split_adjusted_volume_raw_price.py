"""Volume is adjusted for splits, the price is not.

Two columns of two vendors' files: shares as of today, prices as they were printed. Before a split
of 4:1 money traded is four times what it was, and the table knows of the split years ahead.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = "D"
STUDY: dict = {
    "bars": {
        "source": "split_adjusted_volume_raw_price",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    },
    "features": {"extra": {"money": "log(volume * close)"}},
}
RATIO = 4.0


class TornConfig(Config):
    source: Literal["split_adjusted_volume_raw_price"] = "split_adjusted_volume_raw_price"
    market: MarketConfig = MarketConfig()


@SOURCES.register(TornConfig)
def torn(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    share = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    ex = np.array([int(config.market.n_bars * (0.5 + 0.1 * (i % 4))) for i in range(len(
        panel.symbols))])[panel.asset_id]  # fmt: skip
    after = share >= ex
    has_split = np.isin(panel.asset_id, np.unique(panel.asset_id[after]))
    prices = {n: np.where(after, getattr(panel, n) / RATIO, getattr(panel, n)) for n in PRICES}
    volume = np.where(has_split, panel.volume * RATIO, panel.volume)
    return loaded._replace(panel=replace(panel, volume=volume, **prices))


PRICES = ("open", "high", "low", "close")
