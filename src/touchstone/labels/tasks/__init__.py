"""What a network may learn beside the outcome: return, volatility, regime until the exit.

Of a row whose exit is known, from the bars after it up to the exit's bar, so it is known when the
outcome is, and purged with it. A row without an exit has none of the three.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float32, Float64, Int64
from touchstone.errors import ConfigError
from touchstone.labels import Labels
from touchstone.market import Panel

STILL: Final = 1e-6
"""Least volatility of a bar that is told apart: the log of a smaller one is taken as of this."""


class TaskScale(NamedTuple):
    """What train rows say of the three."""

    centre: Float64
    """Means of return and log volatility, (2,)."""
    scale: Float64
    """Their standard deviations, (2,); 1 where all are alike."""
    cuts: Float64
    """Terciles of the trend, (2,)."""


def paths(panel: Panel, labels: Labels) -> Float64:
    """What the bars until each row's exit were like, (n_rows, 3), NaN where it is UNKNOWN.

    Over the log returns of the closes of bars t + 1 .. exit, against the close before each:

    1. the realised return of the label, exit / entry - 1;
    2. ln of the volatility, the root of the mean squared return of a bar, at least ln `STILL`;
    3. the trend, sum of returns / root of the sum of their squares, between -root(n) and root(n)
       of n bars: 0 for prices that end where they began, or never move.

    Args:
        panel: the labelled bars.
        labels: of all its rows; the row's values are known at the close of `labels.exit`.
    """
    return np.asarray(_paths(panel.close, labels.exit, labels.realised), np.float64)


def fit_tasks(found: Float64, rows: Int64) -> TaskScale:
    """Scale the three by some rows: a fold's train rows.

    Args:
        found: (n_rows, 3) of `paths`.
        rows: (n,) rows with a known exit.

    Raises:
        ConfigError: no rows, or one whose exit is not known.
    """
    known = _known(found, rows)
    if not rows.size:
        raise ConfigError("tasks beside the outcome need train rows to be scaled by, got none")
    scale = known[:, :2].std(0)
    cuts = np.quantile(known[:, 2], [1 / 3, 2 / 3])
    return TaskScale(known[:, :2].mean(0), np.where(scale > 0, scale, 1.0), cuts)


def targets(found: Float64, scale: TaskScale, rows: Int64) -> Float32:
    """What a network is to say of some rows, (n, 3) float32.

    Return and log volatility in train standard deviations from the train mean; the regime as a
    class: 0 down, 1 quiet, 2 up, by the terciles of the trend on train rows (2 above the upper,
    0 up to the lower).

    Args:
        found: (n_rows, 3) of `paths`.
        scale: of `fit_tasks`.
        rows: (n,) rows with a known exit.

    Raises:
        ConfigError: a row whose exit is not known.
    """
    known = _known(found, rows)
    out = np.empty((rows.size, 3), np.float32)
    out[:, :2] = (known[:, :2] - scale.centre) / scale.scale
    out[:, 2] = np.searchsorted(scale.cuts, known[:, 2], side="left")
    return out


def _known(found: Float64, rows: Int64) -> Float64:
    known = found[rows]
    lost = np.isnan(known).any(1)
    if lost.any():
        raise ConfigError(
            f"row {rows[int(lost.argmax())]} has no known exit, so nothing is known of the way to "
            "it; take rows where Labels.known holds"
        )
    return np.asarray(known, np.float64)


@njit(cache=True, error_model="numpy")
def _paths(close: Float64, exit_: Int64, realised: Float64) -> Float64:
    out = np.full((close.size, 3), np.nan)
    for row in range(close.size):
        if exit_[row] < 0:
            continue
        total, squares = 0.0, 0.0
        for bar in range(row + 1, exit_[row] + 1):
            move = np.log(close[bar] / close[bar - 1])
            total += move
            squares += move * move
        out[row, 0] = realised[row]
        out[row, 1] = np.log(max(np.sqrt(squares / max(exit_[row] - row, 1)), STILL))
        out[row, 2] = total / np.sqrt(squares) if squares > 0 else 0.0
    return out
