"""Which settings matter: shares of the variance of a search's values."""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

FEWEST: Final = 10
"""Trials below which nothing is said."""
_TREES: Final = 64


def importance(study: optuna.Study, keys: Sequence[str], seed: int) -> dict[str, float] | None:
    """Each setting's share of the variance of the first objective, by functional ANOVA.

    A forest is fitted to the values of the trials that ended; a setting's share is the variance of
    its marginal, all other settings averaged out. Shares are scaled to sum to 1.

    Args:
        study: whose trials that ended have their settings and values.
        keys: settings, as the trials name them; one that was not tried at two values counts
            nothing.
        seed: of the forest.

    Returns:
        Key -> share, 0 to 1; None with fewer than 10 trials that ended, or where all came to the
        same.

    Source: Hutter, Hoos, Leyton-Brown (2014), An Efficient Approach for Assessing Hyperparameter
    Importance; Optuna's implementation.
    """
    ended = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    known = [t for t in ended if all(key in t.params for key in keys)]
    values = np.array([_first(t) for t in known])
    if len(known) < FEWEST or np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return None
    varied = [key for key in keys if len({repr(t.params[key]) for t in known}) > 1]
    if not varied:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        found = get_param_importances(
            study,
            evaluator=FanovaImportanceEvaluator(n_trees=_TREES, seed=seed),
            params=varied,
            target=_first,
        )
    return {key: float(found.get(key, 0.0)) for key in keys}


def _first(trial: FrozenTrial) -> float:
    return float(trial.values[0])
