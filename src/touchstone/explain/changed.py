"""Windows that no market has shown: scored as any other, whatever the model makes of a window.

A window is changed after scaling, in the space in which a model sees it: a step of 1 is one
standard deviation of that feature on the train rows (a robust scaler: its own unit).
"""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.dataset.windows import Windows, summarised
from touchstone.errors import ConfigError, DataError
from touchstone.explain import Subject, plus
from touchstone.models import Fitted
from touchstone.models.scoring import score_inputs

_CHUNK = 4096
"""Windows at a time."""
_SAMPLE = 100_000
"""Most train rows, evenly spaced, that ranges and noise are taken from."""
_FEWEST = 100
"""Rows of an instrument below which its range is that of all instruments."""


class Usual(NamedTuple):
    """What a fold's train rows know of each feature, scaled."""

    low: Float32
    """Least value of each instrument by its number, (n_instruments, n_features): what is usual for
    a wild instrument has never been seen of a calm one."""
    high: Float32
    """Greatest value, (n_instruments, n_features)."""
    noise: Float64
    """Standard deviation of its change from one bar to the next of the same instrument,
    (n_features,)."""


def scored(fitted: Fitted, windows: Float32, asset_id: Int32) -> Float64:
    """p(+1) of scaled windows through the one scoring path, (n,).

    Args:
        fitted: any model; one that takes a row per sample gets the summaries of each window.
        windows: (n, lookback, n_features), scaled.
        asset_id: (n,) instrument of each.

    Raises:
        DataError: windows of another shape, or a value that is not finite.
    """
    if fitted.inputs == "window":
        return plus(score_inputs(fitted, windows, asset_id))
    out = np.empty(len(windows))
    for start in range(0, len(windows), _CHUNK):
        part = slice(start, start + _CHUNK)
        out[part] = plus(score_inputs(fitted, summarised(windows[part]), asset_id[part]))
    return out


def usual(subject: Subject) -> Usual:
    """Range and noise of each feature on the fold's train rows."""
    train = evenly(subject.train, _SAMPLE)
    if not train.size:
        raise DataError(f"{subject.name}: no train row, so nothing is known of what is usual")
    features, ids, scaler = (
        subject.windows.features, subject.windows.asset_id, subject.windows.scaler
    )  # fmt: skip
    now = Windows(features, ids, 1, scaler).gather(train)[:, 0]
    # A window of one bar may stand on its instrument's first, or on the first that has values.
    followed = train[(train > 0) & (ids[train] == ids[train - 1])]
    pairs = Windows(features, ids, 2, scaler).gather(followed).astype(np.float64)
    step = pairs[:, 1] - pairs[:, 0]
    step = step[np.isfinite(step).all(1)]
    if not len(step):
        raise DataError(f"{subject.name}: no train row follows a bar, so no noise can be measured")
    low, high = _ranges(now, ids[train], int(ids.max()) + 1)
    return Usual(low, high, np.asarray(step.std(0), np.float64))


def _ranges(now: Float32, ids: Int32, n: int) -> tuple[Float32, Float32]:
    low, high = np.tile(now.min(0), (n, 1)), np.tile(now.max(0), (n, 1))
    for one in np.flatnonzero(np.bincount(ids, minlength=n) >= _FEWEST):
        own = now[ids == one]
        low[one], high[one] = own.min(0), own.max(0)
    return low, high


def evenly(rows: Int64, most: int) -> Int64:
    """At most so many of the rows, evenly spaced, in their order."""
    if rows.size <= most:
        return rows
    return rows[np.linspace(0, rows.size - 1, most).astype(np.int64)]


def free_of(names: tuple[str, ...], held: tuple[str, ...]) -> Bool:
    """Which features may be changed, (n_features,): all but those that are held.

    Raises:
        ConfigError: nothing is left to change.
    """
    free = np.array([name not in held for name in names], np.bool_)
    if not free.any():
        raise ConfigError(
            f"every feature is held ({', '.join(names)}): nothing is left that could be changed"
        )
    return free
