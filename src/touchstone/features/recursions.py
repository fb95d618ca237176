"""Primitives that remember for ever: a bar's value from the same column's value one bar earlier.

A kernel takes `x` (the current bars, flat, rows of `lanes`), `age` (lanes,) - how many bars of
its instrument came before the first row, negative where the instrument has no bar now - and
`skip`, the warm-up of x. `out` has one row more than x in front, the last of the rows before:
all the memory there is. A row before the first value of x, or of an absent instrument, is left
as it is; rows of the column's own warm-up hold what the seed needs and are shown to nobody.
"""

from numba import njit

from touchstone.arrays import Float64, Int64


@njit(nogil=True, cache=True)
def _smooth(x: Float64, age: Int64, skip: int, out: Float64, n: int, weight: float) -> None:
    """Moves by weight * (x - out) a bar, from the mean of the first n values on."""
    lanes = age.size
    youngest = age.min() - skip
    for t in range(x.size // lanes):
        new = x[t * lanes : (t + 1) * lanes]
        before, now = out[t * lanes : (t + 1) * lanes], out[(t + 1) * lanes : (t + 2) * lanes]
        if youngest + t >= n:
            for i in range(lanes):
                now[i] = before[i] + weight * (new[i] - before[i])
            continue
        for i in range(lanes):
            seen = age[i] - skip + t
            if seen >= n:
                now[i] = before[i] + weight * (new[i] - before[i])
            elif seen > 0:
                now[i] = before[i] + (new[i] - before[i]) / (seen + 1)
            elif seen == 0:
                now[i] = new[i]


@njit(nogil=True, cache=True)
def ema(x: Float64, age: Int64, skip: int, out: Float64, n: int) -> None:
    """Exponential mean with weight 2 / (n + 1), begun with the mean of the first n values."""
    _smooth(x, age, skip, out, n, 2.0 / (n + 1.0))


@njit(nogil=True, cache=True)
def wilder(x: Float64, age: Int64, skip: int, out: Float64, n: int) -> None:
    """Exponential mean with weight 1 / n (Wilder 1978), begun with the mean of the first n."""
    _smooth(x, age, skip, out, n, 1.0 / n)


@njit(nogil=True, cache=True)
def cummax(x: Float64, age: Int64, skip: int, out: Float64) -> None:
    """Largest value so far."""
    lanes = age.size
    for i in range(x.size):
        seen = age[i % lanes] - skip + i // lanes
        if seen >= 0:
            before = out[i] if seen > 0 else x[i]
            out[i + lanes] = x[i] if x[i] > before else before


@njit(nogil=True, cache=True)
def since(x: Float64, age: Int64, skip: int, out: Float64) -> None:
    """Bars since x was last not 0; before the first time, bars since the first value."""
    lanes = age.size
    for i in range(x.size):
        seen = age[i % lanes] - skip + i // lanes
        if seen >= 0:
            out[i + lanes] = out[i] + 1.0 if seen > 0 and x[i] == 0.0 else 0.0
