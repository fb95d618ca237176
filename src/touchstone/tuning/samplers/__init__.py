"""Where a trial's settings come from: one file each.

A part makes a sampler of Optuna's for one trial of one study. Whatever it draws follows from the
seed and the trial's number, and, for those that learn, from the trials that are there: nothing is
carried from trial to trial in memory, so that any process may take any trial. A trial that breaks
its bounds says so in the study (`Trial.set_constraint`); those that learn heed it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from touchstone.registration import Family


class Asked(NamedTuple):
    """Of which trial the settings are."""

    seed: int
    """The search's."""
    number: int
    """The trial's, from 0."""
    space: Mapping[str, BaseDistribution]
    """Key -> its values; keys in a fixed order."""


class Sampler(Protocol):
    """A part of the family."""

    def __call__(self, config: Any, asked: Asked, /) -> BaseSampler:
        """The sampler of one trial."""


SAMPLERS: Family[Sampler] = Family("sampler", __name__)
