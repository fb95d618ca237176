"""Every position the same share of equity."""

from typing import Literal

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.strategies import Outlook
from touchstone.strategies.sizing import SIZINGS


class EqualWeightConfig(Config):
    """1 / max_positions of equity each, so that all slots filled are the whole equity."""

    kind: Literal["equal_weight"] = "equal_weight"


@SIZINGS.register(EqualWeightConfig)
def equal_weight(config: EqualWeightConfig, outlook: Outlook, max_positions: int) -> Float64:  # noqa: ARG001
    """1 / max_positions at every row, (n_rows,)."""
    return np.full(outlook.up.shape, 1.0 / max_positions)
