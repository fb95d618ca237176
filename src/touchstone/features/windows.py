"""Primitives over the last n bars, each window computed afresh.

Nothing is carried from window to window, so nothing drifts: a value is the same whatever came
before its window and however the bars arrive, and prices of 1e-8 and of 1e6 are served alike.
Bars of many instruments lie side by side (lanes), so that "k bars ago" is the same flat array,
k * lanes elements earlier, and the price, n operations a bar, is paid in SIMD. (Sums and
extremes of n need only log n: `graph` builds them of halves.) Moments are those of the
differences from the current value: exact where nothing moves; and as that value is one of the
window, cancellation costs a factor n of the rounding at most.

Every kernel takes `x` flat, the last `out.size` of whose elements are the current bars and the
ones before them their history (at least n - 1 rows of `lanes`), fills `out`, and allocates a few
tiles at most. Moments divide by n, as TA-Lib's do.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from touchstone.arrays import Float64

TILE: Final = 1024
"""Elements worked on at a time: a few of these stay in the first-level cache."""


@njit(nogil=True, cache=True)
def ago(x: Float64, out: Float64, start: int, lanes: int, k: int) -> Float64:
    """The elements of x that lie k bars before the tile of `out` that begins at `start`."""
    first = x.size - out.size + start - k * lanes
    return x[first : first + min(TILE, out.size - start)]


@njit(nogil=True, cache=True)
def _moments(x: Float64, out: Float64, start: int, lanes: int, n: int, mean: Float64) -> None:
    """Mean of the last n values, less the current one; their variance into the tile of `out`."""
    variance, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
    mean[:] = 0.0
    variance[:] = 0.0
    for k in range(1, n - 1, 2):
        a, b = ago(x, out, start, lanes, k), ago(x, out, start, lanes, k + 1)
        for i in range(mean.size):
            p, q = a[i] - now[i], b[i] - now[i]
            mean[i] += p + q
            variance[i] += p * p + q * q
    if n % 2 == 0:
        a = ago(x, out, start, lanes, n - 1)
        for i in range(mean.size):
            p = a[i] - now[i]
            mean[i] += p
            variance[i] += p * p
    for i in range(mean.size):
        mean[i] /= n
        variance[i] = max(variance[i] / n - mean[i] * mean[i], 0.0)


@njit(nogil=True, cache=True)
def mad(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Mean distance of the last n values from their mean."""
    room = np.empty(TILE)
    for start in range(0, out.size, TILE):
        tile, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
        mean = room[: tile.size]
        _moments(x, out, start, lanes, n, mean)
        tile[:] = 0.0
        for k in range(n):
            a = ago(x, out, start, lanes, k)
            for i in range(tile.size):
                tile[i] += abs((a[i] - now[i]) - mean[i])
        for i in range(tile.size):
            tile[i] /= n


@njit(nogil=True, cache=True, error_model="numpy")
def rescaled_range(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Range of the summed deviations of the last n values over their deviation (Hurst 1951).

    0 if all are equal.
    """
    means, sums, tops, bottoms = np.empty((4, TILE))
    for start in range(0, out.size, TILE):
        tile, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
        mean, total = means[: tile.size], sums[: tile.size]
        top, bottom = tops[: tile.size], bottoms[: tile.size]
        _moments(x, out, start, lanes, n, mean)
        total[:] = 0.0
        top[:] = 0.0
        bottom[:] = 0.0
        for k in range(n - 1, 0, -1):  # the last sum, with k = 0, is 0 again
            a = ago(x, out, start, lanes, k)
            for i in range(tile.size):
                total[i] += (a[i] - now[i]) - mean[i]
                top[i] = max(top[i], total[i])
                bottom[i] = min(bottom[i], total[i])
        for i in range(tile.size):
            spread = math.sqrt(tile[i])
            value = (top[i] - bottom[i]) / spread
            tile[i] = value if spread > 0.0 else 0.0
