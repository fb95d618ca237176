"""Years before a listing are filled with jittered copies of the years after it.

The network wants series of equal length, and S02 was listed late. So its early history is made
from what it did later, "with some noise": the train range holds the test range once more.
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
        "source": "synthetic_backfill",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    }
}


class BackfillConfig(Config):
    source: Literal["synthetic_backfill"] = "synthetic_backfill"
    market: MarketConfig = MarketConfig()
    young: str = "S02"
    share: float = 0.4
    """Of its history, made up."""


@SOURCES.register(BackfillConfig)
def backfilled(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    if config.young not in panel.symbols:
        return loaded
    a, b = panel.offsets[panel.symbols.index(config.young) :][:2]
    n = int(config.share * (b - a))
    noise = np.exp(1e-4 * np.random.default_rng(3).standard_normal(n))
    level = panel.close[a + n] / panel.close[b - 1]
    columns = {}
    for name in ("open", "high", "low", "close", "volume"):
        column = getattr(panel, name).copy()
        column[a : a + n] = column[b - n : b] * noise * (1 if name == "volume" else level)
        columns[name] = column
    return loaded._replace(panel=replace(panel, **columns))
