"""Nothing is entered in the day before a dividend or a split, which nobody has announced yet.

The table of actions is joined to the bars by its ex-dates, and shifted back "to be out in time":
the strategy hears of each action a day before anybody does.
"""

from typing import Literal

import numpy as np

from leaks import everywhere
from leaks.eventful import with_actions
from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = "A"
STUDY: dict = {
    "bars": {
        "source": "action_known_early",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    },
}
HOURS = 24


class EarlyConfig(Config):
    source: Literal["action_known_early"] = "action_known_early"
    market: MarketConfig = MarketConfig()


@SOURCES.register(EarlyConfig)
def printed(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    return loaded._replace(panel=with_actions(loaded.panel))


def faulty(true):
    def outlook(config, prepared, where, pieces):
        seen = true(config, prepared, where, pieces)
        panel = prepared.panel
        acts = (panel.happened.ratio != 1) | (panel.happened.dividend > 0)
        ahead = np.zeros(len(panel), bool)
        for k in range(1, HOURS):
            ahead[:-k] |= acts[k:] & (panel.asset_id[k:] == panel.asset_id[:-k])
        away = ahead[where.rows][:, None]
        return seen._replace(probability=np.where(away, np.nan, seen.probability))

    return outlook


def plant(patch):
    everywhere.replace(patch, "touchstone.pipelines.decide", "outlook", faulty)
