"""Joints: the moments of a window from those of its two parts, element by element.

Chan, Golub & LeVeque (1979) and Pebay (2008): the sums of powers of the differences from the mean
add up, but for terms in the gap between the parts' means. Part a is the recent one, of `m` bars;
part b, of `k`, ends m bars ago. A mean is kept as its difference from the window's newest value,
so that every number here is of the size of the differences *within* the window: where all its
values are equal all moments are exactly 0, and the level of a price costs no digit.

Every kernel takes flat float64 arrays of one size, the last of which is filled, and two numbers.
"""

import math

from numba import njit

from touchstone.arrays import Float64


@njit(nogil=True, cache=True, _nrt=False)
def gap(x: Float64, x_b: Float64, mean_a: Float64, mean_b: Float64, out: Float64) -> None:
    """Mean of b less mean of a; the means are differences from the newest values, x and x_b."""
    for i in range(out.size):
        out[i] = (mean_b[i] - mean_a[i]) + (x_b[i] - x[i])


@njit(nogil=True, cache=True, _nrt=False)
def shift(mean_a: Float64, gap: Float64, out: Float64, share: float) -> None:
    """Mean of both, less the newest value; `share` = k / (m + k)."""
    for i in range(out.size):
        out[i] = mean_a[i] + share * gap[i]


@njit(nogil=True, cache=True, _nrt=False)
def spread(a: Float64, b: Float64, gap: Float64, out: Float64, weight: float) -> None:
    """Sum of squared differences from the mean; `weight` = m k / (m + k)."""
    for i in range(out.size):
        out[i] = (a[i] + b[i]) + weight * gap[i] * gap[i]


@njit(nogil=True, cache=True, _nrt=False)
def mixed(
    a: Float64, b: Float64, gap_x: Float64, gap_y: Float64, out: Float64, weight: float
) -> None:
    """Sum of products of two columns' differences from their means; `weight` = m k / (m + k)."""
    for i in range(out.size):
        out[i] = (a[i] + b[i]) + weight * gap_x[i] * gap_y[i]


@njit(nogil=True, cache=True, _nrt=False)
def trend(a: Float64, b: Float64, gap: Float64, out: Float64, weight: float) -> None:
    """Sum of products with time's differences from its mean, in bars; `weight` = m k / 2."""
    for i in range(out.size):
        out[i] = (a[i] + b[i]) - weight * gap[i]


@njit(nogil=True, cache=True, _nrt=False)
def third(  # noqa: PLR0913, PLR0917  three sums of each part, and where they stand
    a: Float64, b: Float64, spread_a: Float64, spread_b: Float64, gap: Float64, out: Float64,
    m: float, k: float,
) -> None:  # fmt: skip
    """Sum of cubed differences from the mean."""
    n = m + k
    skewed, uneven = m * k * (m - k) / (n * n), 3.0 / n
    for i in range(out.size):
        g = gap[i]
        of_spreads = uneven * (m * spread_b[i] - k * spread_a[i])
        out[i] = (a[i] + b[i]) + g * (of_spreads + skewed * g * g)


@njit(nogil=True, cache=True, _nrt=False)
def fourth(  # noqa: PLR0913, PLR0917  as above
    third_a: Float64, third_b: Float64, spread_a: Float64, spread_b: Float64, gap: Float64,
    out: Float64, m: float, k: float,
) -> None:  # fmt: skip
    """What the gap adds to the sum of fourth powers of the differences from the mean."""
    n = m + k
    peaked, wide, uneven = m * k * (m * m - m * k + k * k) / (n * n * n), 6.0 / (n * n), 4.0 / n
    for i in range(out.size):
        g = gap[i]
        of_spreads = wide * (m * m * spread_b[i] + k * k * spread_a[i])
        of_thirds = uneven * (m * third_b[i] - k * third_a[i])
        out[i] = g * (of_thirds + g * (of_spreads + peaked * g * g))


@njit(nogil=True, cache=True, _nrt=False)
def scaled(x: Float64, out: Float64, weight: float) -> None:
    """X times a number."""
    for i in range(out.size):
        out[i] = x[i] * weight


@njit(nogil=True, cache=True, _nrt=False)
def deviation(spread: Float64, out: Float64, weight: float) -> None:
    """Square root of the spread times `weight` = 1 / n."""
    for i in range(out.size):
        out[i] = math.sqrt(spread[i] * weight)


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")
def skewness(third: Float64, spread: Float64, out: Float64, weight: float) -> None:
    """Third moment over the cubed deviation; 0 without spread; `weight` = 1 / n."""
    for i in range(out.size):
        variance = spread[i] * weight
        value = third[i] * weight / variance / math.sqrt(variance)
        out[i] = value if value - value == 0.0 else 0.0


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")
def peakedness(fourth: Float64, spread: Float64, out: Float64, weight: float) -> None:
    """Fourth moment over the squared variance, less 3; 0 without spread; `weight` = 1 / n."""
    for i in range(out.size):
        variance = spread[i] * weight
        value = fourth[i] * weight / variance / variance - 3.0
        out[i] = value if value - value == 0.0 else 0.0


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")
def correlation(product: Float64, spread_x: Float64, spread_y: Float64, out: Float64) -> None:
    """The product of differences over both deviations, within -1 .. 1; 0 if either is flat."""
    for i in range(out.size):
        scale = math.sqrt(spread_x[i]) * math.sqrt(spread_y[i])
        value = min(max(product[i] / scale, -1.0), 1.0)
        out[i] = value if scale > 0.0 else 0.0
