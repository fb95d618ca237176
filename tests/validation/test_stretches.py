"""Days that share outcomes: how long their stretches are, and what intervals they give."""

from functools import partial

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.metrics.ranked import ranked, ranked_roc_auc
from touchstone.validation.day_bootstrap import counted_interval, days_of
from touchstone.validation.stretches import stretches
from validation.bands import band

SEED = 20_261_129  # chosen before the first run
HORIZON = 8


def test_a_day_alone_where_no_outcome_leaves_it():
    day = np.array([3, 3, 5, 9, 9])
    found = stretches(day, day)
    np.testing.assert_array_equal(np.diff(found) > 0, np.diff(day) > 0)


def test_three_days_where_some_outcome_reaches_the_next():
    day = np.repeat(np.arange(12), 24)
    until = (np.arange(day.size) + 9) // 24  # hourly bars, eight of horizon and the exit's open
    found = stretches(day, until)
    np.testing.assert_array_equal(found, day // 3)


def test_days_without_rows_lengthen_no_stretch():
    """A weekend is no day: an outcome of Monday reaches one day ahead of Friday, not three."""
    weekdays = np.flatnonzero(np.arange(70) % 7 < 5)
    found = stretches(weekdays[:-1], weekdays[1:])
    np.testing.assert_array_equal(np.bincount(found), [3] * 16 + [1])


def test_no_rows_have_no_stretch_and_mixed_up_columns_are_refused():
    assert stretches(np.empty(0, np.int64), np.empty(0, np.int64)).size == 0
    with pytest.raises(DataError, match="before its row"):
        stretches(np.array([2]), np.array([1]))
    with pytest.raises(DataError, match="one length"):
        stretches(np.arange(2), np.arange(3))


def overlapping(source, n_days):
    """Daily bars of four instruments: a slow score that knows nothing, the next eight days' way."""
    shared = source.normal(size=n_days + HORIZON + 1)
    day = np.arange(n_days)
    score, hit = [], []
    for _ in range(4):
        path = np.cumsum(shared + source.normal(size=shared.size))
        hit.append(path[day + HORIZON + 1] > path[day + 1])
        slow = np.convolve(source.normal(size=n_days + 40), 0.9 ** np.arange(41), "valid")
        score.append(slow)
    day = np.tile(day, 4)
    return np.concatenate(score), np.concatenate(hit), day, day + HORIZON + 1


def test_coverage_where_outcomes_overlap_and_days_alone_would_claim_too_much():
    by_stretch, by_day, n = 0, 0, 120
    for k in range(n):
        source = np.random.default_rng([SEED, k])
        score, hit, day, until = overlapping(source, 500)
        for cluster in ("stretch", "day"):
            days = days_of(stretches(day, until) if cluster == "stretch" else day)
            rows = ranked(score, hit, days.at)
            area = partial(ranked_roc_auc, rows)
            low, high = counted_interval(area, days.n, source, n_resamples=199)
            held = low <= 0.5 <= high
            by_stretch += held * (cluster == "stretch")
            by_day += held * (cluster == "day")
    assert by_stretch >= band(n, 0.93)[0]
    assert by_day < 0.8 * n
