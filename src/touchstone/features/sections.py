"""Primitives across the instruments that have a bar at the same time.

A kernel takes `x`, `known` (whether a row has a value), `counts` (whether the others are measured
by it: the members of a universe), rows `order`ed by time and then instrument, and `bounds` of the
times in it: rows order[bounds[g]:bounds[g + 1]] stand at one time. Sums run in the order of
instruments. A known row that does not count is measured by those that do, so that whoever joins
has a past; it moves none of them. Fewer than 3 that count give 0; a row that is not known is left
as it is.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64

FEWEST: Final = 3


@njit(nogil=True, cache=True)
def _among(which: Bool, order: Int64, bounds: Int64, group: int) -> Int64:
    rows = order[bounds[group] : bounds[group + 1]]
    return rows[which[rows]]


@njit(nogil=True, cache=True)
def cross_rank(
    x: Float64, known: Bool, counts: Bool, order: Int64, bounds: Int64, out: Float64
) -> None:
    """Share of the other instruments whose value lies below, equals by half: 0 .. 1."""
    for group in range(bounds.size - 1):
        rows, others = _among(known, order, bounds, group), _among(counts, order, bounds, group)
        if others.size < FEWEST:
            out[rows] = 0.0
            continue
        rising = np.sort(x[others])
        for row in rows:
            below = np.searchsorted(rising, x[row])
            not_above = np.searchsorted(rising, x[row], side="right")
            own = 1 if counts[row] else 0
            out[row] = 0.5 * (below + not_above - own) / (others.size - own)


@njit(nogil=True, cache=True)
def _centre(values: Float64) -> float:
    total = 0.0
    for i in range(values.size):
        total += values[i] - values[0]
    return total / values.size


@njit(nogil=True, cache=True)
def cross_mean(
    x: Float64, known: Bool, counts: Bool, order: Int64, bounds: Int64, out: Float64
) -> None:
    """Mean over the instruments."""
    for group in range(bounds.size - 1):
        rows, others = _among(known, order, bounds, group), _among(counts, order, bounds, group)
        out[rows] = x[others[0]] + _centre(x[others]) if others.size >= FEWEST else 0.0


@njit(nogil=True, cache=True)
def cross_zscore(
    x: Float64, known: Bool, counts: Bool, order: Int64, bounds: Int64, out: Float64
) -> None:
    """Deviations from the mean over the instruments, in standard deviations; 0 if all agree."""
    for group in range(bounds.size - 1):
        rows, others = _among(known, order, bounds, group), _among(counts, order, bounds, group)
        if others.size < FEWEST:
            out[rows] = 0.0
            continue
        values = x[others]
        centre, total = _centre(values), 0.0
        for i in range(others.size):
            deviation = (values[i] - values[0]) - centre
            total += deviation * deviation
        spread = math.sqrt(total / others.size)
        for row in rows:
            deviation = (x[row] - values[0]) - centre
            out[row] = deviation / spread if spread > 0.0 else 0.0
