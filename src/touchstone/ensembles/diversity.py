"""How differently members err: an ensemble gains by members that are good and not alike.

Where a measure speaks of right and wrong, a member says of a row the outcome whose probability is
highest relative to how often it comes in these rows (the largest alone would nearly always be the
commonest). Definitions and names: Kuncheva & Whitaker (2003), Measures of diversity in classifier
ensembles and their relationship with the ensemble accuracy, Machine Learning 51(2), sections 2-3.
"""

from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float64
from touchstone.ensembles import Members, Outcomes
from touchstone.ensembles.rows import base_rate, checked, column_of, shares
from touchstone.ensembles.votes import decisions


class Diversity(NamedTuple):
    """Measures of every two members, (n_members, n_members) each, symmetric; and of them all."""

    error_correlation: Float64
    """Correlation of the errors 1{outcome} - p over rows, all columns together; diagonal 1."""
    disagreement: Float64
    """Share of rows in which one of the two is right and the other wrong; 0 .. 1, high: diverse."""
    q: Float64
    """Yule's Q = (N11 N00 - N01 N10) / (N11 N00 + N01 N10): 0 for independent errors, 1 where they
    err together; 0 where it is not defined."""
    double_fault: Float64
    """Share of rows in which both are wrong; low is good."""
    kohavi_wolpert: float
    """Variance of being right, mean over rows of l (K - l) / K^2 with l of K members right: equals
    (K - 1) / 2K of the mean disagreement (their eq. 12)."""
    accuracy: Float64
    """Share of rows in which each member is right, (n_members,)."""


def diversity(members: Members, outcomes: Outcomes) -> Diversity:
    """All measures, rows counted by their weight.

    Raises:
        DataError: whatever `rows.checked` refuses.
    """
    checked(members, outcomes)
    n_outcomes = members.score.shape[2]
    share = shares(outcomes.weight)
    said = decisions(members.score, base_rate(members, outcomes))
    right = (said == column_of(outcomes.outcome, n_outcomes)).astype(np.float64)
    with threadpool_limits(1):
        both = (right * share) @ right.T
        accuracy = right @ share
    only = accuracy[:, None] - both
    neither = np.maximum(1.0 - both - only - only.T, 0.0)
    product, cross = both * neither, only * only.T
    total = product + cross
    q = np.divide(product - cross, total, out=np.zeros_like(total), where=total > 0)
    n_right = right.mean(0)
    return Diversity(
        error_correlation(members, outcomes),
        np.asarray(only + only.T),
        q,
        neither,
        float(share @ (n_right * (1.0 - n_right))),
        accuracy,
    )


def error_correlation(members: Members, outcomes: Outcomes) -> Float64:
    """Correlation of the members' errors, (n_members, n_members), positive semidefinite.

    The error of a column is 1{it came} - p; products are summed over the columns, after each
    column's weighted mean is taken off. A member without any error has correlation 0 with others.
    """
    score, n_outcomes = members.score, members.score.shape[2]
    share, came = shares(outcomes.weight), column_of(outcomes.outcome, n_outcomes)
    root, total = np.sqrt(share), np.zeros((len(score), len(score)))
    with threadpool_limits(1):
        for c in range(n_outcomes):
            error = (came == c) - score[:, :, c]
            error -= (error @ share)[:, None]
            error *= root
            total += error @ error.T
    size = np.sqrt(np.diag(total))
    scale = np.where(size > 0, size, 1.0)
    correlation = total / scale[:, None] / scale[None, :]
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)
