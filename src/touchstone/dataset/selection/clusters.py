"""Correlation clusters: of columns that say the same, the one that says it best."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveInt

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.dataset import selection
from touchstone.dataset.selection import SELECTION, Evidence, Ranked


class ClustersConfig(Config):
    """How alike two columns may be."""

    kind: Literal["clusters"] = "clusters"
    correlation: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Columns whose mean rank correlation is at least this, whatever its sign, are one cluster."""
    keep: PositiveInt | None = None
    """At most so many clusters, those of the most members; null: all."""
    rows: PositiveInt | None = 20_000
    """Train rows that are looked at, evenly spaced; null: all."""


@SELECTION.register(ClustersConfig)
def clusters(
    config: ClustersConfig, evidence: Evidence, columns: Int64, rng: np.random.Generator  # noqa: ARG001
) -> Ranked:  # fmt: skip
    """Keep of each cluster the column that is most like the others; no outcome is looked at.

    The score is that likeness: the mean absolute rank correlation with its cluster, itself left
    out; 1 for a column alone. Of equal ones the first is kept.
    """
    rows = selection.thinned(evidence.train, config.rows)
    number = selection.clustered(evidence, columns, rows, config.correlation)
    alike = np.abs(selection.rank_correlation(evidence, columns, rows))
    np.fill_diagonal(alike, 0)
    score, keep = np.ones(columns.size), np.zeros(columns.size, np.bool_)
    sizes = np.bincount(number)
    for cluster in np.argsort(-sizes, kind="stable")[: config.keep]:
        members = np.flatnonzero(number == cluster)
        if members.size > 1:
            score[members] = alike[np.ix_(members, members)].sum(1) / (members.size - 1)
        keep[members[np.argmax(np.round(score[members], 12))]] = True
    return Ranked(keep, score)
