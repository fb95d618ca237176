"""How well probabilities rank: direction, touch and precision, each with an interval over days."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.metrics import classification as c
from touchstone.metrics.ranked import ranked, ranked_pr_auc, ranked_roc_auc
from touchstone.reports.measured import Shown
from touchstone.validation.day_bootstrap import N_RESAMPLES, counted_interval, days_of

_MOST_PASSES: Final = 200_000_000
"""Rows times resamples of one interval; a panel of millions of rows gets fewer resamples."""
_FEWEST_RESAMPLES: Final = 199


class Ranks(NamedTuple):
    """Rows to be ranked, all (n,)."""

    probability: Float64
    """(n, n_outcomes)."""
    outcome: Int8
    symmetric: Int8
    stretch: Int64
    """Of days that share outcomes, see `validation.stretches`."""


class Auc(NamedTuple):
    """An area with its 95 % interval."""

    value: float | None
    interval: tuple[float, float] | None


class Aucs(NamedTuple):
    """What the page compares."""

    direction: Auc
    """Against the first touch of a symmetric barrier."""
    touch: Auc
    """Against the study's own barriers, given a touch."""
    pr: Auc
    """Average precision of the probability of the target."""


def aucs(rows: Ranks, rng: np.random.Generator) -> Aucs:
    """The three areas; days are resampled whole, and those whose outcomes overlap together."""
    for_direction, for_touch, for_pr = rng.spawn(3)
    side = c.side_score(rows.probability)
    hit = rows.outcome == 1
    return Aucs(
        Auc(
            c.direction_auc(rows.probability, rows.symmetric),
            _interval(side, rows.symmetric, rows.stretch, for_direction),
        ),
        Auc(
            c.touch_auc(rows.probability, rows.outcome),
            _interval(side, rows.outcome, rows.stretch, for_touch),
        ),
        Auc(
            c.pr_auc(rows.probability[:, -1], hit),
            _pr_interval(rows.probability[:, -1], hit, rows.stretch, for_pr),
        ),
    )


def shows(direction: Auc, touch: Auc) -> Shown | None:
    """The word for `Skill.shows`: skill at volatility alone is no edge, whatever the touch AUC."""
    if direction.interval is None:
        return None
    if direction.interval[0] > 0.5:
        return "direction"
    if direction.interval[1] < 0.5:
        return "against"
    if touch.interval is not None and touch.interval[0] > 0.5:
        return "volatility"
    return "nothing"


def _interval(
    side: Float64, outcome: Int8, stretch: Int64, rng: np.random.Generator
) -> tuple[float, float] | None:
    touched = outcome != 0
    days = days_of(stretch[touched])
    rows = ranked(side[touched], outcome[touched] > 0, days.at)
    resamples = _resamples(days.at.size)
    return counted_interval(
        lambda counts: ranked_roc_auc(rows, counts), days.n, rng, n_resamples=resamples
    )


def _pr_interval(
    p: Float64, hit: Bool, stretch: Int64, rng: np.random.Generator
) -> tuple[float, float] | None:
    days = days_of(stretch)
    rows = ranked(p, hit, days.at)
    resamples = _resamples(days.at.size)
    return counted_interval(
        lambda counts: ranked_pr_auc(rows, counts), days.n, rng, n_resamples=resamples
    )


def _resamples(n_rows: int) -> int:
    return min(N_RESAMPLES, max(_FEWEST_RESAMPLES, _MOST_PASSES // max(n_rows, 1)))
