"""Is a part unlike the rest? Size where days have moods of their own, power, refusals."""

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.validation.day_bootstrap import FEWEST_DAYS
from touchstone.validation.multiple import benjamini_hochberg
from touchstone.validation.slices import difference_p
from validation.bands import holds

SEED = 20_261_128  # chosen before the first run


def trades(source, n_days=60, a_day=8, mood=1.0):
    """Trades whose days each have a mood: those of one day win or lose together."""
    day = np.repeat(np.arange(n_days), a_day)
    return mood * np.repeat(source.normal(size=n_days), a_day) + source.normal(size=day.size), day


def test_size_where_rows_alone_would_reject_too_often():
    source, by_days, by_rows, n = np.random.default_rng(SEED), 0, 0, 400
    for _ in range(n):
        values, day = trades(source, mood=2.0)
        inside = day % 2 == 0  # whole days, as a month or a weekday
        by_days += difference_p(values, inside, day) <= 0.05
        by_rows += difference_p(values, inside, np.arange(day.size)) <= 0.05
    assert holds(by_days, n, 0.05)
    assert by_rows > 0.3 * n


def test_of_many_parts_alike_few_survive_the_correction():
    source, survived, n = np.random.default_rng(SEED + 1), 0, 150
    for _ in range(n):
        values, day = trades(source)
        hour = source.integers(0, 12, day.size)
        p = np.array([difference_p(values, hour == h, day) for h in range(12)])
        survived += bool((benjamini_hochberg(p) <= 0.05).any())
    assert survived <= 16  # 0.05 of 150 searches is 7.5; 99.9 % stay below 17


def test_a_part_that_differs_is_found_and_the_sign_does_not_matter():
    source = np.random.default_rng(SEED + 2)
    values, day = trades(source)
    inside = source.random(day.size) < 0.2
    values[inside] += 1.0
    assert difference_p(values, inside, day) < 1e-4
    assert difference_p(-values, inside, day) == pytest.approx(difference_p(values, inside, day))
    assert difference_p(values, ~inside, day) == pytest.approx(difference_p(values, inside, day))


def test_no_p_where_days_are_few_or_nothing_varies():
    day = np.arange(100)
    few = day < FEWEST_DAYS - 1
    assert difference_p(np.random.default_rng(1).normal(size=100), few, day) is None
    assert difference_p(np.full(100, 0.3), day % 2 == 0, day) is None
    with pytest.raises(DataError, match="one length"):
        difference_p(np.ones(3), np.ones(2, bool), np.ones(3, int))
