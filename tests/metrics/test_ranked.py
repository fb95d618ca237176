"""Areas of rows put in order once: those of the rows themselves, each as often as it was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.metrics import classification as c
from touchstone.metrics.ranked import (
    ranked,
    ranked_best_f1,
    ranked_float32,
    ranked_pr_auc,
    ranked_roc_auc,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, 4)), min_size=1, max_size=60
).map(lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True)))
"""(score in eighths, so that ties abound; hit; cluster)."""
COUNTS = st.lists(st.integers(0, 3), min_size=5, max_size=5).map(np.array)


@given(rows=ROWS, counts=COUNTS)
@settings(max_examples=200, deadline=None)
def test_counts_a_row_as_often_as_its_cluster_was_drawn(rows, counts):
    level, hit, cluster = rows
    again = np.repeat(np.arange(level.size), counts[cluster])
    ordered = ranked(level / 8, hit, cluster)
    times = counts.astype(float)
    for ours, theirs in ((ranked_roc_auc, c.roc_auc), (ranked_pr_auc, c.pr_auc)):
        expected = theirs(level[again] / 8, hit[again])
        found = ours(ordered, times)
        assert (found is None) == (expected is None)
        assert expected is None or found == pytest.approx(expected, abs=1e-12)


@given(rows=ROWS, scale=st.sampled_from([1e-30, 0.125]))
@settings(max_examples=200, deadline=None)
def test_bits_of_float32_give_the_order_of_float32(rows, scale):
    level, hit, _ = rows
    probability = (level * np.float32(scale)).astype(np.float32)
    probability[:1] *= np.float32(-1) if level[0] == 0 else np.float32(1)  # -0.0 ties with 0.0
    slow = ranked(probability, hit, np.zeros(hit.size, np.int64))
    fast = ranked_float32(probability, hit)
    np.testing.assert_array_equal(fast.ends, slow.ends)
    np.testing.assert_array_equal(fast.score, slow.score)
    for area in (ranked_roc_auc, ranked_pr_auc):
        assert area(fast, np.ones(1)) == area(slow, np.ones(1))


@given(rows=ROWS)
@settings(max_examples=200, deadline=None)
def test_the_best_f1_is_that_of_the_best_threshold(rows):
    level, hit, cluster = rows
    best = ranked_best_f1(ranked(level / 8, hit, cluster))
    tried = {float(at): c.f1(level / 8, hit, at) for at in np.unique(level / 8)}
    if not hit.any():
        assert best is None
        return
    highest = max(tried.values())
    assert best.f1 == pytest.approx(highest, abs=1e-12)
    assert best.threshold == max(at for at, f1 in tried.items() if f1 > highest - 1e-12)
    assert best.precision == pytest.approx(c.precision(level / 8, hit, best.threshold))
    assert best.recall == pytest.approx(c.recall(level / 8, hit, best.threshold))


def test_refuses_what_it_cannot_order():
    with pytest.raises(DataError, match="not finite"):
        ranked(np.array([0.1, np.nan]), np.array([True, False]), np.array([0, 1]))
    with pytest.raises(DataError, match="one length"):
        ranked(np.array([0.1, 0.2]), np.array([True]), np.array([0, 1]))
    with pytest.raises(DataError, match="one length"):
        ranked_float32(np.array([0.1, 0.2], np.float32), np.array([True]))
    for bad in (np.nan, -0.1, 1.1):
        with pytest.raises(DataError, match="lie in"):
            ranked_float32(np.array([0.1, bad], np.float32), np.array([True, False]))
