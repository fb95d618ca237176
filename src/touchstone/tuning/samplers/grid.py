"""Every point of a grid once, in an order that is shuffled by the seed."""

from typing import Literal

from optuna.samplers import BaseSampler
from pydantic import Field

from touchstone.config import Config
from touchstone.tuning.by_number import ByNumber, point
from touchstone.tuning.samplers import SAMPLERS, Asked


class GridConfig(Config):
    """All values of choices and of ranges with a step; some of every other range."""

    kind: Literal["grid"] = "grid"
    points: int = Field(default=4, ge=2, le=1000)
    """Values of a range without a step, its ends among them, evenly spread on its scale."""


@SAMPLERS.register(GridConfig)
def grid(config: GridConfig, asked: Asked) -> BaseSampler:
    """Trial k gets the k-th point of the shuffled grid, which begins anew behind its last."""
    return ByNumber(point(asked.seed, asked.number, asked.space, config.points))
