"""Primitives of one moment: every element of `out` from the elements of the same bar.

`chain` runs many of them over one tile of the columns after another, so that what they hand to
each other stays in the first-level cache.

All arithmetic is total: where a quotient, logarithm, root or power has no value it is 0, and
products, quotients and powers stop at +-1e100, so that nothing after a warm-up is NaN or
infinite. Every kernel takes flat float64 arrays of one size, the last of which is filled.
"""

import math
from typing import Final

from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.features.language import LARGEST


@njit(nogil=True, cache=True)
def add(a: Float64, b: Float64, out: Float64) -> None:
    """The sum a + b."""
    for i in range(out.size):
        out[i] = a[i] + b[i]


@njit(nogil=True, cache=True)
def subtract(a: Float64, b: Float64, out: Float64) -> None:
    """The difference a - b."""
    for i in range(out.size):
        out[i] = a[i] - b[i]


@njit(nogil=True, cache=True)
def multiply(a: Float64, b: Float64, out: Float64) -> None:
    """The product a * b, within +-1e100."""
    for i in range(out.size):
        out[i] = min(max(a[i] * b[i], -LARGEST), LARGEST)


@njit(nogil=True, cache=True, error_model="numpy")
def divide(a: Float64, b: Float64, out: Float64) -> None:
    """The quotient a / b, within +-1e100; 0 where b is 0."""
    for i in range(out.size):
        quotient = min(max(a[i] / b[i], -LARGEST), LARGEST)
        out[i] = quotient if b[i] != 0.0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def div(a: Float64, b: Float64, default: Float64, out: Float64) -> None:
    """The quotient a / b, within +-1e100; `default` where b is 0."""
    for i in range(out.size):
        quotient, otherwise = min(max(a[i] / b[i], -LARGEST), LARGEST), default[i]
        out[i] = quotient if b[i] != 0.0 else otherwise


@njit(nogil=True, cache=True, error_model="numpy")
def power(a: Float64, b: Float64, out: Float64) -> None:
    """The power a ** b, within +-1e100; 0 where it has no real value, and for 0 ** b with b < 0."""
    for i in range(out.size):
        if b[i] == 2.0:
            value = a[i] * a[i]
        elif a[i] == 0.0 and b[i] < 0.0:
            value = 0.0
        else:
            value = a[i] ** b[i]
        out[i] = 0.0 if math.isnan(value) else min(max(value, -LARGEST), LARGEST)


@njit(nogil=True, cache=True)
def smaller(a: Float64, b: Float64, out: Float64) -> None:
    """The smaller of the two."""
    for i in range(out.size):
        out[i] = a[i] if a[i] < b[i] else b[i]


@njit(nogil=True, cache=True)
def larger(a: Float64, b: Float64, out: Float64) -> None:
    """The larger of the two."""
    for i in range(out.size):
        out[i] = a[i] if a[i] > b[i] else b[i]


@njit(nogil=True, cache=True)
def less(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a < b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] < b[i] else 0.0


@njit(nogil=True, cache=True)
def at_most(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a <= b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] <= b[i] else 0.0


@njit(nogil=True, cache=True)
def equal(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a == b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] == b[i] else 0.0


@njit(nogil=True, cache=True)
def unequal(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a != b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] != b[i] else 0.0


@njit(nogil=True, cache=True)
def where(condition: Float64, a: Float64, b: Float64, out: Float64) -> None:
    """Either a, where the condition is not 0, or b."""
    for i in range(out.size):
        yes, no = a[i], b[i]  # both read: a select, not a branch
        out[i] = yes if condition[i] != 0.0 else no


@njit(nogil=True, cache=True)
def absolute(x: Float64, out: Float64) -> None:
    """The size of x, without its sign."""
    for i in range(out.size):
        out[i] = abs(x[i])


@njit(nogil=True, cache=True)
def sign(x: Float64, out: Float64) -> None:
    """-1, 0 or 1."""
    for i in range(out.size):
        out[i] = (1.0 if x[i] > 0.0 else 0.0) - (1.0 if x[i] < 0.0 else 0.0)


@njit(nogil=True, cache=True)
def sqrt(x: Float64, out: Float64) -> None:
    """The square root; 0 where x < 0."""
    for i in range(out.size):
        out[i] = math.sqrt(x[i] if x[i] > 0.0 else 0.0)


@njit(nogil=True, cache=True)
def log(x: Float64, out: Float64) -> None:
    """The natural logarithm; 0 where x <= 0."""
    for i in range(out.size):
        out[i] = math.log(x[i]) if x[i] > 0.0 else 0.0


@njit(nogil=True, cache=True)
def exp(x: Float64, out: Float64) -> None:
    """The exponential of x, at most 1e100."""
    for i in range(out.size):
        out[i] = math.exp(x[i]) if x[i] < 230.0 else LARGEST


@njit(nogil=True, cache=True)
def sin(x: Float64, out: Float64) -> None:
    """The sine of an angle in radians."""
    for i in range(out.size):
        out[i] = math.sin(x[i])


@njit(nogil=True, cache=True)
def cos(x: Float64, out: Float64) -> None:
    """The cosine of an angle in radians."""
    for i in range(out.size):
        out[i] = math.cos(x[i])


ONE: Final = (absolute, sign, sqrt, log, exp, sin, cos)
TWO: Final = (
    add, subtract, multiply, divide, smaller, larger, less, at_most, equal, unequal, power
)  # fmt: skip
THREE: Final = (where, div)
"""Kernels of one, two and three columns; `chain` knows them by their places here."""

TILE: Final = 1024
"""Elements of a column that a chain works on at a time."""


@njit(nogil=True, cache=True)
def _of_one(which: int, x: Float64, out: Float64) -> None:
    if which == 0:
        absolute(x, out)
    elif which == 1:
        sign(x, out)
    elif which == 2:
        sqrt(x, out)
    elif which == 3:
        log(x, out)
    elif which == 4:
        exp(x, out)
    elif which == 5:
        sin(x, out)
    else:
        cos(x, out)


@njit(nogil=True, cache=True)
def _of_two(which: int, a: Float64, b: Float64, out: Float64) -> None:
    if which == 0:
        add(a, b, out)
    elif which == 1:
        subtract(a, b, out)
    elif which == 2:
        multiply(a, b, out)
    elif which == 3:
        divide(a, b, out)
    elif which == 4:
        smaller(a, b, out)
    elif which == 5:
        larger(a, b, out)
    elif which == 6:
        less(a, b, out)
    elif which == 7:
        at_most(a, b, out)
    elif which == 8:
        equal(a, b, out)
    elif which == 9:
        unequal(a, b, out)
    else:
        power(a, b, out)


@njit(nogil=True, cache=True)
def chain(code: Int64, arena: Float64, size: int) -> None:
    """Run point primitives one after the other, tile by tile.

    Args:
        code: a row each: how many columns it takes, its place in `ONE`, `TWO` or `THREE`, and
            where in the arena its result and its columns begin, (n, 6).
        arena: all columns of a workspace, flat.
        size: elements of a column.
    """
    for start in range(0, size, TILE):
        end = min(start + TILE, size)
        for k in range(code.shape[0]):
            n_args, which, into, first, second, third = code[k]
            out, a = arena[into + start : into + end], arena[first + start : first + end]
            if n_args == 1:
                _of_one(which, a, out)
                continue
            b = arena[second + start : second + end]
            if n_args == 2:
                _of_two(which, a, b, out)
                continue
            c = arena[third + start : third + end]
            if which == 0:
                where(a, b, c, out)
            else:
                div(a, b, c, out)
