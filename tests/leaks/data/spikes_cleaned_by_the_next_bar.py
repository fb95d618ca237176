"""Bad ticks are taken out of the bars if the next bar takes them back.

The store is "cleaned" once a night: a bar that jumps and whose successor returns is replaced. A
jump that stays is left. Who then buys after jumps meets those only that went on.
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
        "source": "spikes_cleaned_by_the_next_bar",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    }
}
JUMP = 0.004


class CleanedConfig(Config):
    source: Literal["spikes_cleaned_by_the_next_bar"] = "spikes_cleaned_by_the_next_bar"
    market: MarketConfig = MarketConfig()


@SOURCES.register(CleanedConfig)
def cleaned(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    rows = np.arange(1, len(panel) - 1)
    same = panel.asset_id[rows - 1] == panel.asset_id[rows + 1]
    before, here, after = (np.log(panel.close[rows + k]) for k in (-1, 0, 1))
    back = (np.abs(here - before) > JUMP) & ((here - before) * (after - here) < 0)
    bad = rows[back & same & (np.abs(after - here) > JUMP)]
    close = panel.close.copy()
    close[bad] = np.sqrt(panel.close[bad - 1] * panel.close[bad + 1])
    high = np.maximum(panel.high, close)
    low = np.minimum(panel.low, close)
    return loaded._replace(panel=replace(panel, close=close, high=high, low=low))
