"""Open, high and low of a bar whose two closes are known: a Brownian bridge, extremes exact."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64

OPEN_SHARE: Final = 0.02
"""The open stands this far into the bar's own variance, a small step after the last close."""


class Draws(NamedTuple):
    """Random numbers of the bridge, each of the closes' shape."""

    open: Float64
    """Standard normal."""
    high: Float64
    """Uniform on (0, 1]."""
    low: Float64
    """Uniform on (0, 1]."""


def bridge(
    before: Float64, close: Float64, variance: Float64, draws: Draws
) -> tuple[Float64, Float64, Float64]:
    """Log open, high and low of bars that went from log price `before` to `close`.

    The path inside the bar is a Brownian motion of `variance` pinned at both ends (whatever its
    drift was: pinned, it is the same). The open is the path's point at OPEN_SHARE of its
    variance; high and low are the extremes from there to the close, so that they enclose both.
    Given both ends a and b and the variance v of the way between them, P(max > m) =
    exp(-2 (m - a)(m - b) / v), which inverts to m = (a + b + sqrt((b - a)² - 2 v ln U)) / 2.

    High and low are drawn independently of each other: each is exact, their joint law is not,
    which only bars that reach both of two barriers can tell.

    Source: Karatzas & Shreve (1991), Brownian Motion and Stochastic Calculus, section 4.3.
    """
    step = np.sqrt(variance * (OPEN_SHARE * (1 - OPEN_SHARE)))
    open_ = before + OPEN_SHARE * (close - before) + step * draws.open
    way = (1 - OPEN_SHARE) * variance
    middle, apart = open_ + close, (close - open_) ** 2
    high = (middle + np.sqrt(apart - 2 * way * np.log(draws.high))) / 2
    low = (middle - np.sqrt(apart - 2 * way * np.log(draws.low))) / 2
    return open_, high, low
