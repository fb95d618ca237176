"""A score put in order once, so that its areas under curves cost one pass for each weighting.

For resamples of clusters of rows, as days: `classification.roc_auc` and `pr_auc` sort at every
call, these do not. A cluster drawn twice counts twice, one not drawn is left out.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float32, Float64, Floats, Int64
from touchstone.errors import DataError


class Ranked(NamedTuple):
    """Rows in rising order of their score, all (n,)."""

    ends: Bool
    """The next row's score is another one: rows of equal score are taken together."""
    hit: Bool
    cluster: Int64
    """Each row's cluster, 0 to n_clusters - 1."""
    score: Floats
    """Rising."""


class BestF1(NamedTuple):
    """Where F1 is highest, and what else is true there."""

    threshold: float
    """Rows that score as much or more are selected."""
    precision: float
    recall: float
    f1: float


def ranked(score: Floats, hit: Bool, cluster: Int64) -> Ranked:
    """Scores (n,) with what came of them (n,) and their clusters (n,), in order.

    Raises:
        DataError: another shape, or a score that is not finite.
    """
    column, hits = np.asarray(score, np.float64), np.asarray(hit, np.bool_)
    if column.ndim != 1 or not column.shape == hits.shape == np.shape(cluster):
        raise DataError(
            f"score {column.shape}, hit {hits.shape} and cluster {np.shape(cluster)} need one "
            "dimension and one length"
        )
    if not np.isfinite(column).all():
        raise DataError("a score is not finite: drop those rows first")
    order = np.argsort(column, kind="stable")
    rising = column[order]
    ends = np.append(rising[1:] > rising[:-1], True) if rising.size else np.empty(0, np.bool_)
    return Ranked(ends, hits[order], np.asarray(cluster, np.int64)[order], rising)


def ranked_float32(probability: Float32, hit: Bool) -> Ranked:
    """`ranked` of float32 probabilities in [0, 1], all of one cluster, in a tenth of the time.

    Positive floats are in the order of their bits, so bits and hit sort together as one number.

    Raises:
        DataError: another shape, or a value outside [0, 1].
    """
    column, hits = np.ascontiguousarray(probability, np.float32), np.asarray(hit, np.bool_)
    if column.ndim != 1 or column.shape != hits.shape:
        raise DataError(f"probability {column.shape} and hit {hits.shape} need one length")
    if not ((column >= 0) & (column <= 1)).all():
        raise DataError("a probability does not lie in [0, 1]")
    bits = (column + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
    keys = np.sort((bits << np.uint32(1)) | hits)
    value = keys >> np.uint32(1)
    ends = np.append(value[1:] > value[:-1], True) if keys.size else np.empty(0, np.bool_)
    hit_of = (keys & np.uint32(1)).astype(np.bool_)
    return Ranked(ends, hit_of, np.zeros(keys.size, np.int64), value.view(np.float32))


def ranked_roc_auc(rows: Ranked, counts: Float64) -> float | None:
    """`classification.roc_auc` of these rows, each cluster counted so often, (n_clusters,).

    None where one kind is absent.
    """
    area = _roc_area(rows.ends, rows.hit, rows.cluster, counts)
    return None if np.isnan(area) else float(area)


def ranked_pr_auc(rows: Ranked, counts: Float64) -> float | None:
    """`classification.pr_auc` of these rows, each cluster counted so often, (n_clusters,).

    None without a hit.
    """
    area = _pr_area(rows.ends, rows.hit, rows.cluster, counts)
    return None if np.isnan(area) else float(area)


def ranked_best_f1(rows: Ranked) -> BestF1 | None:
    """The threshold with the highest `classification.f1`, every row counting once.

    Of several equally good ones the highest: it selects fewest rows. No score does worse than
    selecting every row, 2 r / (1 + r) at the base rate r. None without a hit.
    """
    place, taken, tp = _best_f1(rows.ends, rows.hit)
    if place < 0:
        return None
    hits = int(rows.hit.sum())
    threshold = float(rows.score[place])
    return BestF1(threshold, tp / taken, tp / hits, 2 * tp / (taken + hits))


@njit(cache=True)
def _best_f1(ends: Bool, hit: Bool) -> tuple[int, int, int]:
    """Lowest place that is selected, rows and hits selected; place -1 without a hit."""
    n, hits = hit.size, hit.sum()
    place, best_taken, best_tp, best = -1, 1, 0, 0.0
    tp = 0
    for i in range(n - 1, -1, -1):
        tp += hit[i]
        if (i == 0 or ends[i - 1]) and tp > 0:
            f1 = 2.0 * tp / (n - i + hits)
            if f1 > best:
                place, best_taken, best_tp, best = i, n - i, tp, f1
    return place, best_taken, best_tp


@njit(cache=True)
def _roc_area(ends: Bool, hit: Bool, cluster: Int64, counts: Float64) -> float:
    below, hits, area, tied_hits, tied_misses = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(hit.size):
        if hit[i]:
            tied_hits += counts[cluster[i]]
        else:
            tied_misses += counts[cluster[i]]
        if ends[i]:
            area += tied_hits * (below + tied_misses / 2)
            hits += tied_hits
            below += tied_misses
            tied_hits, tied_misses = 0.0, 0.0
    return area / (hits * below) if hits > 0 and below > 0 else np.nan


@njit(cache=True)
def _pr_area(ends: Bool, hit: Bool, cluster: Int64, counts: Float64) -> float:
    taken, hits, area, tied, tied_hits = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(hit.size - 1, -1, -1):
        # From the highest score down a tie begins where the row before ended one.
        if ends[i] and tied > 0:
            taken, hits = taken + tied, hits + tied_hits
            area += tied_hits * hits / taken
            tied, tied_hits = 0.0, 0.0
        tied += counts[cluster[i]]
        if hit[i]:
            tied_hits += counts[cluster[i]]
    if tied > 0:
        taken, hits = taken + tied, hits + tied_hits
        area += tied_hits * hits / taken
    return area / hits if hits > 0 else np.nan
