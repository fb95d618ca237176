"""Many instruments, fading factors, quadratic costs: aim in front of the target, trade partially.

Returns r = B f + noise of covariance S; factors fade, f' = (I - F) f + shock; a change d of the
position x costs d' L d / 2. The account maximises the discounted mean of
x' r - (aversion / 2) x' S x - costs.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64


class Trading(NamedTuple):
    """What there is to be traded, n instruments and k factors."""

    loading: Float64
    """B: mean return per unit of each factor, (n, k)."""
    fading: Float64
    """F: share of each factor that is gone after a bar, by all factors, (k, k)."""
    covariance: Float64
    """S: of a bar's returns, (n, n)."""
    impact: Float64
    """L: cost of a change d of the position is d' L d / 2, symmetric and positive, (n, n)."""
    aversion: float
    """Of risk: x' S x costs half of it."""
    discount: float = 0.0
    """A bar later counts 1 - discount as much; 0 for the mean of a bar."""


class Rule(NamedTuple):
    """x = x_before + rate (aim f - x_before)."""

    rate: Float64
    """Share of the way to the aim that is traded, (n, n)."""
    aim: Float64
    """Position aimed at per unit of each factor, (n, k)."""

    def positions(self, factors: Float64, start: Float64 | None = None) -> Float64:
        """Positions held after each bar's trade, (n_bars, n), from factors (n_bars, k)."""
        held = np.zeros(self.rate.shape[0]) if start is None else start
        pull = factors @ (self.rate @ self.aim).T
        return np.asarray(_linear(np.eye(held.size) - self.rate, pull, held))


def best_rule(trading: Trading) -> Rule:
    """The optimum in closed form.

    In the eigenvectors of L^(-1/2) S L^(-1/2) the equation of the value's curvature falls apart
    into scalar quadratics, whose positive roots are shares in (0, 1): the trading rates. The aim
    solves a linear equation; where L = l S it is the Markowitz portfolio with each factor that
    fades by p divided by 1 + p a / aversion, a = l x rate: slow factors count for more.

    Source: Gârleanu & Pedersen (2013), Journal of Finance 68(6), propositions 1 to 3.
    """
    root, inverse = _root(trading.impact)
    share, vectors = np.linalg.eigh(inverse @ trading.covariance @ inverse)
    kept, discount = 1 - trading.discount, trading.discount
    half = (discount + kept * trading.aversion * share) / (2 * kept)
    rate = trading.aversion * share / (half + np.sqrt(half**2 + trading.aversion * share))
    rest = 1 / (1 + kept * (trading.aversion * share + rate))  # 1 - rate, without cancelling
    curvature = root @ (vectors * rate) @ vectors.T @ root
    stay = root @ (vectors * rest) @ vectors.T @ inverse
    n, k = trading.loading.shape
    persists = np.eye(k) - trading.fading
    system = np.eye(n * k) - kept * np.kron(persists.T, stay)
    cross = np.linalg.solve(system, kept * (stay @ trading.loading).ravel(order="F"))
    cross = cross.reshape(n, k, order="F")
    return Rule(np.linalg.solve(trading.impact, curvature), np.linalg.solve(curvature, cross))


def markowitz(trading: Trading) -> Float64:
    """Position per unit of each factor that is best where trading is free, (n, k)."""
    return np.asarray(np.linalg.solve(trading.aversion * trading.covariance, trading.loading))


def reward(trading: Trading, rule: Rule, law: Float64) -> float:
    """Mean of (x' r - aversion / 2 x' S x - cost) a bar of any rule in the long run, exact.

    Args:
        trading: what is traded.
        rule: rates between 0 and 1.
        law: stationary covariance of the factors, (k, k).
    """
    n, k = trading.loading.shape
    rest, pull = np.eye(n) - rule.rate, rule.rate @ rule.aim
    persists = np.eye(k) - trading.fading
    shock = law - persists @ law @ persists.T
    # (x, f) after a trade: x' = rest x + pull f', f' = persists f + shock
    move = np.block([[rest, pull @ persists], [np.zeros((k, n)), persists]])
    noise = np.block([[pull @ shock @ pull.T, pull @ shock], [shock @ pull.T, shock]])
    joint = _lyapunov(move, noise)
    held, cross = joint[:n, :n], joint[:n, n:]
    # d = x' - x = -rate x + pull f'; f' = persists f + shock
    before = persists @ cross.T
    change = (
        rule.rate @ held @ rule.rate.T
        - rule.rate @ before.T @ pull.T
        - pull @ before @ rule.rate.T
        + pull @ law @ pull.T
    )
    earned = np.trace(trading.loading @ cross.T)
    risk = trading.aversion / 2 * np.trace(trading.covariance @ held)
    return float(earned - risk - np.trace(trading.impact @ change) / 2)


@njit(cache=True)
def _linear(rest: Float64, pull: Float64, start: Float64) -> Float64:
    """What is held after each bar, rest x before + pull; (n_bars, n) in and out."""
    path = np.empty(pull.shape)
    held = start.copy()
    for t in range(len(pull)):
        for i in range(held.size):
            path[t, i] = pull[t, i]
            for j in range(held.size):
                path[t, i] += rest[i, j] * held[j]
        held = path[t]
    return path


def _lyapunov(move: Float64, noise: Float64) -> Float64:
    """Stationary covariance of z' = move z + noise."""
    n = move.shape[0]
    system = np.eye(n * n) - np.kron(move, move)
    return np.asarray(np.linalg.solve(system, noise.ravel()).reshape(n, n))


def _root(matrix: Float64) -> tuple[Float64, Float64]:
    """Symmetric square root and its inverse."""
    values, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(values)
    return (vectors * root) @ vectors.T, (vectors / root) @ vectors.T
