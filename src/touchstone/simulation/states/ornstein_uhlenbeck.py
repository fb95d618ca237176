"""A3: the mean return is a sum of Ornstein-Uhlenbeck factors that fade at different speeds."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.simulation.recursions import first_order
from touchstone.simulation.states import STATES, Numbers, Planted


class OrnsteinUhlenbeckConfig(Config):
    """How fast the factors fade and how much of the mean each carries."""

    kind: Literal["ornstein_uhlenbeck"] = "ornstein_uhlenbeck"
    half_life: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=8)] = (4.0, 60.0)
    """Bars in which each factor fades by half."""
    weight: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=8)] = (1.0, 1.0)
    """Size of each factor in the mean, relative to the others."""

    @model_validator(mode="after")
    def _one_weight_each(self) -> Self:
        if len(self.half_life) != len(self.weight):
            raise ConfigError(
                f"half_life has {len(self.half_life)} numbers and weight {len(self.weight)}: "
                "give one of each for every factor"
            )
        return self

    @property
    def persistence(self) -> Float64:
        """First-order autocorrelation of each factor, a bar, (n_factors,)."""
        return np.asarray(0.5 ** (1 / np.array(self.half_life)))

    @property
    def shares(self) -> Float64:
        """Weights with unit sum of squares: the mean has unit variance per `ic`, (n_factors,)."""
        weight = np.array(self.weight)
        return np.asarray(weight / np.sqrt(np.sum(weight**2)))


def factors(config: OrnsteinUhlenbeckConfig, numbers: Numbers) -> Float64:
    """Each factor of unit variance, sampled exactly; (n_factors, n_instruments, n_bars + 1)."""
    return np.stack(
        [
            first_order(numbers.normal(f"hidden {k}"), float(persistence))
            for k, persistence in enumerate(config.persistence)
        ]
    )


@STATES.register(OrnsteinUhlenbeckConfig)
def ornstein_uhlenbeck(config: OrnsteinUhlenbeckConfig, numbers: Numbers) -> Planted:
    """The sum of the factors is the state, is shown, and pays; who wants the parts must filter."""
    # one by one: a matrix product rounds by the length of the series, and more bars must leave
    # those that were there as they were
    parts = zip(config.shares, factors(config, numbers), strict=True)
    total = np.asarray(sum(share * factor for share, factor in parts))
    return Planted(total, total, total)
