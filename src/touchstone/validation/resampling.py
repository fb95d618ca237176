"""Stationary bootstrap by whole blocks: sums of a resample from prefix sums, not day by day.

A resample of n days is a chain of blocks that begin anywhere and last a geometric number of days,
on the circle of all days. What only needs sums (means, variances) is added up a block at a time.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.errors import DataError

UInt64 = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_HALF, _TOP = np.uint64(32), np.uint64(54)
STRIDE: Final = 8
"""Days that are copied at once."""


class Lengths(NamedTuple):
    """The geometric law of block lengths, turned round."""

    bound: UInt64
    """2^64 P(length <= k + 1), (n_days - 1,); a length of n_days and more ends a resample."""
    guide: Int64
    """For each value of a draw's top ten bits, the first k that can be its answer, (1024,)."""
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
    lengths = block_law(deviation.shape[0], block)
    return np.asarray(_means(prefix, lengths, n_resamples, seed_of(rng)), np.float64)


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

    Raises:
        DataError: not one column of finite numbers, or less than two.

    Source: Politis & Romano (1994), The stationary bootstrap, JASA 89.
    """
    daily = np.asarray(daily, np.float64)
    if daily.ndim != 1 or daily.size < 2 or not np.isfinite(daily).all():
        raise DataError(
            f"Sharpe ratios of resamples: needs one column of at least 2 finite returns, got shape "
            f"{daily.shape} with {int((~np.isfinite(daily)).sum())} that are not finite"
        )
    centre = daily.mean()
    deviation = daily - centre  # squares of small numbers beside a large mean lose digits
    prefix = np.zeros((daily.size + 1, 2))
    np.cumsum(np.column_stack([deviation, deviation**2]), axis=0, out=prefix[1:])
    lengths = block_law(daily.size, block)
    drawn = _sharpes(prefix, float(centre), lengths, n_resamples, seed_of(rng))
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


def seed_of(rng: np.random.Generator) -> np.uint64:
    """One number from a generator: it decides every resample of a kernel."""
    return np.uint64(rng.integers(0, 2**64, dtype=np.uint64))


def block_law(n_days: int, block: float) -> Lengths:
    """The law of block lengths of mean `block` in resamples of n_days.

    Raises:
        DataError: a mean length below one day.
    """
    if not block >= 1:
        raise DataError(f"blocks of a bootstrap last one day at least on average, got {block}")
    k = np.arange(1, n_days)
    reached = -np.expm1(k * np.log1p(-min(1 / block, 1 - 2.0**-53)))
    bound = (np.minimum(reached, 1 - 2.0**-53) * 2.0**64).astype(np.uint64)
    top = np.arange(1024, dtype=np.uint64) << _TOP
    return Lengths(bound, np.searchsorted(bound, top, side="right").astype(np.int64), block <= 1)


@njit(cache=True, inline="always")
def _draw(state: np.uint64) -> np.uint64:
    """Splitmix64 of a counter: Steele, Lea & Flood (2014), Fast splittable generators."""
    z = state
    z = (z ^ (z >> _SHIFTS[0])) * _MIX[0]
    z = (z ^ (z >> _SHIFTS[1])) * _MIX[1]
    return z ^ (z >> _SHIFTS[2])


@njit(cache=True, inline="always")
def _length(u: np.uint64, lengths: Lengths) -> int:
    k = lengths.guide[u >> _TOP]
    while k < lengths.bound.size and u >= lengths.bound[k]:
        k += 1
    return int(k + 1)


def ring(values: Float64 | Int64) -> Float64 | Int64:
    """Values (n_days,) written out for `draw_chain`: twice round the circle and a stride on."""
    return values[np.arange(2 * values.size + STRIDE) % max(values.size, 1)]


@njit(cache=True)
def draw_chain(out: Float64, around: Float64, lengths: Lengths, state: np.uint64) -> np.uint64:
    """Fill the first n_days of `out` with one resample; gives the state for the next.

    For statistics of the order of days; what only needs sums takes prefix sums instead.

    Args:
        out: (n_days + STRIDE,): blocks are copied a stride at a time, the next writes over what
            was too much, and behind the last day there is room for it.
        around: the days, from `ring`.
        lengths: from `block_law`.
        state: from `seed_of`, or of the resample before.
    """
    n_days, done = out.size - STRIDE, 0
    while done < n_days:
        first, length, state = _block(lengths, n_days, n_days - done, state)
        for i in range(0, length, STRIDE):
            for k in range(STRIDE):
                out[done + i + k] = around[first + i + k]
        done += length
    return state


@njit(cache=True, inline="always")
def _block(
    lengths: Lengths, n_days: int, left: int, state: np.uint64
) -> tuple[int, int, np.uint64]:
    """Where a block begins, how long it is, and the next state of the counter."""
    state += _STEP
    first = int(((_draw(state) >> _HALF) * np.uint64(n_days)) >> _HALF)
    if lengths.single:
        return first, 1, state
    state += _STEP
    return first, min(_length(_draw(state), lengths), left), state


@njit(cache=True, error_model="numpy")
def _sharpes(
    prefix: Float64, centre: float, lengths: Lengths, n_resamples: int, seed: np.uint64
) -> Float64:
    n_days = prefix.shape[0] - 1
    state, n_wide = seed, np.uint64(n_days)
    floor = 1e-20 * (prefix[n_days, 1] + n_days * centre**2)
    out = np.empty(n_resamples)
    for b in range(n_resamples):
        left, total, squares = n_days, 0.0, 0.0
        while lengths.single and left > 0:  # days one by one, none of them on the circle's seam
            state += _STEP
            first = np.int64(((_draw(state) >> _HALF) * n_wide) >> _HALF)
            total += prefix[first + 1, 0] - prefix[first, 0]
            squares += prefix[first + 1, 1] - prefix[first, 1]
            left -= 1
        while left > 0:
            first, length, state = _block(lengths, n_days, left, state)
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
def _means(prefix: Float64, lengths: Lengths, n_resamples: int, seed: np.uint64) -> Float64:
    n_days, n_columns = prefix.shape[0] - 1, prefix.shape[1]
    state = seed
    out = np.zeros((n_resamples, n_columns))
    for b in range(n_resamples):
        left, total = n_days, out[b]
        while left > 0:
            first, length, state = _block(lengths, n_days, left, state)
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
