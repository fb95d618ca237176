"""Rows in time: earlier and later parts that share no bar, fewer, and what they are worth."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.dataset.weights import uniqueness
from touchstone.ensembles import Members, Outcomes
from touchstone.ensembles.rows import likelihood


class Part(NamedTuple):
    """Rows to fit on and later rows to judge by; numbers of rows."""

    earlier: Int64
    later: Int64


def thinned(instant: Int64, at_most: int) -> Int64:
    """Rows evenly spread over time, `at_most` of them, in their order; all if no more.

    Outcomes that overlap say nearly the same, so that every fifth row of many says most of it.
    """
    if instant.size <= at_most:
        return np.arange(instant.size)
    places = np.linspace(0, instant.size - 1, at_most).round().astype(np.int64)
    return np.sort(np.argsort(instant, kind="stable")[places])


def instants_at(instant: Int64, shares: Float64) -> Int64:
    """The instants that these shares of the rows lie before, (n_shares,), every digit kept."""
    ordered = np.sort(instant)
    return ordered[np.minimum((shares * instant.size).astype(np.int64), instant.size - 1)]


def parted(instant: Int64, known: Int64, share: float) -> Part:
    """Rows of the last `share` of time, and the earlier ones whose outcome was known by then.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 7.4.1 (purging).
    """
    cut = instants_at(instant, np.array([1.0 - share]))[0]
    return Part(np.flatnonzero((instant < cut) & (known <= cut)), np.flatnonzero(instant >= cut))


def folds(instant: Int64, known: Int64, n: int) -> tuple[Part, ...]:
    """Each of the last n of n + 1 stretches of time, after all rows known by its first row."""
    edges = instants_at(instant, np.arange(1, n + 1) / (n + 1))
    ends = [*edges[1:], instant.max() + 1]
    pairs = zip(edges, ends, strict=True)
    return tuple(
        Part(
            np.flatnonzero((instant < begin) & (known <= begin)),
            np.flatnonzero((instant >= begin) & (instant < end)),
        )
        for begin, end in pairs
    )


def effective_rows(members: Members, outcomes: Outcomes) -> float:
    """How many independent rows these are worth, at least 1 and at most their number.

    Two corrections. Outcomes of one instrument that share bars count by their average uniqueness.
    Rows of one instant share a market: the number is divided by the design effect of clusters
    sum_t (sum_i d_ik)^2 / sum_i d_ik^2, summed over the members k, where d is what a member's
    log-likelihood is above the members' mean in the row, less its own mean; 1 where it is below.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 4.4; Kish (1965),
    Survey Sampling, section 8.2.
    """
    unique = _unique(members, outcomes)
    if (members.asset == members.asset[0]).all():
        return max(1.0, unique)
    order = np.argsort(members.instant, kind="stable")
    gain = likelihood(members.score, outcomes.outcome, order)
    _centre(gain)
    begins = np.flatnonzero(np.r_[True, np.diff(members.instant[order]) != 0])
    apart, together = _squares(gain, np.r_[begins, order.size])
    design = max(1.0, together / apart) if apart > 0 else 1.0
    return max(1.0, unique / design)


def _unique(members: Members, outcomes: Outcomes) -> float:
    """Sum of the average uniquenesses: bars are told by the instants that occur."""
    times, at = np.unique(np.r_[members.instant, outcomes.known], return_inverse=True)
    entry, leave = at[: members.instant.size] + 1, at[members.instant.size :]
    _, number = np.unique(members.asset, return_inverse=True)
    shift = number.astype(np.int64) * (times.size + 1)
    return float(uniqueness(entry + shift, leave + shift).sum())


@njit(cache=True)
def _centre(gain: Float64) -> None:
    """Likelihoods become log-likelihoods less the row's mean, then less each member's own mean."""
    n_rows, n_members = gain.shape
    mean = np.zeros(n_members)
    for i in range(n_rows):
        total = 0.0
        for k in range(n_members):
            gain[i, k] = np.log(gain[i, k])
            total += gain[i, k]
        for k in range(n_members):
            gain[i, k] -= total / n_members
            mean[k] += gain[i, k]
    for i in range(n_rows):
        for k in range(n_members):
            gain[i, k] -= mean[k] / n_rows


@njit(cache=True)
def _squares(gain: Float64, begins: Int64) -> tuple[float, float]:
    n_members = gain.shape[1]
    apart, together = 0.0, 0.0
    total = np.zeros(n_members)
    for t in range(begins.size - 1):
        total[:] = 0.0
        for i in range(begins[t], begins[t + 1]):
            for k in range(n_members):
                total[k] += gain[i, k]
                apart += gain[i, k] ** 2
        for k in range(n_members):
            together += total[k] ** 2
    return apart, together
