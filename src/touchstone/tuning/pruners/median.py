"""Ends a trial whose best so far is worse than the median of those that ended at that step."""

from typing import Annotated, Literal

from optuna.pruners import BasePruner, MedianPruner
from pydantic import Field, NonNegativeInt, PositiveInt

from touchstone.config import Config
from touchstone.tuning.pruners import PRUNERS


class MedianConfig(Config):
    """Only trials that ran to their end are compared with.

    Source: Golovin et al. (2017), Google Vizier, section 3.2.1, the median stopping rule.
    """

    kind: Literal["median"] = "median"
    startup: PositiveInt = 5
    """Trials that run to their end first."""
    warmup: NonNegativeInt = 2
    """Steps of a trial at which it is left alone."""
    every: Annotated[int, Field(ge=1)] = 1
    """Steps between two looks."""


@PRUNERS.register(MedianConfig)
def median(config: MedianConfig, _: int) -> BasePruner:
    """Optuna's."""
    return MedianPruner(config.startup, config.warmup, config.every)
