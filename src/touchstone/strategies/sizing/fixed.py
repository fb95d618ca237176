"""Every position the same stated fraction of equity."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.strategies import Outlook
from touchstone.strategies.sizing import SIZINGS


class FixedConfig(Config):
    """A fraction of equity each, however many there are; the account's cash ends it."""

    kind: Literal["fixed"] = "fixed"
    fraction: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Value to buy, fraction of equity at the decision's close."""


@SIZINGS.register(FixedConfig)
def fixed(config: FixedConfig, outlook: Outlook, max_positions: int) -> Float64:  # noqa: ARG001
    """The fraction at every row, (n_rows,)."""
    return np.full(outlook.up.shape, config.fraction)
