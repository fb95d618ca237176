"""What ends a trial early: one file each, a pruner of Optuna's."""

from typing import Any, Protocol

from optuna.pruners import BasePruner

from touchstone.registration import Family


class Pruner(Protocol):
    """A part of the family."""

    def __call__(self, config: Any, n_steps: int, /) -> BasePruner:
        """The pruner of a study.

        Args:
            config: its own.
            n_steps: steps at which a trial may be looked at, at most: those of all its fits.
        """


PRUNERS: Family[Pruner] = Family("pruner", __name__)
