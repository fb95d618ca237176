"""Primitives that remember for ever: a bar's value from the same column's value one bar earlier.

A kernel takes `x` (the current bars, flat, rows of `lanes`) and the columns beside it, `age`
(lanes,) - how many bars of its instrument came before the first row, negative where the
instrument has no bar now - and the warm-up of each column, `skip` that of x. `out` has one row
more than x in front, the last of the rows before: all the memory there is, unless the primitive
asks for rows of `memory` of its own. A row before the first value of x, or of an absent
instrument, is left as it is; rows of the column's own warm-up hold what the seed needs and are
shown to nobody. The first value of an instrument never reads what was there before it.
"""

from typing import Final

from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.features.language import LARGEST

PSAR_ROWS: Final = 6
"""What `psar` remembers of each instrument: the next stop, the extreme of the trend, the step,
1 if it rises, and the bar before."""
_STEP: Final = 0.02
_LARGEST_STEP: Final = 0.2


@njit(nogil=True, cache=True, _nrt=False)
def _smooth(x: Float64, age: Int64, skip: int, out: Float64, n: int, weight: float) -> None:
    """Moves by weight * (x - out) a bar, from the mean of the first n values on."""
    lanes = age.size
    youngest = age[0] - skip
    for i in range(lanes):
        youngest = min(youngest, age[i] - skip)
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


@njit(nogil=True, cache=True, _nrt=False)
def ema(x: Float64, age: Int64, skip: int, out: Float64, n: int) -> None:
    """Exponential mean with weight 2 / (n + 1), begun with the mean of the first n values."""
    _smooth(x, age, skip, out, n, 2.0 / (n + 1.0))


@njit(nogil=True, cache=True, _nrt=False)
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


@njit(nogil=True, cache=True)
def blend(x: Float64, y: Float64, age: Int64, skip: int, skip_y: int, out: Float64) -> None:
    """Moves from the value before by the share y, within 0 .. 1, of the distance to x.

    It begins with x as it was one bar before the first y, if it was.
    """
    lanes = age.size
    for i in range(x.size):
        seen = age[i % lanes] + i // lanes
        if seen < skip:
            continue
        if seen == skip or seen < skip_y:
            out[i + lanes] = x[i]
        else:
            out[i + lanes] = out[i] + min(max(y[i], 0.0), 1.0) * (x[i] - out[i])


@njit(nogil=True, cache=True)
def held(x: Float64, y: Float64, age: Int64, skip: int, skip_y: int, out: Float64) -> None:
    """The value x had when y was last not 0; before the first time, x at its first value."""
    lanes, begin = age.size, max(skip, skip_y)
    for i in range(x.size):
        seen = age[i % lanes] - begin + i // lanes
        if seen >= 0:
            out[i + lanes] = x[i] if seen == 0 or y[i] != 0.0 else out[i]


@njit(nogil=True, cache=True)
def sum_since(x: Float64, y: Float64, age: Int64, skip: int, skip_y: int, out: Float64) -> None:
    """Sum of x since y was last not 0, that bar included; before, since the first value."""
    lanes, begin = age.size, max(skip, skip_y)
    for i in range(x.size):
        seen = age[i % lanes] - begin + i // lanes
        if seen >= 0:
            before = 0.0 if seen == 0 or y[i] != 0.0 else out[i]
            out[i + lanes] = min(max(before + x[i], -LARGEST), LARGEST)


@njit(nogil=True, cache=True)
def max_since(x: Float64, y: Float64, age: Int64, skip: int, skip_y: int, out: Float64) -> None:
    """Largest x since y was last not 0, that bar included; before, since the first value."""
    lanes, begin = age.size, max(skip, skip_y)
    for i in range(x.size):
        seen = age[i % lanes] - begin + i // lanes
        if seen >= 0:
            before = x[i] if seen == 0 or y[i] != 0.0 else out[i]
            out[i + lanes] = x[i] if x[i] > before else before


@njit(nogil=True, cache=True)
def psar(  # noqa: PLR0913, PLR0917  two columns, and what the engine hands to every kernel
    a: Float64, b: Float64, age: Int64, skip: int, skip_b: int, memory: Float64, out: Float64
) -> None:
    """Parabolic stop and reverse of highs a and lows b, steps of 0.02 to 0.2 (Wilder 1978).

    The first value is the low; the second bar says which way the trend goes.
    """
    lanes, begin = age.size, max(skip, skip_b)
    state = memory.reshape((PSAR_ROWS, lanes))
    for i in range(a.size):
        lane = i % lanes
        seen = age[lane] - begin + i // lanes
        if seen < 0:
            continue
        mine = state[:, lane]
        if seen == 0:
            out[i + lanes] = b[i]
        else:
            if seen == 1:
                _begin_trend(mine, a[i], b[i])
            out[i + lanes] = _stop(mine, a[i], b[i])
        mine[4], mine[5] = a[i], b[i]


@njit(nogil=True, cache=True)
def _begin_trend(state: Float64, high: float, low: float) -> None:
    """It falls if the low fell by more than the high rose; the stop is the bar before."""
    before_high, before_low = state[4], state[5]
    fall = before_low - low
    rising = not (fall > 0.0 and fall > high - before_high)
    state[0], state[1] = (before_low, high) if rising else (before_high, low)
    state[2], state[3] = _STEP, 1.0 if rising else 0.0
    state[4], state[5] = high, low


@njit(nogil=True, cache=True)
def _stop(state: Float64, high: float, low: float) -> float:
    """The stop of this bar, reversed where the bar touches it; the state moves to the next bar.

    A falling trend is a rising one upside down.
    """
    sense = 1.0 if state[3] != 0.0 else -1.0
    stop, extreme = sense * state[0], sense * state[1]
    top, bottom = (high, low) if sense > 0.0 else (-low, -high)
    last_top, last_bottom = (state[4], state[5]) if sense > 0.0 else (-state[5], -state[4])
    if bottom <= stop:
        stop = max(extreme, last_top, top)
        state[1], state[2], state[3] = sense * bottom, _STEP, 1.0 - state[3]
        state[0] = sense * max(stop + _STEP * (bottom - stop), last_top, top)
        return float(sense * stop)
    if top > extreme:
        extreme, state[2] = top, min(state[2] + _STEP, _LARGEST_STEP)
    state[1] = sense * extreme
    state[0] = sense * min(stop + state[2] * (extreme - stop), last_bottom, bottom)
    return float(sense * stop)
