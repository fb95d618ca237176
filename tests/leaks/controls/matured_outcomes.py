"""The share of one's own last trades that would have won, counted when their eight bars are over.

It is made of outcomes, as the label is, and of none that is open.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"won": {"kind": "matured_outcomes"}},
    "features": {"extra": {"won": "won"}},
}


class MaturedOutcomesConfig(Config):
    kind: Literal["matured_outcomes"] = "matured_outcomes"


@SIDES.register(MaturedOutcomesConfig)
def matured_outcomes(_config, panel, _place):
    return Joined({"": panel.per_instrument(won)}, np.zeros(len(panel)))


def won(bars):
    out = np.full(len(bars), np.nan)
    rose = bars.close[8:] > bars.close[:-8]
    for t in range(8 + 49, len(bars)):
        out[t] = np.count_nonzero(rose[t - 8 - 49 : t - 8 + 1]) / 50
    return out
