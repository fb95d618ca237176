"""Stationary bootstrap by whole blocks: sums of a resample from prefix sums, not day by day.

A resample of n days is a chain of blocks that begin anywhere and last a geometric number of days,
on the circle of all days. What only needs sums (means, variances) is added up a block at a time.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from touchstone.arrays import Float64, Int64

UInt64 = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_HALF, _TOP = np.uint64(32), np.uint64(56)


class _Lengths(NamedTuple):
    """The geometric law of block lengths, turned round."""

    bound: UInt64
    """2^64 P(length <= k + 1), (n_days - 1,); a length of n_days and more ends a resample."""
    guide: Int64
    """For each value of the top byte of a draw, the first k that can be its answer, (256,)."""
    single: bool
    """Every block is one day."""


def resampled_means(
    returns: Float64, block: float, n_resamples: int, rng: np.random.Generator
) -> Float64:
    """Mean of each column less its own mean, in resamples of common days: (n_resamples, n_columns).

    Args:
        returns: (n_days, n_columns), in time order, finite.
        block: mean length of a block, days, 1 at least.
        n_resamples: how many.
        rng: where the resamples come from.

    Source: Politis & Romano (1994), The stationary bootstrap, JASA 89.
    """
    deviation = returns - returns.mean(axis=0)
    prefix = np.zeros((deviation.shape[0] + 1, deviation.shape[1]))
    np.cumsum(deviation, axis=0, out=prefix[1:])
    lengths = _lengths(deviation.shape[0], block)
    return np.asarray(_means(prefix, lengths, n_resamples, _seed(rng)), np.float64)


def resampled_sharpes(
    daily: Float64, block: float, n_resamples: int, rng: np.random.Generator
) -> Float64:
    """The Sharpe ratio per day of each resample, (n_resamples,); NaN without variance.

    Mean over standard deviation (n - 1), from running sums of the days and of their squares.

    Args:
        daily: (n_days,) in time order, finite, two days at least.
        block: mean length of a block, days, 1 at least.
        n_resamples: how many.
        rng: where the resamples come from.

    Source: Politis & Romano (1994), The stationary bootstrap, JASA 89.
    """
    centre = daily.mean()
    deviation = daily - centre  # squares of small numbers beside a large mean lose digits
    prefix = np.zeros((daily.size + 1, 2))
    np.cumsum(np.column_stack([deviation, deviation**2]), axis=0, out=prefix[1:])
    lengths = _lengths(daily.size, block)
    drawn = _sharpes(prefix, float(centre), lengths, n_resamples, _seed(rng))
    return np.asarray(drawn, np.float64)


def bootstrap_variance(returns: Float64, block: float) -> Float64:
    """N times the variance of a resample's mean, for each column, (n_columns,): no resample needed.

    `R(0) + 2 sum_i (1 - i/n) (1 - 1/block)^i R(i)` with the circular autocovariances R: the
    stationary bootstrap's own kernel.

    Args:
        returns: (n_days, n_columns), in time order.
        block: mean length of a block, days.

    Source: Politis & Romano (1994), lemma 1; Hansen (2005), A Test for Superior Predictive
    Ability, JBES 23, page 372, where it studentises.
    """
    n_days = returns.shape[0]
    spectrum = np.abs(np.fft.rfft(returns - returns.mean(axis=0), axis=0)) ** 2
    covariance = np.fft.irfft(spectrum, n_days, axis=0) / n_days
    lag = np.arange(n_days)
    kernel = (1 - lag / n_days) * (1 - 1 / block) ** lag
    kernel[1:] *= 2
    return np.asarray(np.maximum(kernel @ covariance, 0.0), np.float64)


def _seed(rng: np.random.Generator) -> np.uint64:
    return np.uint64(rng.integers(0, 2**64, dtype=np.uint64))


def _lengths(n_days: int, block: float) -> _Lengths:
    k = np.arange(1, n_days)
    reached = -np.expm1(k * np.log1p(-min(1 / block, 1 - 2.0**-53)))
    bound = (np.minimum(reached, 1 - 2.0**-53) * 2.0**64).astype(np.uint64)
    byte = np.arange(256, dtype=np.uint64) << _TOP
    return _Lengths(bound, np.searchsorted(bound, byte, side="right").astype(np.int64), block <= 1)


@njit(cache=True, inline="always")
def _draw(state: np.uint64) -> np.uint64:
    """Splitmix64 of a counter: Steele, Lea & Flood (2014), Fast splittable generators."""
    z = state
    z = (z ^ (z >> _SHIFTS[0])) * _MIX[0]
    z = (z ^ (z >> _SHIFTS[1])) * _MIX[1]
    return z ^ (z >> _SHIFTS[2])


@njit(cache=True, inline="always")
def _length(u: np.uint64, lengths: _Lengths) -> int:
    k = int(lengths.guide[u >> _TOP])
    while k < lengths.bound.size and u >= lengths.bound[k]:
        k += 1
    return k + 1


@njit(cache=True, error_model="numpy")
def _sharpes(
    prefix: Float64, centre: float, lengths: _Lengths, n_resamples: int, seed: np.uint64
) -> Float64:
    n_days = prefix.shape[0] - 1
    n_wide, state = np.uint64(n_days), seed
    floor = 1e-20 * (prefix[n_days, 1] + n_days * centre**2)
    out = np.empty(n_resamples)
    for b in range(n_resamples):
        left, total, squares = n_days, 0.0, 0.0
        while left > 0:
            state += _STEP
            first = np.int64(((_draw(state) >> _HALF) * n_wide) >> _HALF)
            length = 1
            if not lengths.single:
                state += _STEP
                length = min(_length(_draw(state), lengths), left)
            left -= length
            stop = first + length
            if stop > n_days:
                total += prefix[n_days, 0] + prefix[stop - n_days, 0] - prefix[first, 0]
                squares += prefix[n_days, 1] + prefix[stop - n_days, 1] - prefix[first, 1]
            else:
                total += prefix[stop, 0] - prefix[first, 0]
                squares += prefix[stop, 1] - prefix[first, 1]
        spread = squares - total * total / n_days
        out[b] = np.nan
        if spread > floor:
            out[b] = (centre + total / n_days) / np.sqrt(spread / (n_days - 1))
    return out


@njit(cache=True, error_model="numpy")
def _means(prefix: Float64, lengths: _Lengths, n_resamples: int, seed: np.uint64) -> Float64:
    n_days, n_columns = prefix.shape[0] - 1, prefix.shape[1]
    n_wide, state = np.uint64(n_days), seed
    out = np.zeros((n_resamples, n_columns))
    for b in range(n_resamples):
        left, total = n_days, out[b]
        while left > 0:
            state += _STEP
            first = np.int64(((_draw(state) >> _HALF) * n_wide) >> _HALF)
            length = 1
            if not lengths.single:
                state += _STEP
                length = min(_length(_draw(state), lengths), left)
            left -= length
            stop = first + length
            if stop > n_days:
                for c in range(n_columns):
                    total[c] += prefix[n_days, c] + prefix[stop - n_days, c] - prefix[first, c]
            else:
                for c in range(n_columns):
                    total[c] += prefix[stop, c] - prefix[first, c]
        total /= n_days
    return out
