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
from touchstone.features.language import LARGEST

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
def std(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Standard deviation of the last n values, dividing by n."""
    room = np.empty(TILE)
    for start in range(0, out.size, TILE):
        tile = out[start : start + TILE]
        _moments(x, out, start, lanes, n, room[: tile.size])
        for i in range(tile.size):
            tile[i] = math.sqrt(tile[i])


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


@njit(nogil=True, cache=True, error_model="numpy")
def _moment(x: Float64, out: Float64, lanes: int, n: int, power: int) -> None:
    """Mean of the last n values' standard scores to the power 3 or 4; 0 if all are equal."""
    means, totals = np.empty(TILE), np.empty(TILE)
    for start in range(0, out.size, TILE):
        tile, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
        mean, total = means[: tile.size], totals[: tile.size]
        _moments(x, out, start, lanes, n, mean)
        total[:] = 0.0
        for i in range(tile.size):
            tile[i] = math.sqrt(tile[i])
        for k in range(n):
            a = ago(x, out, start, lanes, k)
            for i in range(tile.size):
                z = ((a[i] - now[i]) - mean[i]) / tile[i]
                total[i] += z * z * z if power == 3 else z * z * (z * z)
        for i in range(tile.size):
            tile[i] = total[i] / n if tile[i] > 0.0 else 0.0


@njit(nogil=True, cache=True)
def skew(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Third central moment of the last n values over their cubed deviation; 0 if all are equal."""
    _moment(x, out, lanes, n, 3)


@njit(nogil=True, cache=True)
def kurtosis(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Fourth central moment over the squared variance, less the normal's 3; 0 if all are equal."""
    _moment(x, out, lanes, n, 4)
    for i in range(out.size):
        out[i] = out[i] - 3.0 if out[i] > 0.0 else 0.0


@njit(nogil=True, cache=True)
def slope(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Slope, per bar, of the least-squares line through the last n values."""
    scale = 12.0 / (n * (n * n - 1.0))
    for start in range(0, out.size, TILE):
        total, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
        total[:] = 0.0
        for k in range(1, n):
            a, weight = ago(x, out, start, lanes, k), 0.5 * (n - 1) - k
            for i in range(total.size):
                total[i] += weight * (a[i] - now[i])
        for i in range(total.size):
            total[i] *= scale


@njit(nogil=True, cache=True)
def decay(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Mean of the last n values under weights that fall by 1 a bar: n now, 1 for the oldest."""
    scale = 2.0 / (n * (n + 1.0))
    for start in range(0, out.size, TILE):
        total, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
        total[:] = 0.0
        for k in range(1, n):
            a, weight = ago(x, out, start, lanes, k), float(n - k)
            for i in range(total.size):
                total[i] += weight * (a[i] - now[i])
        for i in range(total.size):
            total[i] = now[i] + total[i] * scale


@njit(nogil=True, cache=True)
def _comoments(x: Float64, y: Float64, out: Float64, start: int, lanes: int, n: int) -> Float64:
    """Rows: variance of x, of y, and their covariance, over the last n bars."""
    size = min(TILE, out.size - start)
    p, q, pp, qq, pq = np.zeros((5, size))
    now_x, now_y = ago(x, out, start, lanes, 0), ago(y, out, start, lanes, 0)
    for k in range(1, n):
        a, b = ago(x, out, start, lanes, k), ago(y, out, start, lanes, k)
        for i in range(size):
            dx, dy = a[i] - now_x[i], b[i] - now_y[i]
            p[i] += dx
            q[i] += dy
            pp[i] += dx * dx
            qq[i] += dy * dy
            pq[i] += dx * dy
    moments = np.empty((3, size))
    for i in range(size):
        mean_x, mean_y = p[i] / n, q[i] / n
        moments[0, i] = max(pp[i] / n - mean_x * mean_x, 0.0)
        moments[1, i] = max(qq[i] / n - mean_y * mean_y, 0.0)
        moments[2, i] = pq[i] / n - mean_x * mean_y
    return moments


@njit(nogil=True, cache=True, error_model="numpy")
def corr(x: Float64, y: Float64, out: Float64, lanes: int, n: int) -> None:
    """Pearson's correlation of the last n pairs; 0 if either is flat."""
    for start in range(0, out.size, TILE):
        xx, yy, xy = _comoments(x, y, out, start, lanes, n)
        for i in range(xx.size):
            scale = math.sqrt(xx[i]) * math.sqrt(yy[i])
            value = min(max(xy[i] / scale, -1.0), 1.0)
            out[start + i] = value if scale > 0.0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def beta(x: Float64, y: Float64, out: Float64, lanes: int, n: int) -> None:
    """Slope of the last n values of x on those of y; 0 if y is flat."""
    for start in range(0, out.size, TILE):
        _, yy, xy = _comoments(x, y, out, start, lanes, n)
        for i in range(yy.size):
            value = min(max(xy[i] / yy[i], -LARGEST), LARGEST)
            out[start + i] = value if yy[i] > 0.0 else 0.0
