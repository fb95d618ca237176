"""How long an instrument has been there: its first bar is known ever after."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"age": {"kind": "listed_since"}},
    "features": {"extra": {"age": "age"}},
}


class ListedSinceConfig(Config):
    kind: Literal["listed_since"] = "listed_since"


@SIDES.register(ListedSinceConfig)
def listed_since(_config, panel, _place):
    return Joined(
        {"": panel.per_instrument(lambda bars: np.log1p(np.arange(len(bars))))},
        np.zeros(len(panel)),
    )
