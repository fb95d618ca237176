"""Which values of a window are taken together: features, groups of them, stretches of bars."""

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.stats import rankdata

from touchstone.arrays import Float32, Float64, Int64
from touchstone.dataset.windows import SUMMARIES, summarised
from touchstone.explain import Subject, agreed_names

_MOST_ROWS: Final = 20_000
"""Train rows of each fold from which correlations are counted, evenly over time."""


class Part(NamedTuple):
    """Values of a window that belong together."""

    name: str
    features: tuple[int, ...]
    """Columns of the matrix."""
    lags: tuple[int, int] | None = None
    """First and last bar back, (oldest, newest), both included, 0 the row's own; None: all."""


class Relatives(NamedTuple):
    """How features go together on train rows."""

    correlation: Float64
    """Spearman's, of the row's own bar, the mean over folds, (n_features, n_features)."""
    group: Int64
    """Each feature's group, (n_features,)."""


def parts_of_features(names: Sequence[str]) -> tuple[Part, ...]:
    """Every feature by itself, over the whole window."""
    return tuple(Part(name, (j,)) for j, name in enumerate(names))


def parts_of_lags(names: Sequence[str], lookback: int, n: int = 4) -> tuple[Part, ...]:
    """All features together, in n stretches of bars of about equal length, oldest first."""
    edges = np.unique(np.linspace(0, lookback, min(n, lookback) + 1).round().astype(int))
    every = tuple(range(len(names)))
    found = []
    for begin, end in itertools.pairwise(edges.tolist()):
        oldest, newest = lookback - 1 - begin, lookback - end
        told = f"bar -{oldest}" if oldest == newest else f"bars -{oldest} to -{newest}"
        found.append(Part(told.replace("-0", "0"), every, (oldest, newest)))
    return tuple(found)


def parts_of_groups(names: Sequence[str], relatives: Relatives) -> tuple[Part, ...]:
    """Groups of at least two features that say much the same, each over the whole window.

    Permuted alone, a feature with a double is not missed: the model still has the other. What the
    two are worth shows when both go.
    """
    members = [np.flatnonzero(relatives.group == g).tolist() for g in np.unique(relatives.group)]
    return tuple(
        Part(" + ".join(names[j] for j in own), tuple(own)) for own in members if len(own) > 1
    )


def relatives_of(subjects: Sequence[Subject], threshold: float = 0.7) -> Relatives:
    """Features grouped by the mean absolute rank correlation between groups (average linkage).

    Args:
        subjects: folds with the same columns; their train rows count.
        threshold: groups join while their mean |correlation| is at least this.

    Source: Fisher, Rudin & Dominici (2019), section 8, on why correlated features are to be read
    together.
    """
    n_features = len(agreed_names(subjects))
    total = np.zeros((n_features, n_features))
    for subject in subjects:
        rows = subject.train[:: max(1, subject.train.size // _MOST_ROWS)]
        ranks = rankdata(subject.windows.features[rows], axis=0, nan_policy="omit")
        ranks = np.nan_to_num(ranks - np.nanmean(ranks, axis=0))
        size = np.sqrt(np.sum(ranks**2, axis=0))
        unit = ranks / np.where(size > 0, size, 1.0)
        total += unit.T @ unit
    correlation = np.clip(total / len(subjects), -1, 1)
    np.fill_diagonal(correlation, 1.0)
    if n_features == 1:
        return Relatives(correlation, np.ones(1, np.int64))
    apart = 1 - np.abs(correlation[np.triu_indices(n_features, 1)])
    group = fcluster(linkage(apart, "average"), 1 - threshold, "distance")
    return Relatives(correlation, group.astype(np.int64))


def inputs_of(subject: Subject, rows: Int64) -> Float32:
    """What the model reads of rows: windows (n, lookback, f), or tabular rows (n, 3 f)."""
    windows = subject.windows
    if subject.fitted.inputs == "window":
        return windows.gather(rows)
    return windows.tabular(rows)


def exchanged(subject: Subject, rows: Int64, lender: Int64, part: Part) -> Float32:
    """`inputs_of` rows with the values of a part taken from other rows.

    Args:
        subject: whose windows they are.
        rows: (n,).
        lender: (n,) rows whose values of the part are taken, bar by bar back from each.
        part: which values.
    """
    windows, columns = subject.windows, list(part.features)
    if part.lags is None and subject.fitted.inputs == "tabular":
        inputs, other = windows.tabular(rows), windows.tabular(lender)
        every = [k * windows.n_features + j for k in range(len(SUMMARIES)) for j in columns]
        inputs[:, every] = other[:, every]
        return inputs
    inputs, other = windows.gather(rows), windows.gather(lender)
    oldest, newest = part.lags or (windows.lookback - 1, 0)
    bars = slice(windows.lookback - 1 - oldest, windows.lookback - newest)
    inputs[:, bars, columns] = other[:, bars, columns]
    if subject.fitted.inputs == "window":
        return inputs
    return summarised(inputs)
