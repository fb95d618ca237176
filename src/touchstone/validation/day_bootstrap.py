"""How sure is a classification measure? Resamples of days, since rows of a day belong together."""

from collections.abc import Callable
from typing import Final

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import DataError

N_RESAMPLES: Final = 999
"""Of an interval at 95 %: its bounds are the 25th from either end."""
FEWEST_DAYS: Final = 10
"""Below this many days there is no interval."""


def day_interval(
    measure: Callable[[Int64], float | None],
    day: Int64,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float, float] | None:
    """Percentile interval of any measure of rows, whole days drawn with replacement.

    Rows of one day share the market's move; drawn one by one, they would claim far too narrow an
    interval. None below `FEWEST_DAYS` days, or where the measure is not defined in so many
    resamples (no hit in them) that a bound is.

    Args:
        measure: rows (n,), some of them several times, -> a number or None, as
            `lambda rows: pr_auc(p[rows], hit[rows])`.
        day: (n,) the day of each row, in any order.
        rng: draws the days.
        level: share of worlds in which the interval should hold the true value.
        n_resamples: how many.

    Raises:
        DataError: days that are not one column.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3; clusters as
    in Field & Welsh (2007), Bootstrapping clustered data, JRSS B 69.
    """
    day = np.asarray(day, np.int64)
    if day.ndim != 1:
        raise DataError(f"days: needs one a row, (n,), got shape {day.shape}")
    days, at = np.unique(day, return_inverse=True)
    if days.size < FEWEST_DAYS:
        return None
    order = np.argsort(at, kind="stable")
    bounds = np.searchsorted(at[order], np.arange(days.size + 1))
    size = np.diff(bounds)
    values = np.empty(n_resamples)
    for b in range(n_resamples):
        drawn = rng.integers(days.size, size=days.size)
        # Every row of every drawn day, day after day.
        ends = np.cumsum(size[drawn])
        within = np.arange(ends[-1]) - np.repeat(ends - size[drawn], size[drawn])
        found = measure(order[np.repeat(bounds[drawn], size[drawn]) + within])
        values[b] = np.nan if found is None else found
    return _percentiles(values, level)


def _percentiles(values: Float64, level: float) -> tuple[float, float] | None:
    defined = np.sort(values[~np.isnan(values)])
    # A resample without a value may lie anywhere, so it is put beyond both bounds.
    beyond = int((values.size + 1) * (1 - level) / 2 + 1e-9) - (values.size - defined.size)
    if beyond < 1:
        return None
    return float(defined[beyond - 1]), float(defined[-beyond])
