"""Many candidates on the same days: their studentised means, resampled together."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.errors import DataError
from touchstone.validation.bootstrap import block_lengths, studentised_columns
from touchstone.validation.resampling import bootstrap_variance, resampled_means

_NO_VARIANCE = 1e-20
"""A variance at most this times the square of the largest return is rounding error."""


class Joint(NamedTuple):
    """What tests of many candidates share; columns are the candidates with variance, in order."""

    kept: Bool
    """Candidates with variance, (n_candidates,)."""
    t: Float64
    """Mean over its standard error, (n_kept,)."""
    resampled: Float64
    """(mean* - mean) over its standard error, (n_resamples, n_kept)."""
    block: float
    """Mean length of a block, days: the average of what each candidate asks for."""


def joint_bootstrap(
    returns: Float64, rng: np.random.Generator, n_resamples: int, recompute: bool
) -> Joint:
    """Studentise and resample the means of many candidates by one stationary bootstrap.

    Each candidate is measured by its own error, so that a noisy one does not drown a quiet one.

    Args:
        returns: (n_days, n_candidates), in excess of the benchmark, in time order.
        rng: where the resamples come from.
        n_resamples: how many.
        recompute: the error is Newey and West's, recomputed in every resample, which allows for
            skewness; else the bootstrap's own kernel's, the same in all.

    Raises:
        DataError: not a table of finite numbers.
    """
    returns = checked_table(returns)
    n_days = returns.shape[0]
    floor = _NO_VARIANCE * np.abs(returns).max(axis=0, initial=0) ** 2
    if n_days < 3:
        return Joint(np.zeros(returns.shape[1], bool), np.empty(0), np.empty((n_resamples, 0)), 1.0)
    kept = returns.var(axis=0) > floor
    traded = np.ascontiguousarray(returns[:, kept])
    block = float(block_lengths(traded).mean()) if kept.any() else 1.0
    error = np.sqrt(bootstrap_variance(traded, block) / n_days)
    steady = error > np.sqrt(floor[kept])
    kept[np.flatnonzero(kept)[~steady]] = False
    traded, error = traded[:, steady], error[steady]
    if recompute:
        return Joint(kept, *studentised_columns(traded, block, n_resamples, rng), block)
    resampled = resampled_means(traded, block, n_resamples, rng) / error
    return Joint(kept, traded.mean(axis=0) / error, resampled, block)


def checked_table(returns: Float64) -> Float64:
    """Daily returns of candidates, (n_days, n_candidates), as contiguous float64.

    Raises:
        DataError: not a table of finite numbers.
    """
    returns = np.ascontiguousarray(returns, np.float64)
    if returns.ndim != 2 or not np.isfinite(returns).all():
        raise DataError(
            f"returns of candidates: needs a table (n_days, n_candidates) of finite numbers, got "
            f"shape {returns.shape} with {int((~np.isfinite(returns)).sum())} that are not: a day "
            f"without a position returns 0"
        )
    return returns
