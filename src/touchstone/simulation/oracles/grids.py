"""A market's moving parts as Markov chains on grids: the AR(1) signal, the GARCH variance."""

from typing import Final, NamedTuple

import numpy as np
from scipy import special

from touchstone.arrays import Float64

_N_SHOCKS: Final = 15
_REACH: Final = 4.0
"""The signal's grid reaches this many standard deviations either side."""
_N_STRATA: Final = 200
_LOWEST_VARIANCE: Final = 0.25
_HIGHEST_VARIANCE: Final = 30.0


class Grid(NamedTuple):
    """A Markov chain on numbers."""

    value: Float64
    """The numbers, rising, (n_nodes,)."""
    transition: Float64
    """(n_nodes, n_nodes), rows sum to 1."""


def signal_grid(persistence: float, n: int = 41) -> Grid:
    """An AR(1) of unit variance on n equal steps.

    The next value, a Gauss-Hermite sum over the shock, is shared linearly between its two
    neighbours. That keeps the mean and adds variance: the shock is made smaller by as much, node
    by node, so that conditional mean and variance are exact but at the ends.
    """
    value = np.linspace(-_REACH, _REACH, n)
    node, weight = np.polynomial.hermite_e.hermegauss(_N_SHOCKS)
    weight = weight / weight.sum()
    wanted = 1 - persistence**2
    low, high = np.zeros(n), np.full(n, 2 * np.sqrt(wanted))
    for _ in range(40):
        size = (low + high) / 2
        transition = _shared(value, persistence * value[:, None] + size[:, None] * node, weight)
        mean = transition @ value
        too_wide = transition @ value**2 - mean**2 > wanted
        low, high = np.where(too_wide, low, size), np.where(too_wide, size, high)
    return Grid(value, transition)


def variance_grid(alpha: float, beta: float, tail_df: float, n: int = 15) -> Grid:
    """A GARCH(1,1) variance of mean 1 with Student t shocks; one node where it never moves.

    The squared shock is a sum over strata of equal chance, each at its own mean, so that its mean
    is exact however fat the tail; between nodes it is shared linearly, which keeps means.
    """
    if alpha == 0 or n == 1:
        return Grid(np.ones(1), np.ones((1, 1)))
    value = np.geomspace(max(_LOWEST_VARIANCE, 1 - alpha / (1 - beta) * 0.99), _HIGHEST_VARIANCE, n)
    square = squared_t_strata(tail_df, _N_STRATA)
    later = (1 - alpha - beta) + (alpha * square + beta) * value[:, None]
    return Grid(value, _shared(value, later, np.full(square.size, 1 / square.size)))


def squared_t_strata(df: float, n: int) -> Float64:
    """Means of a squared Student t of unit variance within n strata of equal chance, rising.

    With t² = df b / (1 - b), b ~ Beta(1/2, df/2): partial means are incomplete betas of one
    parameter moved by 1.
    """
    edge = special.betaincinv(0.5, df / 2, np.linspace(0, 1, n + 1))
    return np.asarray(np.diff(special.betainc(1.5, df / 2 - 1, edge)) * n)


def _shared(value: Float64, later: Float64, weight: Float64) -> Float64:
    """Each later value of row i, of that weight, shared between the two nodes beside it."""
    n = value.size
    right = np.clip(np.searchsorted(value, later), 1, n - 1)
    share = np.clip((later - value[right - 1]) / (value[right] - value[right - 1]), 0, 1)
    transition = np.zeros((n, n))
    rows = np.broadcast_to(np.arange(n)[:, None], later.shape)
    np.add.at(transition, (rows, right), weight * share)
    np.add.at(transition, (rows, right - 1), weight * (1 - share))
    return transition
