"""The stationary bootstrap of daily returns: is the mean above zero, and how wide is the Sharpe?

Every statistic is studentised by its own HAC standard error, recomputed in every resample.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64
from touchstone.errors import DataError
from touchstone.validation.resampling import (
    STRIDE,
    Lengths,
    block_law,
    draw_chain,
    ring,
    seed_of,
)

N_RESAMPLES: Final = 1_999
"""Resamples of every test and interval, so that a p-value is a multiple of 1 / 2,000."""

_FEWEST_FOR_BLOCKS: Final = 20
"""Below this many days no autocorrelation can be measured, and blocks have length 1."""
_NO_VARIANCE: Final = 1e-20
"""A long-run variance at most this times the square of the largest return is rounding error."""


class MeanTest(NamedTuple):
    """One-sided test of "the mean daily return is above zero"."""

    p: float
    """(1 + number of resamples with t* >= t) / (n_resamples + 1); 1 without variance."""
    t: float | None
    """Mean over its HAC standard error; None without variance."""
    mean: float
    """Mean return per day; 0 for no day at all."""
    se: float | None
    """HAC standard error of the mean, per day; None without variance."""
    block: float
    """Mean length of a block, days."""
    lag: int
    """Lags of the Bartlett kernel, days."""


def mean_test(daily: Float64, rng: np.random.Generator, n_resamples: int = N_RESAMPLES) -> MeanTest:
    """Test the mean of daily returns against zero, one-sided, by a studentised bootstrap.

    The null is imposed by recentring: t* = (mean* - mean) / se*. A resample without variance
    counts against the claim, as if t* >= t.

    Args:
        daily: (n_days,) net returns in excess of cash, in time order.
        rng: where the resamples come from; its state alone decides the p-value.
        n_resamples: B; the smallest p there can be is 1 / (B + 1).

    Raises:
        DataError: not one column of finite numbers.

    Source: Politis & Romano (1994), The stationary bootstrap, JASA 89; Götze & Künsch (1996),
    Second-order correctness of the blockwise bootstrap, for the studentisation; Davison &
    Hinkley (1997), section 4.2, for the +1.
    """
    daily = _checked(daily)
    block, lag = block_length(daily), hac_lag(daily.size)
    mean = float(daily.mean()) if daily.size else 0.0
    se = _statistic(daily, lag, False, _floor(daily))[1]
    if se == 0:
        return MeanTest(1.0, None, mean, None, block, lag)
    resampled = _studentised(daily, block, lag, False, n_resamples, rng)
    t = mean / se
    beaten_by = int(np.count_nonzero(np.isnan(resampled) | (resampled >= t)))
    return MeanTest((1 + beaten_by) / (n_resamples + 1), t, mean, se, block, lag)


def mean_interval(
    daily: Float64,
    days_per_year: float,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float, float] | None:
    """Interval of the arithmetic annual mean return, as a fraction; None without variance.

    See `sharpe_interval`.
    """
    interval = _interval(daily, False, rng, level, n_resamples)
    return interval and (interval[0] * days_per_year, interval[1] * days_per_year)


def sharpe_interval(
    daily: Float64,
    days_per_year: float,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float, float] | None:
    """Interval of the annual Sharpe ratio by the studentised stationary bootstrap.

    The standard error of the Sharpe is that of the delta method on (mean, variance) with HAC
    covariances, recomputed in every resample. The interval is equal-tailed. None where the
    returns, or so many resamples that a bound is infinite, have no variance.

    Args:
        daily: (n_days,) net returns in excess of cash, in time order.
        days_per_year: of the calendar; the bounds are annualised by its square root.
        rng: where the resamples come from.
        level: share of worlds in which the interval should hold the true value.
        n_resamples: number of resamples.

    Raises:
        DataError: not one column of finite numbers.

    Source: Ledoit & Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio,
    Journal of Empirical Finance 15, section 3; for one Sharpe instead of a difference.
    """
    interval = _interval(daily, True, rng, level, n_resamples)
    root = float(np.sqrt(days_per_year))
    return interval and (interval[0] * root, interval[1] * root)


def studentised_sharpes(
    daily: Float64, block: float, n_resamples: int, rng: np.random.Generator
) -> Float64:
    """(Sharpe* - Sharpe) / se* of each resample, (n_resamples,); NaN without variance.

    What `sharpe_interval` reads its bounds from; the error is recomputed in every resample.

    Args:
        daily: (n_days,) net returns in excess of cash, in time order.
        block: mean length of a block, days, 1 at least.
        n_resamples: how many.
        rng: where the resamples come from.

    Raises:
        DataError: not one column of finite numbers.
    """
    daily = _checked(daily)
    return _studentised(daily, block, hac_lag(daily.size), True, n_resamples, rng)


def studentised_columns(
    returns: Float64, block: float, n_resamples: int, rng: np.random.Generator
) -> tuple[Float64, Float64]:
    """Mean over HAC error of each column, and (mean* - mean) / se* in resamples of common days.

    A resample without variance is infinite: it counts against every claim.

    Args:
        returns: (n_days, n_columns), in time order, each with variance.
        block: mean length of a block, days, 1 at least.
        n_resamples: how many.
        rng: where the resamples come from.

    Returns:
        (n_columns,) and (n_resamples, n_columns).
    """
    lag, lengths, state = (
        hac_lag(returns.shape[0]),
        block_law(returns.shape[0], block),
        seed_of(rng),
    )
    t, resampled = np.zeros(returns.shape[1]), np.zeros((n_resamples, returns.shape[1]))
    for c, column in enumerate(np.ascontiguousarray(returns.T)):
        how = lag, False, _floor(column)
        mean, se = _statistic(column, *how)
        t[c] = mean / se if se else 0.0
        # One state for all columns: all draw the same days.
        resampled[:, c] = _resample(column, ring(column), how, lengths, n_resamples, state)
    return t, np.where(np.isnan(resampled), np.inf, resampled)


def block_length(daily: Float64) -> float:
    """Mean block length of the stationary bootstrap, days: 1 at least, a third of all at most.

    Source: Politis & White (2004) with the correction of Patton, Politis & White (2009).
    """
    return float(block_lengths(daily[:, None])[0])


def block_lengths(returns: Float64) -> Float64:
    """The same of each column of (n_days, n_columns): (n_columns,)."""
    n_days = returns.shape[0]
    lengths = np.ones(returns.shape[1])
    if n_days < _FEWEST_FOR_BLOCKS or not lengths.size:
        return lengths
    from arch.bootstrap import optimal_block_length  # noqa: PLC0415  pandas takes a second

    with np.errstate(all="ignore"):  # a flat stretch has no autocorrelation: 0 / 0
        found = optimal_block_length(returns)["stationary"].to_numpy(np.float64)
    able = np.isfinite(found) & (np.ptp(returns, axis=0) > 0)
    lengths[able] = np.clip(found[able], 1.0, n_days / 3)
    return lengths


def hac_lag(n_days: int) -> int:
    """Lags of the Bartlett kernel: the whole part of 4 (n / 100)^(2/9), below n.

    Source: Newey & West (1994), Automatic lag selection in covariance matrix estimation.
    """
    return max(0, min(int(4 * (n_days / 100) ** (2 / 9)), n_days - 1))


def studentised_mean(daily: Float64) -> float | None:
    """Mean daily return over its HAC standard error: comparable across candidates and markets.

    None without variance.
    """
    daily = _checked(daily)
    mean, se = _statistic(daily, hac_lag(daily.size), False, _floor(daily))
    return mean / se if se else None


def _interval(
    daily: Float64, of_sharpe: bool, rng: np.random.Generator, level: float, n_resamples: int
) -> tuple[float, float] | None:
    daily = _checked(daily)
    lag = hac_lag(daily.size)
    estimate, se = _statistic(daily, lag, of_sharpe, _floor(daily))
    if se == 0:
        return None
    resampled = _studentised(daily, block_length(daily), lag, of_sharpe, n_resamples, rng)
    defined = np.sort(resampled[~np.isnan(resampled)])
    # A resample without variance may lie anywhere, so it is put beyond both bounds.
    beyond = int((n_resamples + 1) * (1 - level) / 2 + 1e-9) - (n_resamples - defined.size)
    if beyond < 1:
        return None
    return estimate - se * float(defined[-beyond]), estimate - se * float(defined[beyond - 1])


def _checked(daily: Float64) -> Float64:
    daily = np.ascontiguousarray(daily, np.float64)
    if daily.ndim != 1 or not np.isfinite(daily).all():
        raise DataError(
            f"daily returns: needs one column of finite numbers, got shape {daily.shape} "
            f"with {int((~np.isfinite(daily)).sum())} that are not"
        )
    return daily


def _floor(daily: Float64) -> float:
    return float(_NO_VARIANCE * np.abs(daily).max(initial=0) ** 2)


def _studentised(
    daily: Float64,
    block: float,
    lag: int,
    of_sharpe: bool,
    n_resamples: int,
    rng: np.random.Generator,
) -> Float64:
    """(estimate* - estimate) / se* of every resample, (n_resamples,); NaN without variance."""
    how = lag, of_sharpe, _floor(daily)
    lengths = block_law(daily.size, block)
    return np.asarray(
        _resample(daily, ring(daily), how, lengths, n_resamples, seed_of(rng)), np.float64
    )


@njit(cache=True, error_model="numpy")
def _resample(
    daily: Float64,
    around: Float64,
    how: tuple[int, bool, float],
    lengths: Lengths,
    n_resamples: int,
    state: np.uint64,
) -> Float64:
    lag, of_sharpe, floor = how
    n_days = daily.size
    centre = _statistic(daily, lag, of_sharpe, floor)[0]
    drawn, out = np.empty(n_days + STRIDE), np.empty(n_resamples)
    for b in range(n_resamples):
        state = draw_chain(drawn, around, lengths, state)
        estimate, se = _statistic(drawn[:n_days], lag, of_sharpe, floor)
        out[b] = (estimate - centre) / se if se > 0 else np.nan
    return out


@njit(cache=True, error_model="numpy")
def _statistic(daily: Float64, lag: int, of_sharpe: bool, floor: float) -> tuple[float, float]:
    """Mean or Sharpe per day, and its HAC standard error; (0, 0) without variance."""
    n_days = daily.size
    if n_days < 2:
        return 0.0, 0.0
    mean = _sum(daily) / n_days
    influence = np.zeros(n_days + lag)  # behind the last day zeros, so that no lag needs a bound
    for i in range(n_days):
        influence[i] = daily[i] - mean
    variance = _sum(influence * influence) / (n_days - 1)
    if variance <= floor:
        return 0.0, 0.0
    estimate = mean
    if of_sharpe:
        # What each day adds to the Sharpe's error, first order: Mertens (2002), Lo (2002).
        scale = 1 / np.sqrt(variance)
        estimate = mean * scale
        half, expected = estimate / 2, (n_days - 1) / n_days
        for i in range(n_days):
            z = influence[i] * scale
            influence[i] = z - half * (z * z - expected)
        floor = _NO_VARIANCE
    long_run = long_run_variance(influence, n_days, lag)
    if long_run <= floor:
        return 0.0, 0.0
    return estimate, np.sqrt(long_run / n_days)


@njit(cache=True)
def _sum(x: Float64) -> float:
    """Four sums in turn: a processor need not wait for one addition to begin the next."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = x.size // 4 * 4
    for i in range(0, whole, 4):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
    for i in range(whole, x.size):
        a += x[i]
    return (a + b) + (c + d)


@njit(cache=True, error_model="numpy")
def long_run_variance(influence: Float64, n_days: int, lag: int) -> float:
    """Bartlett's kernel over the first n_days of a column that ends in `lag` zeros.

    One pass: a day times itself and the weighted days after it.

    Source: Newey & West (1987), A simple, positive semi-definite covariance matrix.
    """
    total = 0.0
    for i in range(n_days):
        ahead = 0.0
        for k in range(1, lag + 1):
            ahead += (lag + 1 - k) * influence[i + k]
        total += influence[i] * (influence[i] + 2 / (lag + 1) * ahead)
    return float(total / n_days)
