"""Calibration of rows put together once: that of the rows themselves, each as often as drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from touchstone.errors import DataError
from touchstone.metrics import classification as c
from touchstone.metrics.grouped import grouped, grouped_ece, grouped_slope

ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, 4)), min_size=1, max_size=60
).map(lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True)))
COUNTS = st.lists(st.integers(0, 3), min_size=5, max_size=5).map(np.array)


@given(rows=ROWS, counts=COUNTS)
@settings(max_examples=150, deadline=None)
def test_the_slope_counts_a_row_as_often_as_its_cluster_was_drawn(rows, counts):
    level, hit, cluster = rows
    p = (level + 1) / 10
    again = np.repeat(np.arange(level.size), counts[cluster])
    found = grouped_slope(grouped(p, hit, cluster, 5), counts.astype(float))
    expected = c.calibration_slope(p[again], hit[again])
    if expected is not None and abs(expected) < 50:
        assert found == pytest.approx(expected, abs=1e-5)


@given(rows=ROWS)
@settings(max_examples=150, deadline=None)
def test_the_error_of_all_rows_is_that_of_the_rows(rows):
    level, hit, cluster = rows
    found = grouped_ece(grouped(level / 8, hit, cluster, 5), np.ones(5))
    assert found == pytest.approx(c.ece(level / 8, hit), abs=1e-12)


def test_many_probabilities_in_groups_say_what_the_rows_say():
    rng = np.random.default_rng(0)
    p = rng.beta(1, 9, 20_000)
    hit = rng.random(p.size) < expit(0.7 * logit(p) - 0.2)
    cluster = np.arange(p.size) % 40
    rows, ones = grouped(p, hit, cluster, 40), np.ones(40)
    assert rows.logit.size <= 200
    assert (np.diff(rows.logit) > 0).all()
    assert grouped_ece(rows, ones) == pytest.approx(c.ece(p, hit), abs=1e-12)
    assert grouped_slope(rows, ones) == pytest.approx(c.calibration_slope(p, hit), abs=0.01)
    assert rows.rows.sum() == p.size
    assert rows.hits.sum() == hit.sum()


def test_none_where_there_is_none():
    p, cluster = np.array([0.1, 0.9, 0.9]), np.array([0, 1, 1])
    rows = grouped(p, np.array([False, True, True]), cluster, 2)
    assert grouped_slope(rows, np.ones(2)) is None  # hits and misses lie apart
    assert grouped_slope(rows, np.array([1.0, 0.0])) is None  # no hit was drawn
    assert grouped_ece(rows, np.zeros(2)) is None
    none = np.empty(0)
    assert grouped_ece(grouped(none, none.astype(bool), none.astype(int), 0), none) is None


def test_refuses_what_is_no_probability():
    with pytest.raises(DataError, match="lie in"):
        grouped(np.array([0.1, 1.2]), np.array([True, False]), np.array([0, 1]), 2)
    with pytest.raises(DataError, match="one length"):
        grouped(np.array([0.1, 0.2]), np.array([True]), np.array([0, 1]), 2)
