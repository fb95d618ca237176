"""The close below its highest close so far."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"drawdown": {"kind": "cumulative_maximum"}},
    "features": {"extra": {"drawdown": "drawdown"}},
}


class CumulativeMaximumConfig(Config):
    kind: Literal["cumulative_maximum"] = "cumulative_maximum"


@SIDES.register(CumulativeMaximumConfig)
def cumulative_maximum(_config, panel, _place):
    return Joined(
        {"": panel.per_instrument(lambda bars: bars.close / np.maximum.accumulate(bars.close) - 1)},
        np.zeros(len(panel)),
    )
