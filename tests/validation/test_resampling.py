"""Blocks by prefix sums: the same law as arch's stationary bootstrap, day by day."""

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import geom, ks_2samp

from returns import garch_t, normal
from touchstone.errors import DataError
from touchstone.validation.resampling import (
    _length,
    block_law,
    bootstrap_variance,
    resampled_means,
    resampled_sharpes,
)

SEED = 20_240_777  # chosen before the first run


def rng(*path):
    return np.random.default_rng([SEED, *path])


def sharpe(daily):
    return daily.mean() / daily.std(ddof=1)


@pytest.mark.parametrize(("n_days", "block"), [(60, 1.0), (250, 3.0), (250, 11.5), (500, 80.0)])
def test_same_law_as_arch(n_days, block):
    daily = garch_t(n_days, 1, rng(1))[:, 0] + 0.1
    ours = resampled_sharpes(daily, block, 4000, rng(2))
    theirs = StationaryBootstrap(block, daily, seed=rng(3)).apply(sharpe, 4000)[:, 0]
    assert ks_2samp(ours, theirs).pvalue > 0.001
    assert ours.mean() == pytest.approx(theirs.mean(), abs=5 * theirs.std() / np.sqrt(2000))


def test_means_of_common_days_keep_their_correlation():
    returns = normal(200, 3, rng(4))
    returns[:, 2] = returns[:, 0] - returns[:, 1]
    means = resampled_means(returns, 5, 500, rng(4))
    np.testing.assert_allclose(means[:, 2], means[:, 0] - means[:, 1], atol=1e-12)
    theirs = StationaryBootstrap(5, returns, seed=rng(5)).apply(lambda x: x.mean(axis=0), 2000)
    for c in range(3):
        assert ks_2samp(means[:, c] + returns[:, c].mean(), theirs[:, c]).pvalue > 0.001


@settings(max_examples=20)
@given(st.integers(2, 60), st.floats(1, 30), st.integers(0, 1000))
def test_kernel_is_the_sum_over_all_pairs_of_days(n_days, block, seed):
    """Politis & Romano (1994): how likely two days of a resample are so many days apart."""
    daily = np.random.default_rng(seed).normal(size=n_days)
    deviation = daily - daily.mean()
    total = sum(
        (1 - 1 / block) ** abs(i - j) * np.mean(deviation * np.roll(deviation, j - i))
        for i in range(n_days)
        for j in range(n_days)
    )
    found = bootstrap_variance(daily[:, None], block)[0]
    assert found == pytest.approx(total / n_days, rel=1e-9, abs=1e-12)


def test_kernel_is_the_variance_of_resampled_means():
    returns = garch_t(300, 2, rng(6))
    means = resampled_means(returns, 7, 20_000, rng(6))
    np.testing.assert_allclose(means.var(axis=0) * 300, bootstrap_variance(returns, 7), rtol=0.05)


@settings(max_examples=30)
@given(st.floats(1.01, 50), st.integers(0, 2**64 - 1))
def test_lengths_turn_the_geometric_law_round(block, u):
    lengths = block_law(200, block)
    k = _length.py_func(np.uint64(u), lengths)
    expected = geom.ppf((u + 0.5) / 2**64, 1 / block)
    assert k == min(expected, 200) or abs(k - expected) <= 1e-9 * expected
    assert 1 <= k <= 200


def test_same_generator_same_bits_and_each_draw_moves_it():
    daily = normal(100, 1, rng(7))[:, 0]
    source = rng(8)
    first, second = (resampled_sharpes(daily, 3, 50, source) for _ in range(2))
    np.testing.assert_array_equal(first, resampled_sharpes(daily, 3, 50, rng(8)))
    assert (first != second).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3])
def test_without_variance_there_is_no_sharpe(value):
    assert np.isnan(resampled_sharpes(np.full(50, value), 3, 20, rng(9))).all()
    lucky = np.full(50, value)
    lucky[7] += 0.5  # missed by a third of the resamples
    missed = np.isnan(resampled_sharpes(lucky, 1, 2000, rng(9))).mean()
    assert missed == pytest.approx((1 - 1 / 50) ** 50, abs=0.05)


def test_a_large_mean_loses_no_digits():
    daily = normal(250, 1, rng(10))[:, 0]
    shifted = resampled_sharpes(daily + 1e6, 3, 200, rng(11))
    plain = resampled_sharpes(daily, 3, 200, rng(11))
    sd = 1e6 / shifted  # the mean is 1e6 to a millionth
    np.testing.assert_allclose(shifted * sd, 1e6)
    assert np.corrcoef(plain, shifted)[0, 1] < 1  # other statistic, same days
    assert sd.std() < 0.2


def test_refuses_what_has_no_sharpe():
    for bad in (np.zeros(1), np.empty(0), np.zeros((5, 2)), np.array([0.1, np.nan])):
        with pytest.raises(DataError, match="at least 2 finite"):
            resampled_sharpes(bad, 3, 10, rng(12))
    for block in (0.5, np.nan, -1.0):
        with pytest.raises(DataError, match="one day at least"):
            resampled_sharpes(np.ones(5), block, 10, rng(12))
