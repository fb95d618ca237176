"""Fewer members: greedy forward selection with replacement, with the way it went."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.ensembles import Members, Outcomes
from touchstone.ensembles.rows import checked, likelihood, shares
from touchstone.ensembles.timeline import thinned


class Selection(NamedTuple):
    """What was chosen, step after step."""

    added: Int64
    """(n_steps,) member that each step added; one may come again and again."""
    loss: Float64
    """(n_steps,) log-loss of the mean of all added so far."""
    n_best: int
    """Steps after which the loss was least, at least 1; the first where several are equal."""
    weight: Float64
    """(n_members,) share of each member in those steps: the mean's weights; 0: not chosen."""

    @property
    def kept(self) -> Int64:
        """Members that are left, rising."""
        return np.flatnonzero(self.weight)


def select(
    members: Members,
    outcomes: Outcomes,
    n_steps: int = 30,
    at_most: int | None = None,
    max_rows: int = 200_000,
) -> Selection:
    """Add to the mean, again and again, the member that lowers its log-loss most.

    It begins with the best member alone. That a member may be added again gives the better ones
    more weight, and keeps the loss from rising when the good ones are used up. Of two that are
    equal the first is added. The least loss is judged on the rows that were chosen by: give rows
    that nobody is judged by later.

    Args:
        members: out-of-fold scores.
        outcomes: what came.
        n_steps: steps that are tried.
        at_most: most members that may be left; None: any number.
        max_rows: of more, so many evenly spread over time are used.

    Raises:
        DataError: whatever `rows.checked` refuses.

    Source: Caruana, Niculescu-Mizil, Crew & Ksikes (2004), Ensemble selection from libraries of
    models, ICML, sections 2 and 2.1.
    """
    checked(members, outcomes)
    some = thinned(members.instant, max_rows)
    given = likelihood(members.score, outcomes.outcome, some)
    share = shares(outcomes.weight[some])
    added, loss = _greedy(given, share, n_steps, at_most or len(members.score))
    n_best = int(np.argmin(loss)) + 1
    count = np.bincount(added[:n_best], minlength=len(members.score))
    return Selection(added, loss, n_best, count / n_best)


@njit(cache=True)
def _greedy(given: Float64, share: Float64, n_steps: int, at_most: int) -> tuple[Int64, Float64]:
    n_rows, n_members = given.shape
    total, used = np.zeros(n_rows), np.zeros(n_members, np.bool_)
    added, loss = np.empty(n_steps, np.int64), np.empty(n_steps)
    n_used = 0
    for step in range(n_steps):
        tried = np.zeros(n_members)
        for i in range(n_rows):
            for k in range(n_members):
                tried[k] -= share[i] * np.log((total[i] + given[i, k]) / (step + 1))
        best = -1
        for k in range(n_members):
            allowed = used[k] or n_used < at_most
            if allowed and (best < 0 or tried[k] < tried[best]):
                best = k
        for i in range(n_rows):
            total[i] += given[i, best]
        n_used += not used[best]
        used[best] = True
        added[step], loss[step] = best, tried[best]
    return added, loss
