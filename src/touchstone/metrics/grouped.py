"""Rows of like probability put together once, so that their calibration costs little a resample.

For resamples of clusters of rows, as days: `classification.ece` sorts and `calibration_slope`
walks all rows at every call, these do not. A cluster drawn twice counts twice, one not drawn is
left out.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Floats, Int64
from touchstone.errors import DataError

N_BINS: Final = 10
"""Of the calibration error, as in `classification.ece`."""
_A_BIN: Final = 20
"""Groups of a bin: rows of one group are taken for one probability by the slope alone."""
_LOGIT_FLOOR: Final = 1e-6
_STEPS: Final = 50
_STEEPEST: Final = 1e4
"""A slope beyond it has no finite value: hits and misses lie apart."""


class Grouped(NamedTuple):
    """Rows in groups of like probability, rising; a group lies in one of ten bins."""

    logit: Float64
    """Mean logit of each group's rows, (n_groups,)."""
    bin: Int64
    """Each group's bin of equal mass, (n_groups,)."""
    rows: Float64
    """How many of a cluster's rows lie in a group, (n_clusters, n_groups)."""
    hits: Float64
    """How many of them are hits, (n_clusters, n_groups)."""
    said: Float64
    """The sum of their probabilities, (n_clusters, n_groups)."""


def grouped(probability: Floats, hit: Bool, cluster: Int64, n_clusters: int) -> Grouped:
    """Probabilities (n,) with what came of them (n,) and their clusters (n,), 0 to n_clusters - 1.

    At most 200 groups of equal mass; rows of equal probability share a group. With no more
    distinct probabilities than that the slope is exact, and the calibration error always is.

    Raises:
        DataError: another shape, or a probability outside [0, 1].
    """
    p, hits = np.asarray(probability, np.float64), np.asarray(hit, np.bool_)
    if p.ndim != 1 or not p.shape == hits.shape == np.shape(cluster):
        raise DataError(
            f"probability {p.shape}, hit {hits.shape} and cluster {np.shape(cluster)} need one "
            "dimension and one length"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError("a probability does not lie in [0, 1]")
    group, bins = _groups(p)
    cell = np.asarray(cluster, np.int64) * bins.size + group
    size = n_clusters * bins.size

    def count(weight: Floats) -> Float64:
        found = np.asarray(np.bincount(cell, weight, size), np.float64)
        return found.reshape(n_clusters, bins.size)

    clipped = np.clip(p, _LOGIT_FLOOR, 1 - _LOGIT_FLOOR)
    rows = count(np.ones(p.size))
    logit = count(np.log(clipped / (1 - clipped))).sum(0) / np.maximum(rows.sum(0), 1)
    return Grouped(logit, bins, rows, count(hits.astype(np.float64)), count(p))


def _groups(p: Float64) -> tuple[Int64, Int64]:
    """Each row's group, and each group's bin, as `classification.calibration_curve` bins."""
    value, place, size = np.unique(p, return_inverse=True, return_counts=True)
    if not value.size:
        return place, np.zeros(0, np.int64)
    middle = np.cumsum(size) - size / 2
    fine = np.floor(middle / p.size * N_BINS * _A_BIN).astype(np.int64)
    wide = np.minimum(np.floor(middle / p.size * N_BINS), N_BINS - 1).astype(np.int64)
    # A bin's edge may round otherwise than a group's: a group is of one bin all the same.
    _, first, of = np.unique(wide * 10**6 + fine, return_index=True, return_inverse=True)
    return of[place], wide[first]


def grouped_ece(rows: Grouped, counts: Float64) -> float | None:
    """`classification.ece` of these rows, each cluster counted so often, (n_clusters,).

    The bins are those of all rows, whatever was drawn. None without rows.
    """
    total = counts @ rows.rows
    gap = np.bincount(rows.bin, counts @ rows.said - counts @ rows.hits, N_BINS)
    n = float(total.sum())
    return float(np.abs(gap).sum() / n) if n > 0 else None


def grouped_slope(rows: Grouped, counts: Float64) -> float | None:
    """`classification.calibration_slope` of these rows, each cluster counted so often.

    None where one kind is absent, or no finite slope exists.
    """
    slope = _slope(rows.logit, counts @ rows.rows, counts @ rows.hits)
    return None if np.isnan(slope) else float(slope)


@njit(cache=True)
def _slope(logit: Float64, size: Float64, hits: Float64) -> float:
    """Newton's method with halved steps from a calibrated line; nan where it does not end."""
    if hits.sum() <= 0 or hits.sum() >= size.sum():
        return np.nan
    a, b, step_a, step_b, best = 0.0, 0.0, 0.0, 1.0, -np.inf
    for _ in range(_STEPS):
        if abs(step_a) + abs(step_b) < 1e-9 * (1 + abs(a) + abs(b)):
            return b
        likelihood, g0, g1, h00, h01, h11 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(logit.size):
            if size[i] <= 0:
                continue
            line = a + step_a + (b + step_b) * logit[i]
            chance = 1 / (1 + np.exp(-line))
            bend = max(line, 0.0) + np.log1p(np.exp(-abs(line)))
            likelihood += hits[i] * line - size[i] * bend
            gap, spread = hits[i] - size[i] * chance, size[i] * chance * (1 - chance)
            g0, g1 = g0 + gap, g1 + gap * logit[i]
            h00, h01 = h00 + spread, h01 + spread * logit[i]
            h11 += spread * logit[i] * logit[i]
        if likelihood < best:
            step_a, step_b = step_a / 2, step_b / 2
            continue
        a, b, best = a + step_a, b + step_b, likelihood
        whole = h00 * h11 - h01 * h01
        if whole <= 1e-12 * h00 * h11 or abs(b) > _STEEPEST:
            return np.nan
        step_a = (h11 * g0 - h01 * g1) / whole
        step_b = (h00 * g1 - h01 * g0) / whole
    return np.nan
