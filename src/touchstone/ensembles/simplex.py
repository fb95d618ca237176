"""Weights that are not negative and sum to one: of least log-loss, and of least squares."""

from typing import NamedTuple

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float64

_CHUNK = 8192
_STEPS = 50
_PAIRS = 200_000
"""Most exchanges between two weights within one quadratic step."""
_TINY = 1e-13


class Pull(NamedTuple):
    """What is added to the mean log-loss: strength / 2 |w - centre|^2 + w' penalty w."""

    centre: Float64
    """(n_members,) weights that are drawn to."""
    strength: float
    penalty: Float64
    """(n_members, n_members), positive semidefinite."""


def least_log_loss(likelihood: Float64, share: Float64, pull: Pull) -> Float64:
    """The weights w of least sum_i share_i -ln(sum_k w_k likelihood_ik) + pull, (n_members,).

    Newton's method: each step takes the least of the quadratic at hand on the simplex, exactly, and
    goes as much of the way there as lowers the whole. The log-loss of a linear pool is convex in
    its weights, and with a pull to a centre of any strength it has one least point.

    Args:
        likelihood: (n_rows, n_members) positive: what each member gave to what came.
        share: (n_rows,) positive, summing to one.
        pull: with positive strength.

    Source: the log-optimal portfolio, Cover (1984), An algorithm for maximizing expected log
    investment return, IEEE Transactions on Information Theory 30(2); the linear pool scored by
    logarithms: Hall & Mitchell (2007), Combining density forecasts, International Journal of
    Forecasting 23(1).
    """
    n_members = likelihood.shape[1]
    weight = np.full(n_members, 1.0 / n_members)
    with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
        pooled = likelihood @ weight
        value = _value(pooled, share, weight, pull)
        for _ in range(_STEPS):
            slope, bend = _moments(likelihood, pooled, share)
            away = weight - pull.centre
            slope += pull.strength * away + 2.0 * (pull.penalty @ weight)
            bend += pull.strength * np.eye(n_members) + 2.0 * pull.penalty
            step = least_quadratic(bend, slope - bend @ weight, weight) - weight
            fall = float(slope @ step)
            if fall > -_TINY:
                break
            along = likelihood @ step
            weight, pooled, value, moved = _searched(
                (weight, pooled, value), (step, along, fall), share, pull
            )
            if not moved:
                break
    return _on_simplex(weight)


def least_quadratic(bend: Float64, slope: Float64, start: Float64) -> Float64:
    """The w on the simplex of least w' bend w / 2 + slope' w, (n_members,); `start` lies on it.

    Pairs of weights are exchanged, the pair that falls fastest first, each as far as it goes.

    Source: Platt (1998), Sequential minimal optimization; Keerthi et al. (2001), Improvements to
    Platt's SMO algorithm, Neural Computation 13(3), on choosing the pair.
    """
    weight = start.copy()
    _exchange(bend, slope, weight, _PAIRS)
    return _on_simplex(weight)


def _value(pooled: Float64, share: Float64, weight: Float64, pull: Pull) -> float:
    away = weight - pull.centre
    bound = 0.5 * pull.strength * (away @ away) + weight @ pull.penalty @ weight
    return float(bound - share @ np.log(pooled))


def _searched(
    here: tuple[Float64, Float64, float],
    step: tuple[Float64, Float64, float],
    share: Float64,
    pull: Pull,
) -> tuple[Float64, Float64, float, bool]:
    """As far along the step as the value falls in earnest: Armijo's rule, halving."""
    weight, pooled, value = here
    direction, along, fall = step
    length = 1.0
    for _ in range(40):
        there, mixed = weight + length * direction, pooled + length * along
        now = _value(mixed, share, there, pull)
        if now <= value + 1e-4 * length * fall:
            return there, mixed, now, True
        length /= 2
    return weight, pooled, value, False


def _moments(likelihood: Float64, pooled: Float64, share: Float64) -> tuple[Float64, Float64]:
    """Gradient and Hessian of the log-loss."""
    n_members = likelihood.shape[1]
    slope, bend = np.zeros(n_members), np.zeros((n_members, n_members))
    for begin in range(0, pooled.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        root = np.sqrt(share[part])
        ratio = likelihood[part] * (root / pooled[part])[:, None]
        slope -= root @ ratio
        bend += ratio.T @ ratio
    return slope, bend


def _on_simplex(weight: Float64) -> Float64:
    held = np.maximum(weight, 0.0)
    return np.asarray(held / held.sum(), np.float64)


@njit(cache=True)
def _exchange(bend: Float64, slope: Float64, weight: Float64, most: int) -> None:
    n = weight.size
    gradient = slope.copy()
    for k in range(n):
        for j in range(n):
            gradient[k] += bend[k, j] * weight[j]
    for _ in range(most):
        to, off = 0, -1
        for k in range(n):
            if gradient[k] < gradient[to]:
                to = k
            if weight[k] > 0.0 and (off < 0 or gradient[k] > gradient[off]):
                off = k
        gap = gradient[off] - gradient[to]
        if gap <= 1e-14:
            return
        curve = bend[to, to] + bend[off, off] - 2.0 * bend[to, off]
        moved = weight[off]
        if curve > 0.0 and gap / curve < moved:
            moved = gap / curve
            weight[off] -= moved
        else:
            weight[off] = 0.0
        weight[to] += moved
        for k in range(n):
            gradient[k] += moved * (bend[k, to] - bend[k, off])
