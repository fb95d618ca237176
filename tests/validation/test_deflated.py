"""Closed forms and published numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from touchstone.errors import DataError
from touchstone.ledger import Candidate
from touchstone.validation.deflated import (
    Moments,
    deflated_sharpe,
    expected_maximum,
    min_backtest_length,
    min_track_record,
    moments,
    probabilistic_sharpe,
    smallest_detectable_sharpe,
)


def test_best_of_a_thousand_on_two_years():
    """Page 01: an expected annual Sharpe of 2.30."""
    assert expected_maximum(1000) / math.sqrt(2) == pytest.approx(2.30, abs=0.005)


def test_expected_maximum_of_few_and_many():
    assert expected_maximum(1) == 0
    assert expected_maximum(10) == pytest.approx(1.57, abs=0.005)  # Pseudo-Mathematics, section 3
    exact = {100: 2.5076, 1000: 3.2414, 10_000: 3.8516}  # order statistics of the normal
    for n, value in exact.items():
        assert expected_maximum(n) == pytest.approx(value, rel=0.015)
    assert 7 < expected_maximum(10**12) < 7.2
    with pytest.raises(DataError, match="needs 1"):
        expected_maximum(0)


@given(st.integers(1, 10**6))
def test_expected_maximum_rises(n):
    assert expected_maximum(n) < expected_maximum(n + 1)


@pytest.mark.parametrize(
    ("n", "skewness", "kurtosis", "value"),
    [(100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)],
)
def test_numerical_example_of_the_deflated_sharpe(n, skewness, kurtosis, value):
    """Bailey & López de Prado (2014): 5 years of days, annual Sharpe 2.5, variance 1/2 a year."""
    seen = Moments(2.5 / math.sqrt(250), skewness, kurtosis, 1250)
    threshold = math.sqrt(0.5 / 250) * expected_maximum(n)
    assert probabilistic_sharpe(seen, threshold) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "value"), [(0, 3, 0.982), (-2.448, 10.164, 0.913)]
)
def test_numerical_example_of_the_probabilistic_sharpe(skewness, kurtosis, value):
    """Bailey & López de Prado (2012), section 4: two years of months."""
    seen = Moments(0.458, skewness, kurtosis, 24)
    assert probabilistic_sharpe(seen) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(("per_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_minimum_track_record(per_year, years):
    """The same paper, section 5: an annual Sharpe of 2 against 1, normal returns."""
    seen = Moments(2 / math.sqrt(per_year), 0, 3, 100)
    assert min_track_record(seen, 1 / math.sqrt(per_year)) / per_year == pytest.approx(
        years, abs=0.005
    )


@given(st.floats(0.01, 0.5), st.floats(-2, 2), st.floats(6, 20), st.floats(0.0, 0.9))
def test_minimum_track_record_is_where_the_probability_is_reached(ratio, skew, kurtosis, share):
    seen = Moments(ratio, skew, kurtosis, 0)
    days = min_track_record(seen, share * ratio)
    excess = (1 - share) * ratio * math.sqrt(days - 1)
    spread = math.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2)
    assert norm.cdf(excess / spread) == pytest.approx(0.95)


def test_where_nothing_is_enough():
    assert min_track_record(Moments(0.1, 0, 3, 99), 0.1) == math.inf
    assert min_backtest_length(10, 0.0) == math.inf
    assert min_backtest_length(10, -1.0) == math.inf
    assert min_backtest_length(1, 1.0) == 0
    assert smallest_detectable_sharpe(0, 365) == math.inf


def test_minimum_backtest_length():
    """Pseudo-Mathematics: with 5 years no more than 45 configurations at an annual Sharpe of 1."""
    assert min_backtest_length(45, 1.0) == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize(("annual", "power"), [(2, 0.71), (3, 0.95)])
def test_smallest_detectable_sharpe(annual, power):
    """Page 05: 1.2 years find a Sharpe of 2 with 71 % power, 3 with 95 %."""
    found = smallest_detectable_sharpe(438, 365, 0.05, power)
    assert found == pytest.approx(annual, abs=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(3, 300))
def test_moments(seed, n_days):
    daily = np.random.default_rng(seed).standard_t(3, n_days)
    found = moments(daily)
    z = (daily - daily.mean()) / daily.std()
    assert found.sharpe == pytest.approx(daily.mean() / daily.std(ddof=1))
    assert found.skewness == pytest.approx((z**3).mean())
    assert found.kurtosis == pytest.approx((z**4).mean())
    assert 0 <= probabilistic_sharpe(found, 0.1) <= probabilistic_sharpe(found) <= 1
    mirrored = moments(-daily)
    assert probabilistic_sharpe(mirrored) == pytest.approx(1 - probabilistic_sharpe(found))


def test_two_values_at_their_own_sharpe_have_no_standard_error():
    seen = Moments(1.0, 2.0, 5.0, 10)  # 1 - 2 + 1 = 0
    assert [probabilistic_sharpe(seen, at) for at in (0.9, 1.0, 1.1)] == [1.0, 0.5, 0.0]


DAILY = 0.01 * np.random.default_rng(1).normal(0.15, 1, 250)


def searched(n, spread=0.05, n_trades=50):
    ratios = np.random.default_rng(2).normal(0, spread, n)
    return [Candidate(f"c{i}", float(r), n_trades) for i, r in enumerate(ratios)]


def test_one_candidate_is_not_deflated():
    found = deflated_sharpe(DAILY, searched(1))
    assert (found.n, found.threshold, found.v) == (1, 0.0, 1 / 249)
    assert found.value == probabilistic_sharpe(moments(DAILY))
    assert deflated_sharpe(DAILY, []) == found


def test_variance_is_measured_but_never_below_estimation_error():
    many = searched(50, spread=0.2)
    ratios = [c.daily_sharpe for c in many]
    assert deflated_sharpe(DAILY, many).v == pytest.approx(np.var(ratios, ddof=1))
    assert deflated_sharpe(DAILY, searched(50, spread=0.001)).v == 1 / 249


def test_who_counts_in_n_and_who_in_v():
    traded = searched(20, spread=0.2)
    idle = [Candidate("idle", None, 0), Candidate("rare", 9.0, 19)]
    with_idle, without = deflated_sharpe(DAILY, traded + idle), deflated_sharpe(DAILY, traded)
    assert (with_idle.n, without.n) == (22, 20)
    assert with_idle.v == without.v
    assert with_idle.value < without.value
    assert deflated_sharpe(DAILY, traded + traded) == without


def test_without_variance_there_is_no_deflated_sharpe():
    assert deflated_sharpe(np.zeros(100), searched(5)).value is None
    assert deflated_sharpe(np.zeros(0), searched(5)).value is None


@given(st.integers(1, 200))
def test_more_trials_deflate_more(n):
    few, more = (
        deflated_sharpe(DAILY, searched(n)),
        deflated_sharpe(DAILY, searched(n) + [Candidate(f"idle{i}", None, 0) for i in range(10)]),
    )
    assert more.value < few.value
