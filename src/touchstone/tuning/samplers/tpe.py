"""Draws where good trials were likelier than the others."""

from typing import Literal

from optuna.samplers import BaseSampler, TPESampler
from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.seeding import derive
from touchstone.tuning.samplers import SAMPLERS, Asked


class TpeConfig(Config):
    """Tree-structured Parzen estimators over all keys at once.

    Source: Bergstra et al. (2011), Algorithms for Hyper-Parameter Optimization.
    """

    kind: Literal["tpe"] = "tpe"
    startup: PositiveInt = 10
    """Trials that are drawn at random first."""
    multivariate: bool = True
    """Whether keys are estimated together, as they depend on each other."""


@SAMPLERS.register(TpeConfig)
def tpe(config: TpeConfig, asked: Asked) -> BaseSampler:
    """Optuna's, which takes trials under way for bad ones, so that two do not try the same."""
    return TPESampler(
        n_startup_trials=config.startup,
        multivariate=config.multivariate,
        constant_liar=True,
        seed=derive(asked.seed, "tpe", asked.number),
    )
