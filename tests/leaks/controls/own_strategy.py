"""A strategy of one's own: likelier targets get more of the equity; a row's wish reads that row."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.strategies import STRATEGIES, Intent

LAYER = None
STUDY = {"strategy": {"kind": "own_strategy", "least": [0.2, 0.3]}}


class OwnStrategyConfig(Config):
    kind: Literal["own_strategy"] = "own_strategy"
    least: tuple[float, ...] = (0.3,)

    def candidates(self):
        return tuple(self.model_copy(update={"least": (one,)}) for one in self.least)


@STRATEGIES.register(OwnStrategyConfig)
def own_strategy(config, outlook, hold_bars):
    hit = outlook.hit
    enter = hit >= config.least[0]
    weight = np.where(enter, np.minimum(hit, 0.3), 0.0)
    return Intent(enter, hit, hit < 0.05, outlook.up, outlook.down, weight, hold_bars, 3)
