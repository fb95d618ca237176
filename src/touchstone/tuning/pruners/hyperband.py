"""Several successive halvings beside each other: many short trials, few long ones."""

from typing import Annotated, Literal

from optuna.pruners import BasePruner, HyperbandPruner
from pydantic import Field, PositiveInt

from touchstone.config import Config
from touchstone.tuning.pruners import PRUNERS


class HyperbandConfig(Config):
    """At each rung, the best share of a bracket goes on.

    Source: Li et al. (2018), Hyperband.
    """

    kind: Literal["hyperband"] = "hyperband"
    shortest: PositiveInt = 1
    """Steps that every trial gets."""
    reduction: Annotated[int, Field(ge=2)] = 3
    """One in so many goes on at each rung."""


@PRUNERS.register(HyperbandConfig)
def hyperband(config: HyperbandConfig, n_steps: int) -> BasePruner:
    """Optuna's, whose longest trial is as long as a trial can be."""
    longest = max(n_steps, config.shortest)
    return HyperbandPruner(config.shortest, longest, config.reduction)
