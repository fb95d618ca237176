"""Primitives across the instruments that have a bar at the same time.

A kernel takes `x`, `known` (whether a row counts), rows `order`ed by time and then instrument,
and `bounds` of the times in it: rows order[bounds[g]:bounds[g + 1]] stand at one time. Sums run
in the order of instruments. Fewer than 3 that count give 0; a row that does not count is left
as it is.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64

FEWEST: Final = 3


@njit(nogil=True, cache=True)
def _present(known: Bool, order: Int64, bounds: Int64, group: int) -> Int64:
    rows = order[bounds[group] : bounds[group + 1]]
    return rows[known[rows]]


@njit(nogil=True, cache=True)
def cross_rank(x: Float64, known: Bool, order: Int64, bounds: Int64, out: Float64) -> None:
    """Share of the other instruments whose value lies below, equals by half: 0 .. 1."""
    for group in range(bounds.size - 1):
        rows = _present(known, order, bounds, group)
        if rows.size < FEWEST:
            out[rows] = 0.0
            continue
        values = x[rows]
        rising = np.sort(values)
        for i in range(rows.size):
            below = np.searchsorted(rising, values[i])
            not_above = np.searchsorted(rising, values[i], side="right")
            out[rows[i]] = 0.5 * (below + not_above - 1) / (rows.size - 1)


@njit(nogil=True, cache=True)
def _centre(values: Float64) -> float:
    total = 0.0
    for i in range(values.size):
        total += values[i] - values[0]
    return total / values.size


@njit(nogil=True, cache=True)
def cross_mean(x: Float64, known: Bool, order: Int64, bounds: Int64, out: Float64) -> None:
    """Mean over the instruments."""
    for group in range(bounds.size - 1):
        rows = _present(known, order, bounds, group)
        out[rows] = x[rows[0]] + _centre(x[rows]) if rows.size >= FEWEST else 0.0


@njit(nogil=True, cache=True)
def cross_zscore(x: Float64, known: Bool, order: Int64, bounds: Int64, out: Float64) -> None:
    """Deviations from the mean over the instruments, in standard deviations; 0 if all agree."""
    for group in range(bounds.size - 1):
        rows = _present(known, order, bounds, group)
        if rows.size < FEWEST:
            out[rows] = 0.0
            continue
        values = x[rows]
        centre, total = _centre(values), 0.0
        for i in range(rows.size):
            deviation = (values[i] - values[0]) - centre
            total += deviation * deviation
        spread = math.sqrt(total / rows.size)
        for i in range(rows.size):
            deviation = (values[i] - values[0]) - centre
            out[rows[i]] = deviation / spread if spread > 0.0 else 0.0
