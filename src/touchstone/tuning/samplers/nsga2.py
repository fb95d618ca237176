"""Generations of settings: the best of one are the parents of the next."""

from typing import Annotated, Literal

from optuna.samplers import BaseSampler, NSGAIISampler
from pydantic import Field

from touchstone.config import Config
from touchstone.seeding import derive
from touchstone.tuning.samplers import SAMPLERS, Asked


class Nsga2Config(Config):
    """For several objectives: keeps a front of settings of which none beats another in all.

    Source: Deb et al. (2002), A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II.
    """

    kind: Literal["nsga2"] = "nsga2"
    population: Annotated[int, Field(ge=2)] = 20
    """Trials of a generation; the first is drawn at random."""


@SAMPLERS.register(Nsga2Config)
def nsga2(config: Nsga2Config, asked: Asked) -> BaseSampler:
    """Optuna's."""
    return NSGAIISampler(
        population_size=config.population,
        seed=derive(asked.seed, "nsga2", asked.number),
    )
