"""Primitives of one moment: every element of `out` from the elements of the same bar.

All arithmetic is total: where a quotient, logarithm, root or power has no value it is 0, and
products, quotients and powers stop at +-1e100, so that nothing after a warm-up is NaN or
infinite. Every kernel takes flat float64 arrays of one size, the last of which is filled, and
allocates nothing: without `_nrt`, numba's counting of references, a slice costs next to nothing.
A new one has its line in `PRIMITIVES` and its place in `chains`.
"""

import math

from numba import njit

from touchstone.arrays import Float64
from touchstone.features.language import LARGEST


@njit(nogil=True, cache=True, _nrt=False)
def add(a: Float64, b: Float64, out: Float64) -> None:
    """The sum a + b."""
    for i in range(out.size):
        out[i] = a[i] + b[i]


@njit(nogil=True, cache=True, _nrt=False)
def subtract(a: Float64, b: Float64, out: Float64) -> None:
    """The difference a - b."""
    for i in range(out.size):
        out[i] = a[i] - b[i]


@njit(nogil=True, cache=True, _nrt=False)
def multiply(a: Float64, b: Float64, out: Float64) -> None:
    """The product a * b, within +-1e100."""
    for i in range(out.size):
        out[i] = min(max(a[i] * b[i], -LARGEST), LARGEST)


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")
def divide(a: Float64, b: Float64, out: Float64) -> None:
    """The quotient a / b, within +-1e100; 0 where b is 0."""
    for i in range(out.size):
        quotient = min(max(a[i] / b[i], -LARGEST), LARGEST)
        out[i] = quotient if b[i] != 0.0 else 0.0


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")
def div(a: Float64, b: Float64, default: Float64, out: Float64) -> None:
    """The quotient a / b, within +-1e100; `default` where b is 0."""
    for i in range(out.size):
        quotient, otherwise = min(max(a[i] / b[i], -LARGEST), LARGEST), default[i]
        out[i] = quotient if b[i] != 0.0 else otherwise


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")
def power(a: Float64, b: Float64, out: Float64) -> None:
    """The power a ** b, within +-1e100; 0 where it has no real value, and for 0 ** b with b < 0."""
    squares = True
    for i in range(out.size):
        squares &= b[i] == 2.0
    if squares:  # the common case, and the one that vectorises
        multiply(a, a, out)
        return
    for i in range(out.size):
        if b[i] == 2.0:
            value = a[i] * a[i]
        elif a[i] == 0.0 and b[i] < 0.0:
            value = 0.0
        else:
            value = a[i] ** b[i]
        out[i] = 0.0 if math.isnan(value) else min(max(value, -LARGEST), LARGEST)


@njit(nogil=True, cache=True, _nrt=False)
def smaller(a: Float64, b: Float64, out: Float64) -> None:
    """The smaller of the two."""
    for i in range(out.size):
        out[i] = a[i] if a[i] < b[i] else b[i]


@njit(nogil=True, cache=True, _nrt=False)
def larger(a: Float64, b: Float64, out: Float64) -> None:
    """The larger of the two."""
    for i in range(out.size):
        out[i] = a[i] if a[i] > b[i] else b[i]


@njit(nogil=True, cache=True, _nrt=False)
def less(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a < b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] < b[i] else 0.0


@njit(nogil=True, cache=True, _nrt=False)
def at_most(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a <= b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] <= b[i] else 0.0


@njit(nogil=True, cache=True, _nrt=False)
def equal(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a == b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] == b[i] else 0.0


@njit(nogil=True, cache=True, _nrt=False)
def unequal(a: Float64, b: Float64, out: Float64) -> None:
    """1 where a != b, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] != b[i] else 0.0


@njit(nogil=True, cache=True, _nrt=False)
def where(condition: Float64, a: Float64, b: Float64, out: Float64) -> None:
    """Either a, where the condition is not 0, or b."""
    for i in range(out.size):
        yes, no = a[i], b[i]  # both read: a select, not a branch
        out[i] = yes if condition[i] != 0.0 else no


@njit(nogil=True, cache=True, _nrt=False)
def absolute(x: Float64, out: Float64) -> None:
    """The size of x, without its sign."""
    for i in range(out.size):
        out[i] = abs(x[i])


@njit(nogil=True, cache=True, _nrt=False)
def sign(x: Float64, out: Float64) -> None:
    """-1, 0 or 1."""
    for i in range(out.size):
        out[i] = (1.0 if x[i] > 0.0 else 0.0) - (1.0 if x[i] < 0.0 else 0.0)


@njit(nogil=True, cache=True, _nrt=False)
def sqrt(x: Float64, out: Float64) -> None:
    """The square root; 0 where x < 0."""
    for i in range(out.size):
        out[i] = math.sqrt(x[i] if x[i] > 0.0 else 0.0)


@njit(nogil=True, cache=True, _nrt=False)
def log(x: Float64, out: Float64) -> None:
    """The natural logarithm; 0 where x <= 0."""
    for i in range(out.size):
        out[i] = math.log(x[i]) if x[i] > 0.0 else 0.0


@njit(nogil=True, cache=True, _nrt=False)
def exp(x: Float64, out: Float64) -> None:
    """The exponential of x, at most 1e100."""
    for i in range(out.size):
        out[i] = math.exp(x[i]) if x[i] < 230.0 else LARGEST


@njit(nogil=True, cache=True, _nrt=False)
def sin(x: Float64, out: Float64) -> None:
    """The sine of an angle in radians."""
    for i in range(out.size):
        out[i] = math.sin(x[i])


@njit(nogil=True, cache=True, _nrt=False)
def cos(x: Float64, out: Float64) -> None:
    """The cosine of an angle in radians."""
    for i in range(out.size):
        out[i] = math.cos(x[i])
