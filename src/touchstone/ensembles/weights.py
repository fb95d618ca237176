"""Weights for a page: over time, in each part of a column's values, and how far members differ."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.ensembles.timeline import instants_at


class OverTime(NamedTuple):
    """Mean weights of stretches of time that hold about as many rows each."""

    begin: Int64
    """(n_stretches,) ns UTC, instant of the first row of each."""
    weight: Float64
    """(n_stretches, n_members)"""


class ByCell(NamedTuple):
    """Mean weights where a column is low ... high."""

    low: Float64
    """(n_cells,) least value of the column in each cell; nan for the cell of rows without one."""
    n_rows: Int64
    """(n_cells,)"""
    weight: Float64
    """(n_cells, n_members)"""


def over_time(weights: Float64, instant: Int64, n_stretches: int = 100) -> OverTime:
    """Mean weights over time; fewer stretches where there are fewer instants.

    Args:
        weights: (n_rows, n_members), as `Combined.weights` gives them.
        instant: (n_rows,) ns UTC.
        n_stretches: how many.
    """
    places = np.arange(n_stretches) / n_stretches
    begin = np.unique(instants_at(instant, places))
    cell = np.searchsorted(begin, instant, side="right") - 1
    return OverTime(begin, _means(weights, cell, begin.size)[1])


def by_cells(weights: Float64, column: Float64, n_cells: int = 3) -> ByCell:
    """Mean weights in cells of a column cut at its quantiles; rows without a value come last.

    Args:
        weights: (n_rows, n_members), as `Combined.weights` gives them.
        column: (n_rows,), nan where it is not known.
        n_cells: how many; fewer where values repeat.
    """
    known = ~np.isnan(column)
    low = np.empty(0)
    if known.any():
        places = np.arange(n_cells) / n_cells
        low = np.unique(np.quantile(column[known], places, method="lower"))
    cell = np.searchsorted(low, column, side="right") - 1
    cell[~known] = low.size
    if not known.all():
        low = np.r_[low, np.nan]
    n_rows, weight = _means(weights, cell, low.size)
    return ByCell(low, n_rows, weight)


def spread(score: Float64, weights: Float64) -> Float64:
    """How far the members differ in each row, (n_rows, n_outcomes).

    The weighted standard deviation of their probabilities about their weighted mean: of a
    posterior over members it is the uncertainty of the probability that is due to not knowing
    which of them is right.

    Args:
        score: (n_members, n_rows, n_outcomes).
        weights: (n_rows, n_members), not negative, summing to one over the members.

    Source: Hoeting, Madigan, Raftery & Volinsky (1999), Bayesian model averaging: a tutorial,
    Statistical Science 14(4), eq. 4, the part between models.
    """
    out = np.empty(score.shape[1:])
    _spread(score, np.ascontiguousarray(weights), out)
    return out


def _means(weights: Float64, cell: Int64, n_cells: int) -> tuple[Int64, Float64]:
    count = np.bincount(cell, minlength=n_cells)
    total = np.stack(
        [np.bincount(cell, weights=column, minlength=n_cells) for column in weights.T], axis=1
    )
    return count.astype(np.int64), np.asarray(total / np.maximum(count, 1)[:, None])


@njit(cache=True)
def _spread(score: Float64, weights: Float64, out: Float64) -> None:
    n_members, n_rows, n_outcomes = score.shape
    for i in range(n_rows):
        for c in range(n_outcomes):
            mean, square = 0.0, 0.0
            for k in range(n_members):
                mean += weights[i, k] * score[k, i, c]
            for k in range(n_members):
                square += weights[i, k] * (score[k, i, c] - mean) ** 2
            out[i, c] = np.sqrt(square)
