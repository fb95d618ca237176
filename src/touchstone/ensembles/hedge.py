"""Weights that learn from one outcome after another: discounted exponential weights.

At every moment at which outcomes become known, each member is charged l_k, the weighted mean of
its losses on them, and the logarithms of the weights become

    a_k <- decay a_k - rate l_k,      w = softmax(a),      w <- (1 - share) w + share / K,  a = ln w

The batch walks over all rows and the stream takes them as they come, by the same functions in the
same order, so that their weights are equal bit for bit.

Source: Freund & Schapire (1997), A decision-theoretic generalization of on-line learning, Journal
of Computer and System Sciences 55(1) (Hedge); Raftery, Kárný & Ettler (2010), Online prediction
under model uncertainty via dynamic model averaging, Technometrics 52(1), eq. 5 (the decay:
forgetting); Herbster & Warmuth (1998), Tracking the best expert, Machine Learning 32(2) (share).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.ensembles.rows import pool_row, said

BOUND = 5.0
"""Largest loss in money that one row charges, either way; in units of the usual one."""


class Rule(NamedTuple):
    """What a row costs a member, and how weights follow."""

    rate: float
    """Learning rate, per unit of loss."""
    decay: float
    """What is left of the log-weights after one moment."""
    share: float
    """Part of the weight that is spread evenly again after every moment."""
    is_money: bool
    """Whether the loss is money forgone and not -ln p(what came)."""
    usual: float
    """Mean stake of the fitted rows: p(+1), of three columns p(+1) - p(-1)."""
    unit: float
    """Of money: root mean square of realised times stake in the fitted rows."""


class Came(NamedTuple):
    """What came of rows."""

    column: Int64
    """(n_rows,) column that came true, -1 for the one not shown."""
    realised: Float64
    """(n_rows,)"""
    known: Int64
    """(n_rows,)"""
    weight: Float64
    """(n_rows,)"""


class Moment(NamedTuple):
    """Losses at the moment that is being gathered."""

    loss: Float64
    """(n_members,) sums of weight times loss."""
    weight: Float64
    """(1,) sum of the weights of its rows; 0: nothing is gathered."""
    known: Int64
    """(1,) ns UTC, when it is."""


def moment(n_members: int) -> Moment:
    """One with nothing in it."""
    return Moment(np.zeros(n_members), np.zeros(1), np.zeros(1, np.int64))


def due(known: Int64, instant: Int64, asset: Int64) -> Int64:
    """Rows in the order in which their outcomes are taken, (n_rows,)."""
    return np.lexsort((asset, instant, known)).astype(np.int64)


@njit(cache=True)
def charge(score: Float64, i: int, came: Came, j: int, rule: Rule, now: Moment) -> None:
    """Add to a moment what row i of the scores cost each member; its outcome is the j-th."""
    last = score.shape[2] - 1
    for k in range(score.shape[0]):
        if rule.is_money:
            stake = score[k, i, last] - rule.usual
            if last > 0:
                stake -= score[k, i, 0]
            loss = -came.realised[j] * stake / rule.unit
            loss = min(max(loss, -BOUND), BOUND)
        else:
            loss = -np.log(said(score, k, i, came.column[j]))
        now.loss[k] += came.weight[j] * loss
    now.weight[0] += came.weight[j]


@njit(cache=True)
def settle(now: Moment, rule: Rule, log_weight: Float64) -> None:
    """Let the weights follow a moment, and empty it."""
    if now.weight[0] == 0.0:
        return
    n = log_weight.size
    for k in range(n):
        log_weight[k] = rule.decay * log_weight[k] - rule.rate * now.loss[k] / now.weight[0]
        now.loss[k] = 0.0
    now.weight[0] = 0.0
    weight = np.empty(n)
    weigh(log_weight, weight)
    for k in range(n):
        mixed = (1.0 - rule.share) * weight[k] + rule.share / n
        log_weight[k] = np.log(max(mixed, 1e-300))


@njit(cache=True)
def weigh(log_weight: Float64, weight: Float64) -> None:
    """Softmax into `weight`."""
    top = log_weight.max()
    total = 0.0
    for k in range(weight.size):
        weight[k] = np.exp(log_weight[k] - top)
        total += weight[k]
    for k in range(weight.size):
        weight[k] /= total


class Arrived(NamedTuple):
    """Outcomes that are taken together."""

    came: Came
    rows: Int64
    """(n,) row of the scores that each outcome belongs to."""
    order: Int64
    """(n,) order in which they are taken: `known` does not fall."""


@njit(cache=True)
def learn(score: Float64, arrived: Arrived, rule: Rule, log_weight: Float64, now: Moment) -> None:
    """Take outcomes into the log-weights; those of the last moment stay gathered in `now`."""
    for at in range(arrived.order.size):
        j = arrived.order[at]
        if arrived.came.known[j] != now.known[0]:
            settle(now, rule, log_weight)
            now.known[0] = arrived.came.known[j]
        charge(score, arrived.rows[j], arrived.came, j, rule, now)


class Walk(NamedTuple):
    """Rows in the order of their instants, outcomes in the order in which they are known."""

    instant: Int64
    rows: Int64
    due: Int64


@njit(cache=True)
def walk(
    score: Float64, walked: Walk, came: Came, rule: Rule, start: Float64, out: tuple[Float64, Bool]
) -> None:
    """Pool each row by the weights of its instant, which know what was known by then.

    Args:
        score: (n_members, n_rows, n_outcomes).
        walked: the orders.
        came: outcomes of the same rows.
        rule: what they cost.
        start: (n_members,) log-weights before the first row.
        out: where it is written to, and whether that is the weights, (n_rows, n_members), and not
            the scores, (n_rows, n_outcomes).
    """
    written, is_weight = out
    log_weight = start.copy()
    weight = np.empty(log_weight.size)
    weigh(log_weight, weight)
    now = Moment(np.zeros(log_weight.size), np.zeros(1), np.zeros(1, np.int64))
    taken = 0
    for at in range(walked.rows.size):
        i = walked.rows[at]
        before = taken
        while taken < walked.due.size and came.known[walked.due[taken]] <= walked.instant[i]:
            j = walked.due[taken]
            if taken > before and came.known[j] != came.known[walked.due[taken - 1]]:
                settle(now, rule, log_weight)
            charge(score, j, came, j, rule, now)
            taken += 1
        if taken > before:
            settle(now, rule, log_weight)
            weigh(log_weight, weight)
        if is_weight:
            written[i] = weight
        else:
            pool_row(score, i, weight, written[i])
