"""Scores of items as of any time: how many, how good, how unlike each other, how new."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.data.news.items import Items
from touchstone.data.side_table import last_known
from touchstone.market import Panel


class Aggregates(NamedTuple):
    """What was known at the close of every row of a panel, NaN where nothing recent was.

    An item weighs 2 ** (-age / half-life), its age counted in real time from its publication, so
    that Friday evening's news is old on Monday; with its newest version known by then.
    """

    mean: Float64
    """Weighted mean of the scores, (n_rows, n_columns)."""
    items: Float64
    """Sum of the weights: items, a fresh one counting 1, (n_rows,)."""
    dispersion: Float64
    """Weighted standard deviation of the scores, (n_rows, n_columns)."""
    novelty: Float64
    """Weighted mean of the items' novelty, 0 .. 1, (n_rows,)."""
    age_ns: Float64
    """Time since the newest item's publication, ns, (n_rows,)."""


class _Folded(NamedTuple):
    """State after each version, weights as of its own knowledge time."""

    weight: Float64
    novelty: Float64
    mean: Float64
    square: Float64
    newest: Int64


def aggregate(
    items: Items, scores: Float64, novelty: Float64, times: tuple[int, int], panel: Panel
) -> Aggregates:
    """Fold the versions in the order of knowledge, then look the state up at every row's close.

    Args:
        items: versions of items by subject.
        scores: (n_versions, n_columns).
        novelty: (n_versions,).
        times: half-life, and the age from which the newest item is too old, ns.
        panel: the bars.
    """
    half_life, max_age = times
    folded = _Folded(
        *_fold(
            (items.offsets, items.item, items.event_time, items.knowledge_time),
            items.first, np.ascontiguousarray(scores), novelty, float(half_life),
        )
    )  # fmt: skip
    found = last_known(items.symbols, items.offsets, items.knowledge_time, panel)
    at = np.maximum(found, 0)
    age = panel.available_at - folded.newest[at]
    known = (found >= 0) & (age <= max_age)
    since = panel.available_at - items.knowledge_time[at]
    mean = folded.mean[at]
    spread = np.sqrt(np.maximum(folded.square[at] - mean**2, 0.0))
    decayed = folded.weight[at] * 0.5 ** (np.where(known, since, 0) / half_life)
    return Aggregates(
        np.where(known[:, None], mean, np.nan),
        np.where(known, decayed, np.nan),
        np.where(known[:, None], spread, np.nan),
        np.where(known, folded.novelty[at], np.nan),
        np.where(known, age.astype(np.float64), np.nan),
    )


@njit(cache=True)
def _fold(
    rows: tuple[Int64, Int64, Int64, Int64],
    first: Bool,
    scores: Float64,
    novelty: Float64,
    half_life: float,
) -> tuple[Float64, Float64, Float64, Float64, Int64]:
    """Weights, weighted means of novelty, scores and squared scores, and the newest event.

    Between two versions all sums shrink by one factor, so means only change when something
    becomes known; a new version of an item replaces what its last one had added.
    """
    offsets, item, event, knowledge = rows
    n, k = scores.shape
    weight, fresh = np.zeros(n), np.zeros(n)
    mean, square = np.zeros((n, k)), np.zeros((n, k))
    newest = np.zeros(n, np.int64)
    current = np.zeros((n, k))  # by item: the score that it counts with
    for subject in range(offsets.size - 1):
        total, new = 0.0, 0.0
        sums, squares = np.zeros(k), np.zeros(k)
        for i in range(offsets[subject], offsets[subject + 1]):
            started = i > offsets[subject]
            if started:
                shrink = 0.5 ** ((knowledge[i] - knowledge[i - 1]) / half_life)
                total, new = total * shrink, new * shrink
                sums, squares = sums * shrink, squares * shrink
            w = 0.5 ** ((knowledge[i] - event[i]) / half_life)
            if first[i]:
                total += w
                new += w * novelty[i]
                current[item[i]] = 0.0
            for c in range(k):
                was, now = current[item[i], c], scores[i, c]
                sums[c] += w * (now - was)
                squares[c] += w * (now * now - was * was)
                current[item[i], c] = now
            newest[i] = max(event[i], newest[i - 1]) if started else event[i]
            weight[i] = total
            if total > 0:
                fresh[i] = new / total
                mean[i], square[i] = sums / total, squares / total
    return weight, fresh, mean, square, newest
