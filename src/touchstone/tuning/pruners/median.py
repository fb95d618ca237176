"""Ends a trial that is worse, at the same step, than the median of those that ended."""

from typing import Annotated, Literal

import numpy as np
from optuna import Study
from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field, NonNegativeInt, PositiveInt

from touchstone.config import Config
from touchstone.tuning.pruners import PRUNERS


class MedianConfig(Config):
    """Only trials that ran to their end are compared with.

    Source: Golovin et al. (2017), Google Vizier, section 3.2, the median stopping rule; but trials
    stand for what they are worth at a step. There a trial stands for its best so far and those that
    ended for their mean over all steps till then: a step's worth is a mean over the folds begun,
    and a first fold that is easy would shield a trial, or burden it, in all that follow.
    """

    kind: Literal["median"] = "median"
    startup: PositiveInt = 5
    """Trials that run to their end first."""
    warmup: NonNegativeInt = 2
    """Steps of a trial at which it is left alone."""
    every: Annotated[int, Field(ge=1)] = 1
    """Steps between two looks."""


@PRUNERS.register(MedianConfig)
def median(config: MedianConfig, _: int) -> BasePruner:
    """Ours: Optuna's compares a trial's best so far."""
    return _Median(config)


class _Median(BasePruner):
    def __init__(self, config: MedianConfig) -> None:
        self._config = config

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether a trial is to be ended, by its last step."""
        step, config = trial.last_step, self._config
        if step is None or not self._looks(sorted(trial.intermediate_values)):
            return False
        ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [_by(one, step) for one in ended]
        known = [value for value in others if value is not None]
        if len(ended) < config.startup or not known:
            return False
        behind = float(np.median(known)) - trial.intermediate_values[step]
        return behind > 0 if study.direction == StudyDirection.MAXIMIZE else behind < 0

    def _looks(self, steps: list[int]) -> bool:
        """Whether the last step is the first one that was told since it was time to look."""
        config = self._config
        since = steps[-1] - config.warmup
        if since < 0:
            return False
        due = config.warmup + since // config.every * config.every
        return len(steps) < 2 or steps[-2] < due


def _by(trial: FrozenTrial, step: int) -> float | None:
    """What a trial was worth by a step; a fit that ended earlier stands where it ended."""
    told = [at for at in trial.intermediate_values if at <= step]
    return trial.intermediate_values[max(told)] if told else None
