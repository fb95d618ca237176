"""Permutation importance: what a quick model loses on validation rows without some columns."""

from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveInt

from touchstone.arrays import Float32, Float64, Int64
from touchstone.config import Config
from touchstone.dataset import selection
from touchstone.dataset.selection import SELECTION, Evidence, Ranked

_TREES: Final[dict[str, Any]] = {
    "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 100, "lambda_l2": 10.0,
    "feature_fraction": 0.5, "verbosity": -1, "num_threads": 1, "deterministic": True,
    "force_row_wise": True, "feature_pre_filter": False,
}  # fmt: skip
_SMALLEST: Final = 1e-6


class PermutationConfig(Config):
    """How much a group of columns must be missed."""

    kind: Literal["permutation"] = "permutation"
    keep: PositiveInt | None = None
    """At most so many groups; null: all that pass."""
    threshold: NonNegativeFloat = 2.0
    """Standard errors, over days, that the log-loss must rise by without the group."""
    correlation: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Columns whose mean rank correlation is at least this stand in for each other, and are
    permuted as one group; 1: each alone."""
    repeats: PositiveInt = 3
    """Permutations of each group, averaged."""
    rounds: PositiveInt = 40
    """Trees of the quick model."""
    rows: PositiveInt | None = 20_000
    """Train rows that it is fitted on, and validation rows that it is judged on, evenly spaced;
    null: all."""


@SELECTION.register(PermutationConfig)
def permutation(
    config: PermutationConfig, evidence: Evidence, columns: Int64, rng: np.random.Generator
) -> Ranked:
    """Keep the groups that a quick gradient-boosted model misses; fitted on train rows only.

    A group's columns are exchanged between validation rows, all together, so that columns that
    stand in for each other do not hide each other. The score, the same for a whole group, is the
    mean rise of a row's log-loss in standard errors that count days as independent, not rows.

    Source: Breiman (2001), Random Forests, section 10; grouped: Gregorutti, Michel & Saint-Pierre
    (2015), Grouped Variable Importance with Random Forests.
    """
    train = selection.thinned(evidence.train, config.rows)
    judged = selection.thinned(evidence.validate, config.rows)
    outcomes = np.unique(evidence.outcome[train])
    judged = judged[np.isin(evidence.outcome[judged], outcomes)]
    whole = np.isfinite(evidence.features[judged][:, columns]).all(1)
    judged = judged[whole]
    if outcomes.size < 2 or not judged.size:
        return Ranked(np.ones(columns.size, np.bool_), np.zeros(columns.size))
    group = np.arange(columns.size)
    if config.correlation < 1:
        group = selection.clustered(evidence, columns, train, config.correlation)
    model = _fitted(config, evidence, columns, train, int(rng.integers(2**31)))
    inputs = np.ascontiguousarray(evidence.features[judged][:, columns])
    truth = np.searchsorted(outcomes, evidence.outcome[judged])
    rise = np.stack(
        [
            _rise(model, inputs, truth, np.flatnonzero(group == g), (config.repeats, rng))
            for g in range(int(group.max()) + 1)
        ]
    )
    score = _in_errors(rise, evidence.day(judged))
    passed = score > config.threshold
    kept = passed & selection.best(np.where(passed, score, -np.inf), config.keep)
    return Ranked(kept[group], score[group])


def _fitted(
    config: PermutationConfig, evidence: Evidence, columns: Int64, train: Int64, seed: int
) -> Any:
    import lightgbm  # noqa: PLC0415  takes a second

    outcome = evidence.outcome[train]
    outcomes = np.unique(outcome)
    settings = _TREES | {"objective": "multiclass", "num_class": outcomes.size, "seed": seed}
    inputs = np.ascontiguousarray(evidence.features[train][:, columns])
    rows = lightgbm.Dataset(inputs, np.searchsorted(outcomes, outcome), params=settings)
    return lightgbm.train(settings, rows, config.rounds)


def _rise(
    model: Any, inputs: Float32, truth: Int64, group: Int64, how: tuple[int, np.random.Generator]
) -> Float64:
    """How much each row's log-loss rises without the columns of a group, (n,)."""
    repeats, rng = how
    if not model.feature_importance("split")[group].any():
        return np.zeros(truth.size)
    before, total = _loss(model, inputs, truth), np.zeros(truth.size)
    for _ in range(repeats):
        other = inputs.copy()
        other[:, group] = inputs[rng.permutation(truth.size)][:, group]
        total += _loss(model, other, truth) - before
    return total / repeats


def _loss(model: Any, inputs: Float32, truth: Int64) -> Float64:
    said = np.asarray(model.predict(inputs, num_threads=1), np.float64)
    return -np.log(np.maximum(said[np.arange(truth.size), truth], _SMALLEST))


def _in_errors(rise: Float64, day: Int64) -> Float64:
    """Mean of each row of rises (n_groups, n) in standard errors over days, (n_groups,)."""
    _, at = np.unique(day, return_inverse=True)
    n_days = int(at.max()) + 1
    mean = rise.mean(1)
    off = np.stack([np.bincount(at, r - m) for r, m in zip(rise, mean, strict=True)])
    error = np.sqrt((off**2).sum(1) * n_days / max(n_days - 1, 1)) / day.size
    return np.asarray(np.where(error > 0, mean / np.where(error > 0, error, 1), 0.0), np.float64)
