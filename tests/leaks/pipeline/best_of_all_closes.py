"""The k best are taken among the rows of all closes, those to come with them, not of each close.

`df.nlargest(k, "score")` where `df.groupby("time")` was meant: the rank of today's row says how
many better ones will come.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.strategies import STRATEGIES
from touchstone.strategies.top_k import TopKConfig, top_k

LAYER = "B"
STUDY: dict = {"strategy": {"kind": "best_of_all_closes"}}


class BestOfAllConfig(Config):
    kind: Literal["best_of_all_closes"] = "best_of_all_closes"
    k: int = 150

    def candidates(self):
        return (self,)


@STRATEGIES.register(BestOfAllConfig)
def best_of_all(config, outlook, hold_bars):
    one_close = outlook._replace(instant=np.zeros(outlook.up.size, np.int64))
    best = TopKConfig(
        k=config.k, band=0, by="probability", floor=0.0, sizing={"kind": "fixed", "fraction": 0.3}
    )
    return top_k(best, one_close, hold_bars)._replace(max_positions=3)
