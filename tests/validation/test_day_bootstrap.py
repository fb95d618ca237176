"""Intervals of classification measures: days, not rows; scipy's bootstrap; coverage."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from touchstone.errors import DataError
from touchstone.metrics.classification import pr_auc, roc_auc
from touchstone.validation.day_bootstrap import day_interval
from validation.bands import band
from validation.test_permutation import scored

SEED = 20_240_782  # chosen before the first run


def rng(*path):
    return np.random.default_rng([SEED, *path])


def test_is_scipys_percentile_interval_where_a_day_is_a_row():
    values = rng(1).gamma(2, size=100)
    ours = day_interval(lambda at: float(values[at].mean()), np.arange(100), rng(2), 0.9, 3999)
    theirs = bootstrap((values,), np.mean, method="percentile", confidence_level=0.9,
                       n_resamples=4000, rng=rng(3)).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)


def test_whole_days_are_drawn_whatever_the_order_of_rows():
    source = rng(4)
    day = source.integers(0, 20, 300)
    sizes = np.bincount(day, minlength=20)

    def whole(at):
        counts = np.bincount(at, minlength=300)
        for d in range(20):
            assert np.unique(counts[day == d]).size == 1
        drawn = np.bincount(day[at], minlength=20) / sizes
        assert drawn.sum() == 20
        return float(at.size)

    low, high = day_interval(whole, day, source, n_resamples=99)
    assert low < 300 < high


def test_coverage_where_rows_alone_would_claim_too_much():
    """ROC-AUC of a score that knows nothing is 0.5: intervals by days hold it, by rows do not."""
    source, by_days, by_rows = rng(5), 0, 0
    for _ in range(80):
        day, score, hit = scored(source, n_days=100, a_day=6)
        low, high = day_interval(lambda at: roc_auc(score[at], hit[at]), day, source, 0.95, 99)  # noqa: B023
        by_days += low <= 0.5 <= high
        rows = np.arange(day.size)
        low, high = day_interval(lambda at: roc_auc(score[at], hit[at]), rows, source, 0.95, 99)  # noqa: B023
        by_rows += low <= 0.5 <= high
    assert by_days >= band(80, 0.93)[0]
    assert by_rows < 64


def test_finds_skill_in_pr_auc():
    day, score, hit = scored(rng(6), skill=1.0)
    low, high = day_interval(lambda at: pr_auc(score[at], hit[at]), day, rng(6))
    assert hit.mean() < low < pr_auc(score, hit) < high


def test_where_there_is_no_interval():
    day, score, hit = scored(rng(7), n_days=9)
    assert day_interval(lambda at: roc_auc(score[at], hit[at]), day, rng(7)) is None
    day, score, hit = scored(rng(7), n_days=40)
    hit[:] = False
    assert day_interval(lambda at: pr_auc(score[at], hit[at]), day, rng(7)) is None
    hit[100] = True  # a third of the resamples has no hit: the bound may lie anywhere
    assert day_interval(lambda at: pr_auc(score[at], hit[at]), day, rng(7)) is None
    assert day_interval(lambda at: 1.0, day[:0], rng(7)) is None  # noqa: ARG005
    with pytest.raises(DataError, match="one a row"):
        day_interval(lambda at: 1.0, day[None], rng(7))  # noqa: ARG005
