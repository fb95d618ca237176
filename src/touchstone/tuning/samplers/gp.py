"""A Gaussian process over the settings, asked where a better trial is likeliest."""

from typing import Literal

from optuna.samplers import BaseSampler, GPSampler
from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.seeding import derive
from touchstone.tuning.samplers import SAMPLERS, Asked


class GpConfig(Config):
    """Pays where trials are few and dear.

    Source: Jones et al. (1998), Efficient Global Optimization of Expensive Black-Box Functions.
    """

    kind: Literal["gp"] = "gp"
    startup: PositiveInt = 10
    """Trials that are drawn at random first."""


@SAMPLERS.register(GpConfig)
def gp(config: GpConfig, asked: Asked) -> BaseSampler:
    """Optuna's."""
    return GPSampler(
        n_startup_trials=config.startup,
        seed=derive(asked.seed, "gp", asked.number),
    )
