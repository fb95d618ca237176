"""A softmax of the members' log-odds: coefficients of least penalised log-loss, and what it says.

Of three outcomes, each of +1 and -1 has its log-odds against 0, a linear function of the members'
same log-odds; of one column, +1 has its log-odds against the rest:

    eta_c = b_c + sum_k beta_ck ln(p_kc / p_k0),        p = softmax(eta)

A coefficient of 1 / K each and no shift is the geometric mean of the members, which is what the
penalty K l2 / 2 sum_ck (beta_ck - 1/K)^2 draws to; K equal members so weigh what one does alone.

Source: Cox (1958), The regression analysis of binary sequences; members as regressors: Wolpert
(1992), Stacked generalization, Neural Networks 5(2); Ting & Witten (1999), Issues in stacked
generalization, JAIR 10, on probabilities rather than decisions.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float64, Int8, Int64
from touchstone.ensembles.rows import FLOOR, column_of

_STEPS: Final = 50
_BIAS_L2: Final = 1e-8
"""So that a stretch in which an outcome never came has a finite shift."""
_CHUNK: Final = 8192


class Rows(NamedTuple):
    """What is fitted to."""

    odds: Float64
    """(n_logits, n_rows, 1 + n_members): a one, then the members' log-odds."""
    hit: Float64
    """(n_logits, n_rows) 1 where that outcome came."""
    share: Float64
    """(n_rows,) positive, summing to one."""

    @property
    def are_of_one_kind(self) -> bool:
        """Whether the same came in all rows."""
        return bool((self.hit == self.hit[:, :1]).all())

    def of(self, some: Int64) -> "Rows":
        """Some of the rows."""
        share = self.share[some]
        return Rows(
            np.ascontiguousarray(self.odds[:, some]), self.hit[:, some], share / share.sum()
        )


def rows(score: Float64, outcome: Int8, weight: Float64, some: Int64) -> Rows:
    """Log-odds and what came, of some rows of (n_members, n_rows, n_outcomes) scores."""
    came = column_of(outcome[some], score.shape[2])
    sides = (0,) if score.shape[2] == 1 else (0, 2)
    odds = np.ones((len(sides), some.size, 1 + len(score)))
    for at, c in enumerate(sides):
        _odds(score, some, c, odds[at, :, 1:])
    hit = np.stack([(came == c).astype(np.float64) for c in sides])
    return Rows(odds, hit, weight[some] / weight[some].sum())


def prior(n_logits: int, n_members: int) -> Float64:
    """The coefficients that the penalty draws to, (n_logits, 1 + n_members)."""
    theta = np.full((n_logits, 1 + n_members), 1.0 / n_members)
    theta[:, 0] = 0.0
    return theta


def least_loss(given: Rows, l2: float, start: Float64) -> Float64:
    """Coefficients of least penalised log-loss, (n_logits, 1 + n_members), by Newton's method.

    Args:
        given: the rows.
        l2: strength of the penalty, relative to the mean log-loss.
        start: coefficients to begin at; the problem is strictly convex, so they only save steps.
    """
    n_logits, n_members = len(given.odds), given.odds.shape[2] - 1
    middle = prior(n_logits, n_members)
    strength = np.full_like(middle, l2 * n_members)
    strength[:, 0] = _BIAS_L2
    theta = start.copy()
    with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
        eta = np.matmul(given.odds, theta[:, :, None])[:, :, 0]
        value = _value(given, eta, theta - middle, strength)
        for _ in range(_STEPS):
            slope, bend = _moments(given, eta)
            slope += (strength * (theta - middle)).ravel()
            bend[np.diag_indices_from(bend)] += strength.ravel()
            step = -np.linalg.solve(bend, slope).reshape(theta.shape)
            fall = float(slope @ step.ravel())
            if fall > -1e-12:
                break
            along = np.matmul(given.odds, step[:, :, None])[:, :, 0]
            length = 1.0
            for _ in range(40):
                there = theta + length * step
                now = _value(given, eta + length * along, there - middle, strength)
                if now <= value + 1e-4 * length * fall:
                    break
                length /= 2
            else:
                break
            theta, eta, value = there, eta + length * along, now
    return theta


def log_loss(given: Rows, theta: Float64) -> float:
    """Weighted mean of -ln p(what came)."""
    with threadpool_limits(1):
        eta = np.matmul(given.odds, theta[:, :, None])[:, :, 0]
    return _value(given, eta, np.zeros(1), np.zeros(1))


def combine(score: Float64, theta: Float64) -> Float64:
    """What the coefficients make of the members' scores, (n_rows, n_outcomes)."""
    out = np.empty(score.shape[1:])
    _combine(score, theta, out)
    return out


def _value(given: Rows, eta: Float64, away: Float64, strength: Float64) -> float:
    whole = _log_total(eta)
    loss = given.share @ (whole - (given.hit * eta).sum(0))
    return float(loss + 0.5 * (strength * away**2).sum())


def _log_total(eta: Float64) -> Float64:
    """ln(1 + sum_c exp eta_c), (n_rows,)."""
    top = np.maximum(eta.max(0), 0.0)
    return np.asarray(top + np.log(np.exp(-top) + np.exp(eta - top).sum(0)), np.float64)


def _moments(given: Rows, eta: Float64) -> tuple[Float64, Float64]:
    """Gradient and Hessian of the log-loss, over (n_logits x (1 + n_members)) coefficients."""
    n_logits, n_rows, width = given.odds.shape
    slope, bend = np.zeros((n_logits, width)), np.zeros((n_logits, width, n_logits, width))
    p = np.exp(eta - _log_total(eta))
    for begin in range(0, n_rows, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        share = given.share[part]
        for a in range(n_logits):
            here = given.odds[a, part]
            slope[a] += (share * (p[a, part] - given.hit[a, part])) @ here
            for b in range(a, n_logits):
                curve = share * p[a, part] * ((a == b) - p[b, part])
                bend[a, :, b] += (here * curve[:, None]).T @ given.odds[b, part]
    if n_logits == 2:
        bend[1, :, 0] = bend[0, :, 1].T
    size = n_logits * width
    return slope.ravel(), bend.reshape(size, size)


@njit(cache=True)
def _odds(score: Float64, some: Int64, c: int, out: Float64) -> None:
    block = 256
    for begin in range(0, some.size, block):
        for k in range(score.shape[0]):
            for j in range(begin, min(begin + block, some.size)):
                out[j, k] = _log_odds(score, k, some[j], c)


@njit(cache=True)
def _log_odds(score: Float64, k: int, i: int, c: int) -> float:
    p = max(score[k, i, c], FLOOR)
    rest = score[k, i, 1] if score.shape[2] == 3 else 1.0 - score[k, i, 0]
    return float(np.log(p) - np.log(max(rest, FLOOR)))


@njit(cache=True)
def _combine(score: Float64, theta: Float64, out: Float64) -> None:
    n_members, n_rows, n_outcomes = score.shape
    n_logits = theta.shape[0]
    eta = np.empty(n_logits)
    for i in range(n_rows):
        top = 0.0
        for a in range(n_logits):
            eta[a] = theta[a, 0]
            for k in range(n_members):
                eta[a] += theta[a, k + 1] * _log_odds(score, k, i, 2 * a)
            top = max(top, eta[a])
        rest = np.exp(-top)
        total = rest
        for a in range(n_logits):
            eta[a] = np.exp(eta[a] - top)
            total += eta[a]
        for a in range(n_logits):
            out[i, 2 * a] = eta[a] / total
        if n_outcomes == 3:
            out[i, 1] = rest / total
