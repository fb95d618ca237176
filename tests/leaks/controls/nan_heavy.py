"""A column that is missing on nine bars of ten, by what those bars themselves are like."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"rare": {"kind": "nan_heavy"}},
    "features": {"extra": {"rare": "rare", "rare_there": "rare_known"}},
}


class NanHeavyConfig(Config):
    kind: Literal["nan_heavy"] = "nan_heavy"


@SIDES.register(NanHeavyConfig)
def nan_heavy(_config, panel, _place):
    turn = np.abs(panel.close / panel.open - 1) > 0.012
    return Joined({"": np.where(turn, panel.close / panel.open - 1, np.nan)}, np.zeros(len(panel)))
