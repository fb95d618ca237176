"""Mutual information of a column with the outcome, against outcomes moved in time."""

import itertools
from typing import Annotated, Final, Literal

import numpy as np
from numba import njit
from pydantic import Field, PositiveInt

from touchstone.arrays import Float64, Int8, Int64
from touchstone.config import Config
from touchstone.dataset.selection import SELECTION, Evidence, Ranked, best, thinned

_NEAREST: Final = 0.05
"""Least share of an instrument's rows that outcomes are moved by, either way."""


class MutualInformationConfig(Config):
    """How much a column must tell of the outcome."""

    kind: Literal["mutual_information"] = "mutual_information"
    keep: PositiveInt | None = None
    """At most so many columns; null: all that pass."""
    level: Annotated[float, Field(gt=0, le=1)] = 0.05
    """How likely it may be that a study whose columns all tell nothing keeps any; 1: no test."""
    shifts: Annotated[PositiveInt, Field(ge=19)] = 99
    """Times that the outcomes are moved, to see what columns tell by chance."""
    bins: Annotated[int, Field(ge=2, le=64)] = 10
    """Of equal numbers of rows, per column."""
    rows: PositiveInt | None = 50_000
    """Train rows that are looked at, evenly spaced; null: all."""


@SELECTION.register(MutualInformationConfig)
def mutual_information(
    config: MutualInformationConfig, evidence: Evidence, columns: Int64, rng: np.random.Generator
) -> Ranked:
    """Keep the columns that tell more of the outcome than chance; train rows only.

    Neighbouring rows share most of their bars, and instruments move together, so that a column
    that wanders tells much of any outcome by chance. Chance is therefore measured on the same
    rows: the outcomes of every instrument are turned in time, all by the same share of its
    length, which keeps each series, and what instruments have in common, as it is. The score is
    the information above the mean of the turned ones, in their standard deviations; it passes
    where the largest score of any column is that high in at most `level` of the turns
    (Westfall & Young 1993, Resampling-Based Multiple Testing, section 2.6).
    """
    rows = thinned(evidence.train, config.rows)
    codes = np.stack([_binned(evidence.features[rows, c], config.bins) for c in columns])
    outcome = np.asarray(evidence.outcome[rows] + 1, np.int64)
    runs = np.flatnonzero(np.r_[True, np.diff(evidence.asset_id[rows]) != 0, True])
    found = _information(codes, outcome, config.bins)
    if config.level >= 1:
        return Ranked(best(found, config.keep), found)
    turned = np.stack(
        [
            _information(codes, _turned(outcome, runs, share), config.bins)
            for share in rng.uniform(_NEAREST, 1 - _NEAREST, config.shifts)
        ]
    )
    mean, spread = turned.mean(0), turned.std(0)
    spread = np.where(spread > 0, spread, np.inf)
    score = (found - mean) / spread
    largest = ((turned - mean) / spread).max(1)
    beaten = (1 + (largest[:, None] >= score).sum(0)) / (config.shifts + 1)
    passed = beaten <= config.level
    return Ranked(passed & best(np.where(passed, score, -np.inf), config.keep), score)


def _binned(values: Float64, bins: int) -> Int8:
    """The bin of each value, 0 .. bins - 1: equal values together, (n,)."""
    edges = np.quantile(values, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(np.unique(edges), values, side="right"), np.int8)


def _turned(outcome: Int64, runs: Int64, share: float) -> Int64:
    """Each run's outcomes, the first `share` of them moved to its end."""
    parts = [outcome[a:b] for a, b in itertools.pairwise(runs)]
    return np.concatenate([np.roll(part, -round(share * part.size)) for part in parts])


@njit(cache=True)
def _information(codes: Int8, outcome: Int64, bins: int) -> Float64:
    """Mutual information of each row of codes (n_columns, n) with the outcome 0 .. 2, nats."""
    n_columns, n = codes.shape
    out = np.zeros(n_columns)
    count = np.empty((bins, 3))
    for column in range(n_columns):
        count[:] = 0
        for i in range(n):
            count[codes[column, i], outcome[i]] += 1
        for b in range(bins):
            for o in range(3):
                if count[b, o] > 0:
                    expected = count[b].sum() * count[:, o].sum()
                    out[column] += count[b, o] / n * np.log(count[b, o] * n / expected)
    return out
