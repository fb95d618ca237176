"""Population based training: networks learn side by side, the worse take over from the better."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from touchstone.config import Config
from touchstone.tuning.methods import METHODS, Able


class PopulationConfig(Config):
    """A population of each architecture; networks only, for weights are copied.

    A fit is `generations` times `epochs` passes long, whatever the budget's `epochs` and
    `patience` say, and each of its settings may follow a course of its own.

    Source: Jaderberg et al. (2017), Population Based Training of Neural Networks.
    """

    kind: Literal["population"] = "population"
    members: Annotated[int, Field(ge=2, le=200)] = 8
    """Networks that learn side by side, one a fold each. The first begins with the settings that
    the study has, the others with settings that are drawn."""
    generations: Annotated[int, Field(ge=2, le=1000)] = 8
    """Times that all are trained on, and compared."""
    epochs: PositiveInt = 2
    """Passes over the train rows in a generation."""
    bottom: Annotated[float, Field(gt=0, le=0.5)] = 0.25
    """Share of the members, the worst, that take over weights and settings; one at least."""
    top: Annotated[float, Field(gt=0, le=0.5)] = 0.25
    """Share of the members, the best, that are taken over from; one at least."""
    resample: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Chance of a setting that was taken over to be drawn anew; else it is multiplied by 0.8 or
    1.25, or goes a step along its grid or a place along its choices."""
    keys: tuple[str, ...] = ()
    """Settings that are moved, as in training.learning_rate; none named: all of the space that
    change neither a weight's shape nor what a fit is about. The others stay as the study says."""


@METHODS.register(PopulationConfig)
def population(config: PopulationConfig) -> Able:  # noqa: ARG001  the same whatever the settings
    """One objective, any space; bounds and shared storages are for trials."""
    return Able(objectives=False, constraints=False, space=True, storage=False)
