"""Intervals of classification measures: days, not rows; scipy's bootstrap; coverage."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from touchstone.errors import DataError
from touchstone.metrics.classification import pr_auc, roc_auc
from touchstone.validation.day_bootstrap import (
    FEWEST_DAYS,
    counted_interval,
    day_interval,
    days_of,
    part_intervals,
)
from validation.bands import band, holds
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


def test_counts_of_days_give_the_interval_that_their_rows_give():
    source = rng(11)
    day = source.integers(0, 30, 400)
    values = source.normal(size=400)
    days = days_of(day)
    sums, sizes = np.bincount(days.at, values), np.bincount(days.at)
    by_rows = day_interval(lambda at: float(values[at].mean()), day, rng(12), 0.9)
    by_counts = counted_interval(lambda n: float(n @ sums / (n @ sizes)), days.n, rng(12), 0.9)
    assert by_counts == pytest.approx(by_rows, rel=1e-9)


def test_parts_have_the_intervals_that_each_would_have_alone():
    """A part sees resamples of all days, so a day without it is drawn for nothing: as wide."""
    source = rng(13)
    day, part = source.integers(0, 200, 6000), source.integers(0, 3, 6000)
    values = source.normal(size=6000) + source.normal(size=200)[day]
    part[(part == 2) & (day > 5)] = 0
    found = part_intervals(values, part, 4, day, rng(14))
    assert found[2] is None  # on six days only
    assert found[3] is None  # nowhere
    for k in (0, 1):
        rows = np.flatnonzero(part == k)
        mean = lambda at, mine=rows: float(values[mine[at]].mean())  # noqa: E731
        alone = day_interval(mean, day[rows], rng(15))
        width = alone[1] - alone[0]
        assert found[k] == pytest.approx(alone, abs=0.12 * width)


def test_of_ten_clusters_the_mean_is_held_as_often_as_said():
    """Plain percentiles of ten days hold it in 90 of 100 (normal days): a t interval is wider."""
    source, held, n = rng(18), 0, 300
    for _ in range(n):
        values = source.normal(size=10)
        mean = lambda c, v=values: float(c @ v / 10)  # noqa: E731
        low, high = counted_interval(mean, 10, source, n_resamples=199)
        held += low <= 0 <= high
    assert holds(n - held, n, 0.05)


def test_values_that_are_all_alike_have_no_interval():
    """Ten misses on ten days do not prove that there is never a hit."""
    days = np.repeat(np.arange(20), 3)
    part = np.arange(60) % 2
    values = np.where(part == 0, 0.0, np.arange(60) % 4 == 1)
    found = part_intervals(values, part, 2, days, rng(19))
    assert found[0] is None
    assert found[1] is not None


def test_too_few_days_have_no_interval():
    assert counted_interval(lambda n: float(n.sum()), FEWEST_DAYS - 1, rng(16)) is None
    days = np.repeat(np.arange(FEWEST_DAYS - 1), 5)
    assert part_intervals(np.ones(days.size), 0 * days, 1, days, rng(17)) == [None]
