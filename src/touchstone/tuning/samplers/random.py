"""Every trial drawn anew: a function of the seed and the trial's number alone."""

from typing import Literal

from optuna.samplers import BaseSampler

from touchstone.config import Config
from touchstone.tuning.by_number import ByNumber, drawn
from touchstone.tuning.samplers import SAMPLERS, Asked


class RandomConfig(Config):
    """Uniform over the space, on a logarithmic scale where the space says so.

    Source: Bergstra & Bengio (2012), Random Search for Hyper-Parameter Optimization.
    """

    kind: Literal["random"] = "random"


@SAMPLERS.register(RandomConfig)
def random(_: RandomConfig, asked: Asked) -> BaseSampler:
    """Independent draws, one stream a trial and key."""
    return ByNumber(drawn(asked.seed, asked.number, asked.space))
