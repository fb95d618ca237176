"""Do two strategies have the same Sharpe ratio, measured on the same days?"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import ndtr

from touchstone.arrays import Float64, Int64
from touchstone.errors import DataError
from touchstone.validation.bootstrap import (
    N_RESAMPLES,
    block_lengths,
    hac_lag,
    long_run_variance,
)
from touchstone.validation.resampling import (
    STRIDE,
    Lengths,
    block_law,
    draw_chain,
    ring,
    seed_of,
)

_NO_VARIANCE = 1e-20


class SharpeDifference(NamedTuple):
    """Sharpe of one less Sharpe of another, per day; None where either has no variance."""

    difference: float | None
    se: float | None
    """HAC standard error; None where the two differ by a constant factor."""
    p: float
    """Two-sided, studentised bootstrap; 1 where the error is not defined."""
    p_hac: float
    """Two-sided, by the normal law: for comparison, too small on few days."""
    interval: tuple[float, float] | None
    """Symmetric studentised bootstrap interval at the level asked for."""


def sharpe_difference(
    one: Float64,
    other: Float64,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> SharpeDifference:
    """Test "both Sharpe ratios are equal" on common days.

    Delta method on means and second moments with Bartlett's HAC covariance, recomputed in every
    resample of pairs of days: `p = (1 + #{|D* - D| / se* >= |D| / se}) / (B + 1)`. A resample
    without an error counts against the claim. Ledoit and Wolf resample circular blocks of a
    calibrated length; here the stationary bootstrap with an automatic length, the longer of the
    two series', is used as everywhere else.

    Args:
        one: (n_days,) returns in excess of cash, in time order.
        other: (n_days,) of the same days.
        rng: where the resamples come from.
        level: of the interval.
        n_resamples: B.

    Raises:
        DataError: not two equal columns of finite numbers.

    Source: Ledoit & Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio,
    Journal of Empirical Finance 15, sections 3.1 and 3.2.2.
    """
    pair = _checked(one, other)
    lag = hac_lag(pair.shape[0])
    floors = _NO_VARIANCE * np.abs(pair).max(axis=0, initial=0) ** 2
    difference, se = _difference(pair, lag, floors)
    if np.isnan(difference):
        return SharpeDifference(None, None, 1.0, 1.0, None)
    if se == 0:
        return SharpeDifference(difference, None, 1.0, 1.0, None)
    lengths = block_law(pair.shape[0], float(block_lengths(pair).max()))
    how = lag, difference, floors
    around = ring(np.arange(pair.shape[0]))
    drawn = _resampled(pair, around, how, lengths, n_resamples, seed_of(rng))
    resampled = np.abs(drawn)
    t = abs(difference) / se
    beaten_by = int(np.count_nonzero(np.isnan(resampled) | (resampled >= t)))
    rising = np.sort(np.where(np.isnan(resampled), np.inf, resampled))
    reach = rising[min(int(np.ceil((n_resamples + 1) * level)), n_resamples) - 1]
    enough = (n_resamples + 1) * (1 - level) >= 1 - 1e-9 and np.isfinite(reach)
    interval = (difference - se * float(reach), difference + se * float(reach)) if enough else None
    p = (1 + beaten_by) / (n_resamples + 1)
    return SharpeDifference(difference, se, p, float(2 * ndtr(-t)), interval)


def _checked(one: Float64, other: Float64) -> Float64:
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if one.ndim != 1 or one.shape != other.shape or not np.isfinite(one + other).all():
        raise DataError(
            f"two Sharpe ratios: needs two columns of finite returns of the same days, got shapes "
            f"{one.shape} and {other.shape}"
        )
    return np.column_stack([one, other])


@njit(cache=True, error_model="numpy")
def _difference(pair: Float64, lag: int, floors: Float64) -> tuple[float, float]:
    """Difference of Sharpe ratios and its HAC error; (NaN, 0) where one has no variance."""
    n_days = pair.shape[0]
    if n_days < 2:
        return np.nan, 0.0
    influence, difference, sign = np.zeros(n_days + lag), 0.0, 1.0
    for c in range(2):
        mean = pair[:, c].mean()
        squares = 0.0
        for i in range(n_days):
            squares += (pair[i, c] - mean) ** 2
        variance = squares / (n_days - 1)
        if variance <= floors[c]:
            return np.nan, 0.0
        sd = np.sqrt(variance)
        ratio = mean / sd
        difference += sign * ratio
        for i in range(n_days):
            z = (pair[i, c] - mean) / sd
            influence[i] += sign * (z - ratio / 2 * (z * z - (n_days - 1) / n_days))
        sign = -1.0
    long_run = long_run_variance(influence, n_days, lag)
    return difference, np.sqrt(long_run / n_days) if long_run > _NO_VARIANCE else 0.0


@njit(cache=True, error_model="numpy")
def _resampled(
    pair: Float64,
    around: Int64,
    how: tuple[int, float, Float64],
    lengths: Lengths,
    n_resamples: int,
    state: np.uint64,
) -> Float64:
    lag, centre, floors = how
    n_days = pair.shape[0]
    drawn, out = np.empty_like(pair), np.empty(n_resamples)
    rows = np.empty(n_days + STRIDE, np.int64)
    for b in range(n_resamples):
        state = draw_chain(rows, around, lengths, state)
        for i in range(n_days):
            drawn[i, 0], drawn[i, 1] = pair[rows[i], 0], pair[rows[i], 1]
        difference, se = _difference(drawn, lag, floors)
        out[b] = (difference - centre) / se if se > 0 else np.nan
    return out
