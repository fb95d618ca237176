"""Would the same positions, or the same scores, have done as well at other times?"""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import DataError

_TIE: Final = 1e-9
"""Differences below this share of the largest are rounding, and ties."""


class Permuted(NamedTuple):
    """A one-sided permutation test."""

    p: float
    """(1 + number of permutations that do as well or better) / (n_permutations + 1)."""
    statistic: float | None
    """What was measured on the true order; None where it is not defined, then p is 1."""
    n_permutations: int


def timing_test(position: Float64, returns: Float64) -> Permuted:
    """Is the timing worth anything? The positions against the returns of all other times.

    The statistic is the sum of position x return over time and instruments: the gross profit of
    a fixed capital. Under the null of no timing the positions might as well have been held any
    number of bars earlier or later, so the test turns them round the circle of time, all
    instruments together, through every possible shift. What positions and returns are in
    themselves (holding times, exposure, correlation across instruments, volatility clusters)
    stays; only their meeting changes. A position that never changes has no timing: every shift
    ties and p is 1. Nothing is drawn: all n - 1 shifts are computed, by one Fourier transform.

    Args:
        position: (n_times,) or (n_times, n_instruments), held over the bar whose return stands in
            the same row; 0 where an instrument has no bar.
        returns: of the same shape; 0 where an instrument has no bar.

    Raises:
        DataError: two different shapes, or values that are not finite.

    Source: after Aronson (2006), Evidence-Based Technical Analysis, chapter 6 (Masters'
    permutation), with rotations instead of shuffles as in Politis, Romano & Wolf (1999),
    Subsampling, for dependent returns.
    """
    position, returns = (np.asarray(x, np.float64) for x in (position, returns))
    if position.shape != returns.shape or position.ndim not in {1, 2}:
        raise DataError(
            f"timing: needs positions and returns of one shape, got {position.shape} and "
            f"{returns.shape}"
        )
    if not (np.isfinite(position).all() and np.isfinite(returns).all()):
        raise DataError("timing: needs finite positions and returns: 0 where there is no bar")
    n_times = position.shape[0]
    if n_times < 2:
        return Permuted(1.0, None, 0)
    held = position.reshape(n_times, -1)
    # The mean position of an instrument earns the same at every shift.
    held = held - held.mean(axis=0)
    there = np.fft.rfft(returns.reshape(n_times, -1), axis=0)
    profit = np.fft.irfft((np.conj(np.fft.rfft(held, axis=0)) * there).sum(axis=1), n_times)
    scale = np.sqrt((held**2).sum() * (returns**2).sum())
    # The exact profit at shift 0 would be read off the same transform, rounding and all.
    as_well = int(np.count_nonzero(profit[1:] >= profit[0] - _TIE * scale))
    return Permuted((1 + as_well) / n_times, float((position * returns).sum()), n_times - 1)


def label_test(
    measure: Callable[[Int64], float | None],
    day: Int64,
    rng: np.random.Generator,
    n_permutations: int = 199,
) -> Permuted:
    """Does a score know the labels of its own time? The measure against labels of other days.

    Labels of one day, and of neighbouring days, are not independent (they overlap, and volatility
    clusters), so they are not shuffled: they are turned round the circle of days, all rows in
    their order. Where each day has the same rows, every row gets the label of the same instrument
    and hour of another day, and a score that only knows instruments and hours gains nothing.

    Args:
        measure: rows (n,) -> a number, higher is better, None or NaN where not defined: it is
            called with which row's label each row is given, as `lambda at: roc_auc(p, hit[at])`; a
            whole fit may stand behind it.
        day: (n,) the day of each row; rows in time order.
        rng: draws the shifts, without replacement as long as there are days.
        n_permutations: how many at most.

    Raises:
        DataError: days that do not rise.

    Source: Ojala & Garriga (2010), Permutation Tests for Studying Classifier Performance, JMLR 11,
    test 1, with rotations of whole days instead of a shuffle of rows.
    """
    day = np.asarray(day, np.int64)
    if day.ndim != 1 or (np.diff(day) < 0).any():
        raise DataError("labels: needs the day of each row, rows in time order")
    rows = np.arange(day.size, dtype=np.int64)
    starts = np.r_[0, np.flatnonzero(np.diff(day) > 0) + 1]
    told = measure(rows)
    if told is None or math.isnan(told) or starts.size < 2:
        return Permuted(1.0, None if told is None or math.isnan(told) else told, 0)
    drawn = rng.permutation(starts[1:])[:n_permutations]
    as_well = 0
    for start in drawn:
        other = measure(np.roll(rows, -int(start)))
        as_well += other is None or not other < told  # NaN counts against the claim
    return Permuted((1 + as_well) / (drawn.size + 1), told, int(drawn.size))
