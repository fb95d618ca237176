"""Areas of rows put in order once: those of the rows themselves, each as often as it was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.metrics import classification as c
from touchstone.metrics.ranked import ranked, ranked_pr_auc, ranked_roc_auc

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


def test_refuses_what_it_cannot_order():
    with pytest.raises(DataError, match="not finite"):
        ranked(np.array([0.1, np.nan]), np.array([True, False]), np.array([0, 1]))
    with pytest.raises(DataError, match="one length"):
        ranked(np.array([0.1, 0.2]), np.array([True]), np.array([0, 1]))
