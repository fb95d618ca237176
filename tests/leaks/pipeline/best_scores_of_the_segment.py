"""Those rows are entered whose score is among the best tenth of the whole segment.

`df[df.score > df.score.quantile(0.9)]` on the finished backtest. On the first day of the test
nobody knows how high the scores of the last day will be.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.strategies import STRATEGIES, Intent

LAYER = "B"
STUDY: dict = {"strategy": {"kind": "best_scores_of_the_segment"}}


class BestConfig(Config):
    kind: Literal["best_scores_of_the_segment"] = "best_scores_of_the_segment"
    share: float = 0.1

    def candidates(self):
        return (self,)


@STRATEGIES.register(BestConfig)
def best_scores(config, outlook, hold_bars):
    hit = outlook.hit
    scored = np.isfinite(hit) & np.isfinite(outlook.up) & np.isfinite(outlook.down)
    least = np.quantile(hit[scored], 1 - config.share) if scored.any() else np.inf
    weight = np.full(hit.size, 1 / 3)
    leave = np.zeros(hit.size, bool)
    return Intent(
        scored & (hit >= least), hit, leave, outlook.up, outlook.down, weight, hold_bars, 3
    )
