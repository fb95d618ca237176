"""The volatility path of a real market: GARCH(1,1) where it can be fitted, else exponential."""

import math
from typing import Final, Literal, NamedTuple

import numpy as np
from numba import njit
from scipy.optimize import minimize

from touchstone.arrays import Float64, Int64
from touchstone.market import Panel

EWMA_DECAY: Final = 0.97
"""Weight of the last variance where no GARCH can be fitted."""
_FEWEST: Final = 500
"""Returns below which a GARCH is not tried."""
_FEWEST_OF_HOUR: Final = 20
"""Returns of an hour below which it has no scale of its own."""
_FLOOR: Final = 0.05
"""Least volatility, in shares of the instrument's own: frozen prices have none."""
_BOUND: Final = 0.9995
"""alpha + beta beyond which a fit counts as failed."""
_LARGEST_SQUARE: Final = 400.0
"""A squared standardised return counts at most this: one wild bar would rule the fit."""

Fitted = Literal["garch", "ewma"]


class Garch(NamedTuple):
    """Weights of the last squared return and of the last variance; the rest is the mean's."""

    alpha: float
    beta: float


def volatility_path(panel: Panel, hour: Int64) -> tuple[Float64, tuple[Fitted, ...]]:
    """Standard deviation of each bar's log return as known at the close before it.

    Args:
        panel: a market.
        hour: place of each row in its day, (n_rows,): each has a scale of its own.

    Returns:
        sigma (n_rows,), positive; and what each instrument was fitted by.
    """
    sigma = np.ones(len(panel))
    fitted: list[Fitted] = []
    for a, b in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        if b - a < 2:
            fitted.append("ewma")
            continue
        sigma[a:b], how = _instrument(panel.close[a:b], hour[a:b])
        fitted.append(how)
    return sigma, tuple(fitted)


def _instrument(close: Float64, hour: Int64) -> tuple[Float64, Fitted]:
    change = np.diff(np.log(close), prepend=np.log(close[0]))
    whole = math.sqrt(float(np.mean(change[1:] ** 2))) or 1e-8
    scale = np.full(close.size, whole)
    for this in np.unique(hour):
        rows = hour == this
        mine = change[1:][rows[1:]]
        if mine.size >= _FEWEST_OF_HOUR:
            scale[rows] = max(math.sqrt(float(np.mean(mine**2))), _FLOOR * whole)
    squared = np.minimum((change / scale) ** 2, _LARGEST_SQUARE)
    weights = fit_garch(squared[1:])
    how: Fitted = "garch"
    if weights is None:
        weights, how = Garch(1 - EWMA_DECAY, EWMA_DECAY), "ewma"
    return scale * np.sqrt(np.maximum(_filtered(squared, *weights), _FLOOR**2)), how


def fit_garch(squared: Float64) -> Garch | None:
    """GARCH(1,1) by Gaussian quasi-likelihood with variance targeting; None where it fails.

    Args:
        squared: squared standardised returns, (n,).

    Source: Bollerslev (1986); targeting: Francq, Horváth & Zakoïan (2011).
    """
    target = float(squared.mean()) if squared.size >= _FEWEST else 0.0
    if target <= 0:
        return None

    def loss(x: Float64) -> float:
        total, share = 1 / (1 + np.exp(-x))
        return float(_likelihood(squared, total * share, total * (1 - share), target))

    found = minimize(
        loss, np.array([3.5, -2.5]), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-7}
    )
    total, share = 1 / (1 + np.exp(-found.x))
    if not found.success or not np.isfinite(found.fun) or total > _BOUND or total * share < 1e-4:
        return None
    return Garch(float(total * share), float(total * (1 - share)))


@njit(cache=True)
def _likelihood(squared: Float64, alpha: float, beta: float, target: float) -> float:
    """Mean of log h + r^2 / h."""
    h, loss = target, 0.0
    for t in range(squared.size):
        loss += math.log(h) + squared[t] / h
        h = (1.0 - alpha - beta) * target + alpha * squared[t] + beta * h
    return loss / squared.size


@njit(cache=True)
def _filtered(squared: Float64, alpha: float, beta: float) -> Float64:
    """The variance of each bar from those before it; the first bar has no return."""
    variance = np.empty(squared.size)
    target = squared[1:].mean()
    h = target
    for t in range(squared.size):
        variance[t] = h
        if t > 0:
            h = (1.0 - alpha - beta) * target + alpha * squared[t] + beta * h
    return variance
