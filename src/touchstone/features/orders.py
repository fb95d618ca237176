"""Primitives about order within the last n bars: extremes, where they lie, ranks, quantiles.

The same arrays and layout as in `windows`. Order statistics are exact, so how they are found
leaves no trace in their value.
"""

import numpy as np
from numba import njit

from touchstone.arrays import Float64
from touchstone.features.windows import TILE, ago


@njit(nogil=True, cache=True)
def _bars_since(x: Float64, out: Float64, lanes: int, n: int, sense: float) -> None:
    for start in range(0, out.size, TILE):
        where = out[start : start + TILE]
        best = sense * ago(x, out, start, lanes, 0)
        where[:] = 0.0
        for k in range(1, n):
            a = ago(x, out, start, lanes, k)
            for i in range(best.size):
                beyond = sense * a[i] > best[i]
                best[i] = sense * a[i] if beyond else best[i]
                where[i] = float(k) if beyond else where[i]


@njit(nogil=True, cache=True)
def argmin(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Bars since the smallest of the last n values, the latest of equals: 0 .. n - 1."""
    _bars_since(x, out, lanes, n, -1.0)


@njit(nogil=True, cache=True)
def argmax(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Bars since the largest of the last n values, the latest of equals: 0 .. n - 1."""
    _bars_since(x, out, lanes, n, 1.0)


@njit(nogil=True, cache=True)
def rank(x: Float64, out: Float64, lanes: int, n: int) -> None:
    """Share of the n - 1 values before that lie below the current one, equals by half: 0 .. 1."""
    for start in range(0, out.size, TILE):
        below, now = out[start : start + TILE], ago(x, out, start, lanes, 0)
        below[:] = 0.0
        for k in range(1, n):
            a = ago(x, out, start, lanes, k)
            for i in range(below.size):
                below[i] += (1.0 if a[i] < now[i] else 0.0) + (0.5 if a[i] == now[i] else 0.0)
        for i in range(below.size):
            below[i] /= n - 1


@njit(nogil=True, cache=True)
def quantile(x: Float64, out: Float64, lanes: int, n: int, q: float) -> None:
    """The value below which a share q of the last n values lies, between neighbours linearly."""
    place = q * (n - 1)
    low = int(place)
    high, share = min(low + 1, n - 1), place - low
    first = x.size - out.size
    if out.size == lanes:  # one window of each lane: no order is worth keeping
        windows = np.empty((lanes, n))
        for k in range(n):
            for lane in range(lanes):
                windows[lane, k] = x[first + lane - k * lanes]
        for lane in range(lanes):
            window = windows[lane]
            _select(window, low)
            above = window[high]
            for k in range(high, n):
                above = min(above, window[k])
            out[lane] = window[low] + (above - window[low]) * share + 0.0  # never -0.0
        return
    for lane in range(min(lanes, out.size)):
        at = first + lane - (n - 1) * lanes
        ordered = np.sort(x[at : first + lane + 1 : lanes])
        for i in range(lane, out.size, lanes):
            if i > lane:
                _replace(ordered, x[at], x[first + i])
                at += lanes
            out[i] = ordered[low] + (ordered[high] - ordered[low]) * share + 0.0  # never -0.0


@njit(nogil=True, cache=True)
def _select(values: Float64, k: int) -> None:
    """Reorder so that no value before place k is larger than it, none after smaller (Hoare)."""
    low, high = 0, values.size - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            return


@njit(nogil=True, cache=True)
def _replace(ordered: Float64, old: float, new: float) -> None:
    """Take one `old` out of the rising values and put `new` in."""
    i = np.searchsorted(ordered, old)
    while i + 1 < ordered.size and ordered[i + 1] < new:
        ordered[i] = ordered[i + 1]
        i += 1
    while i > 0 and ordered[i - 1] > new:
        ordered[i] = ordered[i - 1]
        i -= 1
    ordered[i] = new
