"""Difference of two Sharpe ratios: closed forms, statsmodels' HAC, size and power."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.sandwich_covariance import S_hac_simple

from returns import garch_t, normal, searches
from touchstone.errors import DataError
from touchstone.validation.bootstrap import block_lengths, hac_lag
from touchstone.validation.sharpe_difference import _difference, sharpe_difference
from validation.bands import holds
from validation.chain_of_blocks import resamples

SEED = 20_240_779  # chosen before the first run
NO_FLOOR = np.zeros(2)


def rng(*path):
    return np.random.default_rng([SEED, *path])


def pair(seed, n_days=250, world=normal):
    return searches(1, (n_days, 2), rng(seed), world)[0] + np.array([0.15, 0.05])


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_error_is_the_delta_method_on_four_moments(seed):
    """Ledoit & Wolf (2008), equations 3 to 5, with statsmodels' HAC of (x, y, x^2, y^2)."""
    returns = pair(seed)
    lag, n = hac_lag(250), 250
    moments = np.column_stack([returns, returns**2])
    psi = S_hac_simple(moments - moments.mean(axis=0), nlags=lag) / n
    mu, gamma = returns.mean(axis=0), (returns**2).mean(axis=0)
    cube = (gamma - mu**2) ** 1.5
    gradient = np.array([gamma[0], -gamma[1], -mu[0] / 2, mu[1] / 2]) / np.tile(cube, 2)
    expected = np.sqrt(gradient @ psi @ gradient / n)
    difference, se = _difference(returns, lag, NO_FLOOR)
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    assert difference == pytest.approx(ratios[0] - ratios[1], rel=1e-12)
    assert se == pytest.approx(expected, rel=0.01)  # (n - 1) against n


def test_error_is_jobson_and_korkies_for_normal_returns():
    """Memmel (2003): (2 - 2 rho + (S1^2 + S2^2 - 2 S1 S2 rho^2) / 2) / n."""
    returns = searches(1, (200_000, 2), rng(2), normal, rho=0.6)[0] + np.array([0.3, 0.1])
    rho = np.corrcoef(returns.T)[0, 1]
    s1, s2 = returns.mean(axis=0) / returns.std(axis=0)
    expected = (2 - 2 * rho + (s1**2 + s2**2 - 2 * s1 * s2 * rho**2) / 2) / 200_000
    assert _difference(returns, 0, NO_FLOOR)[1] ** 2 == pytest.approx(expected, rel=0.02)


def test_p_is_the_slow_reference():
    returns, n_resamples = pair(3, 60), 199
    found = sharpe_difference(*returns.T, rng(4), n_resamples=n_resamples)
    lag, block = hac_lag(60), block_lengths(returns).max()
    t, exceed = abs(found.difference) / found.se, 0
    for rows in resamples(60, block, rng(4), n_resamples):
        d, se = _difference(returns[rows], lag, NO_FLOOR)
        exceed += abs(d - found.difference) / se >= t
    assert found.p == (1 + exceed) / (n_resamples + 1)


@pytest.mark.parametrize("world", [normal, garch_t])
def test_size_and_coverage(world):
    """400 pairs of equal Sharpe: rejections at 5 % lie in the 99.9 % band of a true 5 %."""
    source, n, held = rng(5), 0, 0
    for returns in searches(400, (250, 2), source, world):
        found = sharpe_difference(*(returns + 0.1).T, source, n_resamples=199)
        n += found.p <= 0.05
        held += found.interval[0] <= 0 <= found.interval[1]
    assert holds(n, 400, 0.05)
    assert n + held == pytest.approx(400, abs=4)  # the interval is the test turned round


def test_power_comes_from_what_both_share():
    source = rng(6)

    def found(rho):
        n = 0
        for returns in searches(60, (250, 2), source, normal, rho):
            returns[:, 0] += 0.2
            n += sharpe_difference(*returns.T, source, n_resamples=199).p <= 0.05
        return n / 60

    assert found(0.9) > 0.9
    assert found(0.0) < 0.7


def test_swapped_scaled_and_annual():
    one, other = pair(7).T
    a, b = sharpe_difference(one, other, rng(8)), sharpe_difference(4 * other, one / 2, rng(8))
    assert a.difference == pytest.approx(-b.difference)
    assert a.p == b.p
    assert a.interval[0] == pytest.approx(-b.interval[1])
    assert a.p_hac < 0.5


def test_where_nothing_can_be_said():
    one = pair(9)[:, 0]
    for flat in (np.zeros(250), np.full(250, 0.01)):
        assert sharpe_difference(one, flat, rng(9)) == (None, None, 1.0, 1.0, None)
    same = sharpe_difference(one, one, rng(9))
    assert (same.difference, same.se, same.p, same.interval) == (0.0, None, 1.0, None)
    assert sharpe_difference(one[:1], one[:1], rng(9)).p == 1.0
    assert sharpe_difference(one[:0], one[:0], rng(9)).p == 1.0
    lucky = np.zeros(73)
    lucky[30] = 0.5
    found = sharpe_difference(lucky, one[:73], rng(9))
    assert found.p > 0.3
    assert found.interval is None
    with pytest.raises(DataError, match="same days"):
        sharpe_difference(one, one[1:], rng(9))
    with pytest.raises(DataError, match="same days"):
        sharpe_difference(one, np.full(250, np.nan), rng(9))
