"""Net of the accepted rows: a slow reference, and what must not change it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.metrics.acceptance import LEAST, SHARES, net


def slow(score, realised, round_trip):
    best = -np.inf
    for share in SHARES:
        size = min(max(int(np.ceil(share * score.size)), LEAST), score.size)
        floor = sorted(score, reverse=True)[size - 1]
        best = max(best, np.mean([r for s, r in zip(score, realised, strict=True) if s >= floor]))
    return best - round_trip


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.integers(1, 400), st.floats(0, 0.01), st.integers(0, 99))
def test_is_the_best_share_by_a_slow_reference_whatever_the_scale_and_order(n, levels, cost, seed):
    rng = np.random.default_rng(seed)
    score = (rng.integers(0, levels, n) / levels).astype(np.float32)
    realised = rng.normal(0, 0.02, n)
    found = net(score, realised, cost)
    assert found == pytest.approx(slow(score, realised, cost), abs=1e-12)
    order = rng.permutation(n)
    assert net(score[order], realised[order], cost) == pytest.approx(found, abs=1e-12)
    assert net(score.astype(float) * 7 - 3, realised, cost) == pytest.approx(found, abs=1e-12)
    assert net(score, realised, cost, np.sort(score)) == found


def test_what_knows_nothing_earns_the_mean_of_all_and_what_knows_all_the_best():
    realised = np.random.default_rng(0).normal(0, 0.02, 10_000)
    assert net(np.full(10_000, 0.3), realised, 0.003) == pytest.approx(realised.mean() - 0.003)
    assert net(realised, realised, 0.003) == pytest.approx(np.sort(realised)[-100:].mean() - 0.003)
    few = realised[: LEAST - 1]
    assert net(few, few, 0.0) == pytest.approx(few.mean())
    assert net(few[:0], few[:0], 0.0) is None


def test_refuses_what_is_no_mean():
    with pytest.raises(DataError, match="one length"):
        net(np.zeros(3), np.zeros(4), 0.0)
    for score, realised in (([0.1, np.nan], [0.0, 0.0]), ([0.1, 0.2], [0.0, np.inf])):
        with pytest.raises(DataError, match="not finite"):
            net(np.array(score), np.array(realised), 0.0)
