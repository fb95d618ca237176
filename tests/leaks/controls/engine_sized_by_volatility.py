"""Clean: a strategy of one's own that buys less where the stop is wide."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.strategies import STRATEGIES, Intent

LAYER = None
STUDY: dict = {"strategy": {"kind": "engine_sized_by_volatility"}}


class ByVolatilityConfig(Config):
    kind: Literal["engine_sized_by_volatility"] = "engine_sized_by_volatility"
    least: float = 0.35
    risk: float = 0.004

    def candidates(self):
        return (self,)


@STRATEGIES.register(ByVolatilityConfig)
def by_volatility(config, outlook, hold_bars):
    hit, down = outlook.hit, outlook.down
    enter = (hit >= config.least) & np.isfinite(down)
    weight = np.clip(config.risk / np.where(enter, down, 1), 0.01, 0.5)
    leave = np.zeros(hit.size, bool)
    return Intent(enter, hit, leave, outlook.up, down, weight, hold_bars, 4)
