"""Trials: each settings of one point of the space, fitted on every fold and measured."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from touchstone.config import Config
from touchstone.registration import PartOf
from touchstone.tuning.methods import METHODS, Able
from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.samplers import SAMPLERS


class TrialsConfig(Config):
    """So many trials of each architecture."""

    kind: Literal["trials"] = "trials"
    trials: PositiveInt = 20
    """Of each architecture. Others of the same search go on where these end; a grid with fewer
    points ends with its points."""
    sampler: Annotated[Config, PartOf(SAMPLERS)] = Field(
        default_factory=lambda: SAMPLERS.parse({"kind": "tpe"})
    )
    """Where settings come from."""
    pruner: Annotated[Config, PartOf(PRUNERS)] | None = None
    """What ends a trial early; null: `median`, and `none` with several objectives, which no pruner
    can weigh against each other."""


@METHODS.register(TrialsConfig)
def trials(config: TrialsConfig) -> Able:  # noqa: ARG001  the same whatever the settings
    """Everything can be asked of trials."""
    return Able(objectives=True, constraints=True, space=True, storage=True)
