"""The recursions over time that a simulated market is made of: volatility, regimes, hidden state.

Each runs forward in time and reads its random numbers in order, so that a longer market begins
with the very bars of a shorter one.
"""

from typing import Final

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int8

REGIMES: Final = ("bull", "bear", "sideways", "volatile")
"""Names of the regimes by their number."""

_VOLATILITY: Final = np.array([0.80, 1.25, 0.70, 1.80])
"""Volatility of each regime at full strength, relative to each other."""
_BARS: Final = np.array([500.0, 250.0, 500.0, 100.0])
"""Mean stay in each regime, in bars; the next one is any of the others with equal chance."""
_DIRECTION: Final = np.array([1.0, -1.0, 0.0, 0.0])


def regime_path(uniform: Float64) -> Int8:
    """The regime by bar, (n,), from uniform numbers (n,), begun in the stationary law."""
    path = _markov(uniform, np.cumsum(_stationary()), np.cumsum(regime_transition(), axis=1))
    return np.asarray(path, np.int8)


def regime_transition() -> Float64:
    """Row i: the law of the next bar's regime after regime i, (4, 4)."""
    leave = 1 / _BARS
    transition = np.outer(leave, np.ones(4) / 3)
    np.fill_diagonal(transition, 1 - leave)
    return np.asarray(transition)


def regime_volatility(strength: float) -> Float64:
    """Factor on volatility in each regime, (4,); the mean of its square over time is 1."""
    factor = _VOLATILITY**strength
    return np.asarray(factor / np.sqrt(np.sum(_stationary() * factor**2)))


def regime_direction() -> Float64:
    """Where prices drift in each regime if they do: +1 bull, -1 bear, 0 else, (4,)."""
    return _DIRECTION.copy()


def _stationary() -> Float64:
    # Equal chances for the next regime: visits are even, so the time spent is as the mean stay.
    return np.asarray(_BARS / _BARS.sum())


@njit(cache=True)
def _markov(uniform: Float64, first: Float64, transition: Float64) -> Int8:
    path = np.empty(uniform.size, np.int8)
    row = first
    for t in range(uniform.size):
        path[t] = min(np.searchsorted(row, uniform[t], side="right"), 3)
        row = transition[path[t]]
    return path


@njit(cache=True)
def garch(
    normal: Float64, mixing: Float64, alpha: float, beta: float, leverage: float = 0.0
) -> Float64:
    """GARCH(1,1) variance of mean 1 by bar, before the bar's own mixing variable is known.

    Args:
        normal: standard normal shocks, (n_series, n).
        mixing: each shock's mixing variable of mean 1, (n_series, n).
        alpha, beta: weights of the last squared shock and of the last variance.
        leverage: further weight of the last squared shock where it was a fall.

    Returns:
        (n_series, n + 1): column t is the variance for bar t, the last that of the bar to come.

    Source: Bollerslev (1987), Review of Economics and Statistics 69(3); leverage: Glosten,
    Jagannathan & Runkle (1993), Journal of Finance 48(5).
    """
    n_series, n = normal.shape
    variance = np.empty((n_series, n + 1))
    for i in range(n_series):
        h = 1.0
        for t in range(n):
            variance[i, t] = h
            squared = h * mixing[i, t] * normal[i, t] * normal[i, t]
            weight = alpha + leverage if normal[i, t] < 0.0 else alpha
            h = (1.0 - alpha - beta - leverage / 2.0) + weight * squared + beta * h
        variance[i, n] = h
    return variance


@njit(cache=True)
def first_order(normal: Float64, persistence: float) -> Float64:
    """AR(1) paths of unit variance, begun in the stationary law; (n_series, n) in and out."""
    n_series, n = normal.shape
    path = np.empty((n_series, n))
    step = np.sqrt(1.0 - persistence * persistence)
    for i in range(n_series):
        x = normal[i, 0]
        path[i, 0] = x
        for t in range(1, n):
            x = persistence * x + step * normal[i, t]
            path[i, t] = x
    return path
