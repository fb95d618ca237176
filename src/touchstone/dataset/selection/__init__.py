"""Which columns a fold's models see: chosen on its train (and validation) rows, one rule a file.

A study names rules in order; each narrows what the one before it left. Whatever the rules, a
column that stands still on the train rows is never kept, and of columns that are equal there only
the first.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from touchstone.arrays import Bool, Float32, Float64, Int8, Int32, Int64
from touchstone.config import Config
from touchstone.errors import TrainingError
from touchstone.registration import Family
from touchstone.seeding import generator

_DAY_NS: Final = 86_400_000_000_000
_GOLDEN: Final = (5**0.5 - 1) / 2


class Evidence(NamedTuple):
    """What a rule may look at: every column, and the fold's rows that fit and choose."""

    features: Float32
    """(n_rows, n_columns), row t known at the close of bar t."""
    names: tuple[str, ...]
    """Of the columns."""
    train: Int64
    """Train rows, rising, (n_train,): the only ones that a rule fits on."""
    validate: Int64
    """Validation rows, rising, (n_validate,): for rules that say so, and never to fit on."""
    outcome: Int8
    """Of every row, +1, 0 or -1; without meaning outside train and validation rows, (n_rows,)."""
    asset_id: Int32
    """Instrument of every row; the rows of one are a run, (n_rows,)."""
    known: Int64
    """When each row is known, ns UTC, (n_rows,)."""

    def day(self, rows: Int64) -> Int64:
        """The UTC day of some rows, counted from 1970, (n,)."""
        return np.asarray(self.known[rows] // _DAY_NS, np.int64)


class Ranked(NamedTuple):
    """What a rule says of the columns it was given, each (n,)."""

    keep: Bool
    score: Float64
    """In the rule's own unit, more is better."""


class Selected(NamedTuple):
    """The columns that a fold keeps."""

    columns: Int64
    """Places of the columns, rising, (n_kept,)."""
    scores: dict[str, float]
    """Name -> what the last rule scored it."""


Rule = Callable[[Any, Evidence, Int64, np.random.Generator], Ranked]
"""(config, evidence, columns (n,) still there, generator) -> their keeps and scores, (n,)."""

SELECTION: Final[Family[Rule]] = Family("selection rule", __name__)


def select(rules: Sequence[Config], evidence: Evidence, seed: int) -> Selected:
    """Apply rules in order.

    Args:
        rules: configs of parts of `SELECTION`.
        evidence: the fold.
        seed: of everything drawn; each rule has its own stream.

    Returns:
        At least one column: a rule that would leave none leaves its best.

    Raises:
        TrainingError: every column stands still on the train rows, or none is finite there.
    """
    columns = distinct(evidence)
    scores = np.full(columns.size, np.nan)
    for place, rule in enumerate(rules):
        rng = generator(seed, "selection", place, rule.canonical())
        with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
            ranked = SELECTION.part_of(rule)(rule, evidence, columns, rng)
        keep = ranked.keep if ranked.keep.any() else best(ranked.score, 1)
        columns, scores = columns[keep], ranked.score[keep]
    told = {evidence.names[c]: float(s) for c, s in zip(columns, scores, strict=True)}
    return Selected(columns, told)


def distinct(evidence: Evidence) -> Int64:
    """Columns that move on the train rows, the first of equal ones each, (n,).

    Raises:
        TrainingError: there is none.
    """
    seen: dict[bytes, int] = {}
    for column in range(len(evidence.names)):
        values = np.ascontiguousarray(evidence.features[evidence.train, column]) + np.float32(0)
        if values.size and np.isfinite(values).all() and values.min() < values.max():
            seen.setdefault(_digest(values), column)
    if not seen:
        raise TrainingError(
            f"selection: each of {len(evidence.names)} columns stands still, or has a hole, on "
            f"the {evidence.train.size} train rows: lengthen `train`, or give other features"
        )
    return np.array(sorted(seen.values()), np.int64)


def best(score: Float64, n: int | None) -> Bool:
    """The n columns of the highest score, of equal ones the first; all for None, (n_columns,)."""
    keep = np.zeros(score.size, np.bool_)
    keep[np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")[:n]] = True
    return keep


def thinned(rows: Int64, most: int | None) -> Int64:
    """At most so many of some rows, spread evenly: neighbours tell much the same, (n,).

    One row of each of `most` equal stretches, at places that follow the golden ratio, so that no
    hour of the day is met more often than another. The same rows each time.
    """
    if most is None or rows.size <= most:
        return rows
    stretch = np.arange(most)
    place = (stretch + (stretch * _GOLDEN) % 1) * (rows.size / most)
    return rows[place.astype(np.int64)]


def clustered(evidence: Evidence, columns: Int64, rows: Int64, correlation: float) -> Int64:
    """Numbers from 0 that columns share if they go together, (n,).

    Average linkage on 1 - |Spearman's rank correlation| over the rows, cut at `correlation`.
    """
    if columns.size < 2:
        return np.zeros(columns.size, np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  not needed by most
    from scipy.spatial.distance import squareform  # noqa: PLC0415

    distance = 1 - np.abs(rank_correlation(evidence, columns, rows))
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    _, number = np.unique(fcluster(tree, 1 - correlation, "distance"), return_inverse=True)
    return np.asarray(number, np.int64)


def rank_correlation(evidence: Evidence, columns: Int64, rows: Int64) -> Float64:
    """Spearman's, symmetric, within -1 .. 1, (n, n); 0 for a column that stands still there."""
    from scipy.stats import rankdata  # noqa: PLC0415

    ranks = np.stack([rankdata(evidence.features[rows, c]) for c in columns])
    ranks -= ranks.mean(1, keepdims=True)
    size = np.sqrt((ranks**2).sum(1, keepdims=True))
    ranks /= np.where(size > 0, size, 1)
    found = ranks @ ranks.T
    return np.asarray(np.clip((found + found.T) / 2, -1, 1), np.float64)


def _digest(values: Float32) -> bytes:
    return hashlib.sha256(values.tobytes()).digest()
