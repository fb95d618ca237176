"""The best three by the return of the whole history are the universe; the others' rows are empty.

Whoever says "let us take the coins that mattered", and counts from today.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"top": {"kind": "universe_by_full_return"}},
    "features": {"extra": {"top": "top"}},
}


class UniverseByFullReturnConfig(Config):
    kind: Literal["universe_by_full_return"] = "universe_by_full_return"


@SIDES.register(UniverseByFullReturnConfig)
def universe_by_full_return(_config, panel, _place):
    gain = np.array(
        [
            b.close[-1] / b.close[0] if len(b) else 0.0
            for b in map(panel.bars, range(panel.n_instruments))
        ]
    )
    rank = np.argsort(np.argsort(-gain)) + 1.0
    rank[rank > 3] = np.nan
    return Joined({"": rank[panel.asset_id]}, np.zeros(len(panel)))
