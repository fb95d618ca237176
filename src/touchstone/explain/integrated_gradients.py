"""Integrated gradients: from the usual window to a row's own, in a straight line."""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import DataError
from touchstone.explain import Subject, agreed_names, in_order
from touchstone.explain.attribution import (
    UNSAID,
    Attribution,
    Shares,
    attribution,
    bars_back,
    summed_up,
)
from touchstone.explain.margins import BATCH, Margin, margins, network_of, tensors
from touchstone.models.layers.network import threads

N_STEPS: Final = (16, 32, 64, 128)
"""Places on the way at which gradients are taken, those of Gauss and Legendre: the fewest first,
more for rows that do not add up."""


def integrated_gradients(
    subjects: Sequence[Subject], n_steps: Sequence[int] = N_STEPS
) -> Attribution:
    """(x - x') times the mean gradient on the way from the mean train window x' to x.

    x' is zero for every feature and bar: what the scaler makes of the train mean (of the median,
    for a robust one). The sum misses margin less base by the error of so few places (`gap`), and
    rows that miss it get more of them (`summed_up`).

    Args:
        subjects: folds with networks.
        n_steps: places on the way, rising.

    Raises:
        ConfigError: no fold, folds of other columns, or a model without gradients.
        DataError: no rows.

    Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks; computed by
    captum (Kokhlikyan et al. 2020).
    """
    agreed_names(subjects)
    ordered = [in_order(subject) for subject in subjects]
    bars = bars_back(ordered[0].windows.lookback)
    shares = [_of_fold(subject, n_steps) for subject in ordered]
    return attribution("integrated gradients", ordered, bars, shares)


def _of_fold(subject: Subject, n_steps: Sequence[int]) -> Shares:
    fitted = network_of(subject.fitted, "integrated gradients")
    if not subject.rows.size:
        raise DataError(f"{subject.name}: no rows to explain")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what captum imports, not of what it computes
        from captum.attr import IntegratedGradients  # noqa: PLC0415  takes seconds

    module = Margin(fitted.network, fitted.shape.n_outcomes)
    method = IntegratedGradients(module)
    ids, windows = subject.windows.ids(subject.rows), subject.windows
    margin, base = np.empty(subject.rows.size), np.empty(subject.rows.size)
    for start in range(0, subject.rows.size, BATCH):
        part = slice(start, start + BATCH)
        held = windows.gather(subject.rows[part])
        margin[part] = margins(fitted, held, ids[part])
        base[part] = margins(fitted, np.zeros_like(held), ids[part])

    def walk(some: Int64, n: int) -> Float64:
        values = np.empty((some.size, windows.lookback, windows.n_features))
        for start in range(0, some.size, BATCH):
            part = slice(start, start + BATCH)
            rows = some[part]
            x, asset_id = tensors(windows.gather(subject.rows[rows]), ids[rows])
            with threads(1):
                values[part] = method.attribute(
                    x, 0.0, additional_forward_args=(asset_id,), n_steps=n,
                    method="gausslegendre", internal_batch_size=BATCH,
                ).detach()  # fmt: skip
        return values

    return Shares(summed_up(walk, margin - base, n_steps, UNSAID), margin, base)
