"""SHAP: how much of a row's margin each feature brings, adding up to all of it.

Trees: exactly, by TreeSHAP. The logistic regression: exactly, since its margin is linear. Networks:
by expected gradients, whose sum misses the margin by as much as is told.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from touchstone.arrays import Float64
from touchstone.dataset.windows import SUMMARIES
from touchstone.errors import ConfigError, DataError
from touchstone.explain import Subject, agreed_names, in_order, margin_of
from touchstone.explain.attribution import Attribution, Shares, attribution
from touchstone.explain.gradients import has_gradients
from touchstone.models.lightgbm import Lightgbm
from touchstone.models.logistic import Logistic
from touchstone.registration import kind_of

N_BACKGROUND: Final = 32
"""Train rows that a network's rows are compared with, drawn once for each fold."""
_ROWS: Final = 2048
"""Rows explained at a time."""


def shap(subjects: Sequence[Subject], n_background: int = N_BACKGROUND) -> Attribution:
    """SHAP values of the margin of +1, by the method that is right for the model.

    The values of a row sum to its margin less the base: of trees the mean margin of the train rows
    as the leaves counted them, of the logistic regression the margin of the mean train row, of a
    network the mean margin of the background windows under the row's own instrument.

    Args:
        subjects: folds, their models of one architecture.
        n_background: train windows that networks are compared with.

    Raises:
        ConfigError: no fold, folds of other columns, or a model that no method here explains.
        DataError: no rows.

    Source: Lundberg & Lee (2017); Lundberg et al. (2020), From local explanations to global
    understanding with explainable AI for trees (TreeSHAP, path dependent); Erion et al. (2021),
    Improving performance of deep learning models with axiomatic attribution priors (expected
    gradients).
    """
    agreed_names(subjects)
    ordered = [in_order(subject) for subject in subjects]
    for subject in ordered:
        if not subject.rows.size:
            raise DataError(f"{subject.name}: no rows to explain")
    fitted = ordered[0].fitted
    if isinstance(fitted, Lightgbm):
        return attribution("tree", ordered, SUMMARIES, [_of_trees(s) for s in ordered])
    if isinstance(fitted, Logistic):
        return attribution("linear", ordered, SUMMARIES, [_of_lines(s) for s in ordered])
    if not has_gradients(fitted):
        kind = kind_of(fitted.config)
        raise ConfigError(f"no SHAP values for {kind!r}: take permutation importance")
    from touchstone.explain.expected_gradients import expected_gradients  # noqa: PLC0415  torch

    return expected_gradients(ordered, n_background)


def margin_weights(n_outcomes: int) -> Float64:
    """The margin of +1 as a sum of raw margins, (n_outcomes,)."""
    weights = np.full(n_outcomes, 0.0 if n_outcomes == 1 else -1 / n_outcomes)
    weights[-1] += 1
    return weights


def _of_trees(subject: Subject) -> Shares:
    fitted = subject.fitted
    assert isinstance(fitted, Lightgbm)
    inputs = subject.windows.tabular(subject.rows)
    weights = margin_weights(fitted.shape.n_outcomes)
    found = np.concatenate(
        [
            np.einsum("nkc,k->nc", fitted.contributions(inputs[i : i + _ROWS]), weights)
            for i in range(0, len(inputs), _ROWS)
        ]
    )
    margin = margin_of(fitted.raw(inputs, subject.windows.ids(subject.rows)))
    values = found[:, :-1].reshape(len(inputs), len(SUMMARIES), -1)
    return Shares(values, margin, found[:, -1])


def _of_lines(subject: Subject) -> Shares:
    fitted = subject.fitted
    assert isinstance(fitted, Logistic)
    inputs = subject.windows.tabular(subject.rows)
    weights = margin_weights(fitted.shape.n_outcomes)
    of = fitted.coefficients
    slope, usual = (of.slope @ weights) / of.scale, _mean_row(subject)
    values = (inputs - usual) * slope
    base = float((usual - of.centre) @ slope + of.bias @ weights)
    margin = margin_of(fitted.raw(inputs, subject.windows.ids(subject.rows)))
    return Shares(
        values.reshape(len(inputs), len(SUMMARIES), -1), margin, np.full(len(inputs), base)
    )


def _mean_row(subject: Subject) -> Float64:
    """The mean tabular train row, (n_columns,)."""
    parts = [
        subject.windows.tabular(subject.train[i : i + _ROWS]).sum(0, dtype=np.float64)
        for i in range(0, subject.train.size, _ROWS)
    ]
    return np.asarray(sum(parts) / subject.train.size)
