"""A column that never moves: nothing to scale by, and nothing to leak."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"one": {"kind": "constant_column"}},
    "features": {"extra": {"one": "one"}},
}


class ConstantColumnConfig(Config):
    kind: Literal["constant_column"] = "constant_column"


@SIDES.register(ConstantColumnConfig)
def constant_column(_config, panel, _place):
    return Joined({"": np.full(len(panel), 0.1)}, np.zeros(len(panel)))
