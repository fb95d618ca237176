"""Laws of the bootstrap: a slow reference, closed forms, measured size and coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.regression.linear_model import OLS

from touchstone.errors import DataError
from touchstone.validation.bootstrap import (
    _statistic,
    block_length,
    hac_lag,
    mean_interval,
    mean_test,
    sharpe_interval,
    studentised_mean,
)
from validation.chain_of_blocks import resamples

SEED = 20_240_501  # chosen before the first run of the size tests


def rng(*path):
    return np.random.default_rng([SEED, *path])


def t5(n_days, source):
    return 0.01 * source.standard_t(5, n_days)


def garch(n_days, source, alpha=0.08, beta=0.90):
    shocks = source.standard_t(5, n_days + 100) / np.sqrt(5 / 3)
    out, variance = np.empty(shocks.size), 1.0
    for i, shock in enumerate(shocks):
        out[i] = shock * np.sqrt(variance)
        variance = 1 - alpha - beta + alpha * out[i] ** 2 + beta * variance
    return 0.01 * out[100:]


returns = st.integers(0, 2**32 - 1).map(lambda seed: t5(60, np.random.default_rng(seed)))


def reference(daily, source, n_resamples):
    """Page 05, verdict 1, word by word, in plain Python."""

    def t_of(values, centre):
        deviation = values - values.mean()
        n, lag = len(values), hac_lag(len(values))
        long_run = sum(d * d for d in deviation) / n
        for k in range(1, lag + 1):
            gamma = sum(deviation[i] * deviation[i - k] for i in range(k, n)) / n
            long_run += 2 * (1 - k / (lag + 1)) * gamma
        return (values.mean() - centre) / np.sqrt(long_run / n)

    exceed = 0
    t = t_of(daily, 0.0)
    for rows in resamples(len(daily), block_length(daily), source, n_resamples):
        drawn = daily[rows]
        exceed += np.ptp(drawn) == 0 or t_of(drawn, daily.mean()) >= t
    return (1 + exceed) / (n_resamples + 1), t


@settings(max_examples=8, deadline=None)
@given(returns, st.integers(0, 9), st.sampled_from([0.0, 0.001, 0.003]))
def test_is_the_slow_reference(daily, seed, drift):
    found = mean_test(daily + drift, np.random.default_rng(seed), 99)
    p, t = reference(daily + drift, np.random.default_rng(seed), 99)
    assert found.p == p
    assert found.t == pytest.approx(t, rel=1e-9)


def test_reference_holds_where_most_days_are_flat():
    daily = np.zeros(60)
    daily[[3, 4, 40]] = 0.01, 0.02, 0.015
    found = mean_test(daily, rng(1), 299)
    assert found.p == reference(daily, rng(1), 299)[0]


@settings(max_examples=30, deadline=None)
@given(returns)
def test_standard_error_is_newey_west(daily):
    lag = hac_lag(daily.size)
    fit = OLS(daily, np.ones_like(daily)).fit(cov_type="HAC", cov_kwds={"maxlags": lag})
    assert mean_test(daily, rng(2), 19).se == pytest.approx(float(fit.bse[0]), rel=1e-9)
    assert studentised_mean(daily) == pytest.approx(float(fit.tvalues[0]), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(returns)
def test_standard_error_of_sharpe_is_the_closed_form_without_lags(daily):
    """Mertens (2002): (1 - g3 SR + (g4 - 1) / 4 SR^2) / n."""
    ratio, se = _statistic(daily, 0, True, 0.0)
    z = (daily - daily.mean()) / daily.std()
    plain = daily.mean() / daily.std()
    variance = 1 - (z**3).mean() * plain + ((z**4).mean() - 1) / 4 * plain**2
    assert ratio == pytest.approx(daily.mean() / daily.std(ddof=1), rel=1e-12)
    assert se == pytest.approx(np.sqrt(variance / daily.size), rel=0.03)


@settings(max_examples=20, deadline=None)
@given(returns, st.integers(0, 9))
def test_same_generator_same_bits_and_scale_free(daily, seed):
    first = mean_test(daily, np.random.default_rng(seed), 199)
    assert first == mean_test(daily, np.random.default_rng(seed), 199)
    assert first.p == mean_test(8 * daily, np.random.default_rng(seed), 199).p
    low, high = sharpe_interval(daily, 365, np.random.default_rng(seed), n_resamples=199)
    assert (low, high) == sharpe_interval(
        8 * daily, 365, np.random.default_rng(seed), n_resamples=199
    )
    assert low < high


@pytest.mark.parametrize("n_days", [0, 1, 2, 19, 73])
@pytest.mark.parametrize("value", [0.0, 0.001, -1 / 3])
def test_without_variance_nothing_is_claimed(n_days, value):
    daily = np.full(n_days, value)
    found = mean_test(daily, rng(3))
    assert (found.p, found.t, found.se) == (1.0, None, None)
    assert found.mean == pytest.approx(value if n_days else 0.0)
    assert sharpe_interval(daily, 365, rng(3)) is None
    assert mean_interval(daily, 365, rng(3)) is None
    assert studentised_mean(daily) is None


def test_a_single_lucky_day_proves_nothing():
    """(1 - 1/73)^73 = 36 % of the resamples miss the day: no variance, so they count against."""
    daily = np.zeros(73)
    daily[30] = 0.5
    assert mean_test(daily, rng(4)).p > 0.3
    assert sharpe_interval(daily, 365, rng(4)) is None


def test_smallest_p_and_sign():
    daily = t5(73, rng(5))
    assert mean_test(daily + 1, rng(5)).p == 1 / 2000
    assert mean_test(daily - 1, rng(5)).p == 1.0


@pytest.mark.parametrize("bad", [np.array([0.1, np.nan]), np.array([np.inf]), np.zeros((3, 2))])
def test_refuses_what_is_not_a_column_of_returns(bad):
    with pytest.raises(DataError, match="one column of finite numbers"):
        mean_test(bad, rng(6))


@pytest.mark.parametrize("n_days", [73, 250])
@pytest.mark.parametrize("make", [t5, garch])
def test_size(make, n_days):
    """400 series without a mean: rejections at 5 % lie in the 99.9 % band of a true 5 %."""
    source = rng(n_days, 7)
    series = [make(n_days, source) for _ in range(400)]
    n = sum(mean_test(daily, source, 399).p <= 0.05 for daily in series)
    low, high = binom.ppf([0.0005, 0.9995], 400, 0.05)
    assert low <= n <= high, f"{n} of 400 rejected"


def test_power():
    """73 days find an annual Sharpe of 10 nearly always, and one of 2 rarely."""
    source = rng(8)

    def found(annual):
        mean = annual / np.sqrt(365) * 0.01 * np.sqrt(5 / 3)
        return np.mean(
            [mean_test(t5(73, source) + mean, source, 199).p <= 0.05 for _ in range(100)]
        )

    assert found(10) > 0.95
    assert 0.05 < found(2) < 0.45


@pytest.mark.parametrize("make", [t5, garch])
def test_coverage(make):
    """Of 300 intervals at 95 %, as many hold the true Sharpe as a coverage of 93 % allows."""
    source, sd = rng(9), 0.01 * (np.sqrt(5 / 3) if make is t5 else 1)
    held = 0
    for _ in range(300):
        low, high = sharpe_interval(make(250, source) + 0.1 * sd, 1, source, n_resamples=399)
        held += low <= 0.1 <= high
    assert held >= binom.ppf(0.0005, 300, 0.93), held


def test_intervals_widen_with_the_level_and_annualise():
    daily = t5(250, rng(10)) + 0.002
    narrow, wide = (sharpe_interval(daily, 365, rng(10), level) for level in (0.8, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    per_day = sharpe_interval(daily, 1, rng(10), 0.8)
    assert np.allclose(np.array(per_day) * np.sqrt(365), narrow)
    annual = mean_interval(daily, 365, rng(10))
    assert annual[0] < daily.mean() * 365 < annual[1]
    # The lower bound of the mean and the test agree: both reject at 2.5 %, or neither.
    p = mean_test(daily, rng(10)).p
    assert (p <= 0.025) == (annual[0] > 0)


def test_a_level_beyond_the_resamples_has_no_interval():
    assert mean_interval(t5(100, rng(11)), 365, rng(11), level=0.999, n_resamples=199) is None


def test_block_length():
    source = rng(12)
    noise = source.normal(size=500)
    slow = np.zeros(500)
    for i in range(1, 500):
        slow[i] = 0.9 * slow[i - 1] + noise[i]
    assert 1 <= block_length(noise) < 10 < block_length(slow) <= 500 / 3
    assert block_length(noise[:19]) == 1.0
    assert block_length(np.zeros(100)) == 1.0
    flat_tail = np.r_[noise[:30], np.zeros(70)]
    assert 1 <= block_length(flat_tail) <= 100 / 3


@pytest.mark.parametrize(("n_days", "lag"), [(0, 0), (1, 0), (2, 1), (73, 3), (100, 4), (730, 6)])
def test_lag(n_days, lag):
    assert hac_lag(n_days) == lag
