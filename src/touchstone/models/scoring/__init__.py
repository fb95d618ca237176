"""THE scoring path: whatever decides by a score gets it here, and gets the same bits everywhere.

A matrix product over 64 rows and one over a single row differ in their last bits. So every score
is computed in batches of exactly 64 rows (the last one padded by repeating its first row), on one
thread, and rounded to 1e-6 before anybody compares it with a threshold. Backtest, serving, paper
trading and golden rows all call this; training does not, since it need not agree to the bit.
"""

from typing import Final

import numpy as np

from touchstone.arrays import Float32, Float64, Int32, Int64
from touchstone.dataset.windows import Windows
from touchstone.errors import DataError
from touchstone.models import Fitted

BATCH: Final = 64
"""Rows of every forward pass that decides."""
DECIMALS: Final = 6
"""Scores are rounded to so many decimals."""

_CHUNK: Final = 64 * BATCH
"""Rows gathered at a time: 4,096 windows of 24 x 16 are 6 MB."""


def score(fitted: Fitted, windows: Windows, rows: Int64) -> Float64:
    """Probabilities of the outcomes for these rows, not calibrated.

    Args:
        fitted: any model.
        windows: the feature matrix, scaled as in the model's training.
        rows: (n,) rows whose window is complete.

    Returns:
        (n, n_outcomes), columns as in `OUTCOMES`, rounded to 1e-6. A row's score depends neither
        on the other rows nor on its place among them. Known at the row's close.

    Raises:
        DataError: a window holds a value that is not finite, or another shape than the model's.
    """
    out = np.empty((rows.size, fitted.shape.n_outcomes))
    buffer = None
    if fitted.inputs == "window":
        size = (min(_CHUNK, rows.size), windows.lookback, windows.features.shape[1])
        buffer = np.empty(size, np.float32)
    for start in range(0, rows.size, _CHUNK):
        part = rows[start : start + _CHUNK]
        if buffer is None:
            inputs = windows.tabular(part)
        else:
            inputs = windows.gather(part, out=buffer[: part.size])
        out[start : start + part.size] = score_inputs(fitted, inputs, windows.ids(part))
    return out


def score_inputs(fitted: Fitted, inputs: Float32, asset_id: Int32) -> Float64:
    """`score` for inputs at hand: what a live feed holds, which has no row numbers.

    Args:
        fitted: any model.
        inputs: (n, lookback, n_features) scaled windows, or (n, n_columns) tabular rows.
        asset_id: (n,) instrument of each.
    """
    n = len(inputs)
    if asset_id.shape != (n,):
        raise DataError(f"{n} rows to score need {n} asset ids, got shape {asset_id.shape}")
    out = np.empty((n, fitted.shape.n_outcomes))
    for start in range(0, n, BATCH):
        part, ids = inputs[start : start + BATCH], asset_id[start : start + BATCH]
        size = len(part)
        if size < BATCH:
            fill = np.zeros(BATCH - size, np.intp)
            part, ids = np.concatenate([part, part[fill]]), np.concatenate([ids, ids[fill]])
        out[start : start + size] = fitted.raw(part, ids)[:size]
    return np.round(out, DECIMALS)
