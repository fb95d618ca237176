"""Which settings matter: shares of the variance of a search's values."""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import rankdata

from touchstone.arrays import Float64
from touchstone.seeding import generator

FEWEST: Final = 10
"""Trials below which nothing is said."""
_TREES: Final = 64
_SHUFFLED: Final = 399
_SELDOM: Final = 0.05


def importance(study: optuna.Study, keys: Sequence[str], seed: int) -> dict[str, float] | None:
    """Each setting's share of the variance of the first objective, by functional ANOVA.

    A forest is fitted to the values of the trials that ended; a setting's share is the variance of
    its marginal, all other settings averaged out. Shares are scaled to sum to 1, so they compare
    settings with each other and do not say how much all of them explain. Since a forest finds
    shares in pure noise too, nothing is said unless some setting by itself (a parabola of its rank,
    or a mean a choice) explains more than the best one does of values shuffled among the trials.

    Args:
        study: whose trials that ended have their settings and values.
        keys: settings, as the trials name them; one that was not tried at two values counts
            nothing.
        seed: of the forest.

    Returns:
        Key -> share, 0 to 1; None with fewer than 10 trials that ended, where all came to the
        same, or where no setting explains more than chance would (p above 0.05).

    Source: Hutter, Hoos, Leyton-Brown (2014), An Efficient Approach for Assessing Hyperparameter
    Importance; Optuna's implementation. The largest of several statistics under permutation:
    Westfall & Young (1993), Resampling-Based Multiple Testing.
    """
    ended = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    known = [t for t in ended if all(key in t.params for key in keys)]
    values = np.array([_first(t) for t in known], dtype=np.float64)
    if len(known) < FEWEST or np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return None
    varied = [key for key in keys if len({repr(t.params[key]) for t in known}) > 1]
    if not varied or _chance(known, varied, values, seed) > _SELDOM:
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


def _chance(known: Sequence[FrozenTrial], keys: Sequence[str], values: Float64, seed: int) -> float:
    """The chance that a setting by itself foresees shuffled values as well as these."""
    rng = generator(seed, "importance")
    # Ranks: a log-loss that went astray stretches nothing.
    ranks = rankdata(values) - (values.size + 1) / 2
    ranks /= np.linalg.norm(ranks)
    shuffled = np.array([ranks, *(rng.permutation(ranks) for _ in range(_SHUFFLED))])
    most = np.max([_foreseen(_basis(known, key), shuffled) for key in keys], axis=0)
    return float(np.mean(most >= most[0] - 1e-12))


def _basis(known: Sequence[FrozenTrial], key: str) -> Float64:
    """(n_trials, k) a setting's rank and its square, or a column for each choice; means 0."""
    tried = [t.params[key] for t in known]
    if isinstance(known[0].distributions[key], CategoricalDistribution):
        names = np.array([repr(one) for one in tried])
        columns = (names[:, None] == np.unique(names)).astype(np.float64)
    else:
        place = rankdata(tried) - (len(tried) + 1) / 2
        columns = np.column_stack([place, place**2])
    columns = columns - columns.mean(0)
    found, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(found[:, sizes > 1e-9 * sizes.max()], dtype=np.float64)


def _foreseen(basis: Float64, values: Float64) -> Float64:
    """(n,) share of each row's variance, less what so many columns explain of noise."""
    n, k = basis.shape
    explained = ((values @ basis) ** 2).sum(1)
    return np.asarray(1 - (1 - explained) * (n - 1) / max(n - 1 - k, 1), dtype=np.float64)
