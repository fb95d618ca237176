"""What calibration counts: bands that a correct test keeps to and a naive one does not."""

import numpy as np
import pytest
from scipy import stats

from touchstone.errors import DataError
from touchstone.validation.calibration import (
    Trial,
    product,
    quantiles,
    rate,
    size,
    too_small,
)


def trial(p=0.5, kind="iid", word="none", n_trades=30, number=0):
    return Trial(kind, number, p, p, word, n_trades, 10)


@pytest.mark.parametrize(("n", "low", "high"), [(400, 7, 36), (2000, 69, 133)])
def test_the_band_is_the_published_one(n, low, high):
    """[1.75, 9.0] % of 400 and within [3, 7] % of 2,000."""
    found = rate("p", np.ones(n))
    assert (found.low, found.high) == (low, high)
    inside = stats.binom.cdf(high, n, 0.05) - stats.binom.cdf(low - 1, n, 0.05)
    assert inside >= 0.999


def test_a_correct_test_stays_inside_and_a_naive_best_of_many_does_not():
    rng = np.random.default_rng(5)
    assert rate("right", rng.random(400)).inside
    naive = rate("naive", rng.random((400, 10)).min(axis=1))
    assert not naive.inside
    assert "OUTSIDE" in str(naive)
    silent = rate("never", np.ones(400))  # a test that cannot reject is no correct test either
    assert not silent.inside


def test_a_p_of_exactly_the_level_rejects():
    assert rate("p", np.array([0.05, 0.0500001])).rejected == 1


def test_smaller_than_uniform_is_seen_and_larger_is_let():
    rng = np.random.default_rng(6)
    assert too_small(rng.random(500)).p > 0.01
    assert too_small(rng.random(500) ** 1.5).p < 1e-4
    assert too_small(np.sqrt(rng.random(500))).p > 0.5
    assert too_small(np.empty(0)).p == 1


def test_the_size_run_counts_each_sort_apart():
    trials = [trial(0.01, "iid", number=k) for k in range(5)] + [trial(0.9, "garch")] * 3
    found = size(trials)
    assert [(r.name, r.rejected, r.n) for r in found.by_kind] == [
        ("primary p, iid", 5, 5), ("primary p, garch", 0, 3),
    ]  # fmt: skip
    assert (found.primary.rejected, found.search.rejected) == (5, 5)
    assert not found.kept


def test_the_product_run_counts_words():
    trials = [trial(word="evidence")] * 2 + [trial(word="weak")] + [trial(n_trades=0)] * 37
    found = product(trials)
    assert (found.n, found.evidence, found.weak, found.without_trades) == (40, 2, 1, 37)
    assert found.kept
    assert stats.binom.cdf(2, 40, found.upper) == pytest.approx(0.05)
    assert not product([trial(word="evidence")] * 3 + [trial()] * 37).kept


def test_points_of_a_qq_plot_lie_on_the_diagonal_of_uniform_values():
    expected, seen = quantiles((np.arange(50) + 0.5)[::-1] / 50)
    assert np.allclose(expected, seen)


def test_nothing_is_kept_without_a_market_and_no_p_is_lost():
    assert not size([]).kept
    assert not product([]).kept
    for p in (np.nan, -0.1, 1.1):
        with pytest.raises(DataError, match=r"p-values lie in \[0, 1\]"):
            rate("primary p", np.array([0.5, p]))
