"""How sure is a classification measure? Resamples of days, since rows of a day belong together.

Where outcomes reach into later days, days belong together too: pass `stretches` as the days.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError

N_RESAMPLES: Final = 999
"""Of an interval at 95 %: its bounds are the 24th from either end where days are many."""
FEWEST_DAYS: Final = 10
"""Below this many days, or stretches of days, there is no interval."""


def day_interval(
    measure: Callable[[Int64], float | None],
    day: Int64,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float, float] | None:
    """Percentile interval of any measure of rows, whole days drawn with replacement.

    Rows of one day share the market's move; drawn one by one, they would claim far too narrow an
    interval. Resamples of few days vary too little as well, so the percentiles lie as much further
    out as a t interval of the days does beyond a normal one. None below `FEWEST_DAYS` days, or
    where the measure is not defined in so many resamples (no hit in them) that a bound is.

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
    days = days_of(day)
    if days.n < FEWEST_DAYS:
        return None
    order = np.argsort(days.at, kind="stable")
    bounds = np.searchsorted(days.at[order], np.arange(days.n + 1))
    size = np.diff(bounds)
    values = np.empty(n_resamples)
    for b in range(n_resamples):
        drawn = rng.integers(days.n, size=days.n)
        # Every row of every drawn day, day after day.
        ends = np.cumsum(size[drawn])
        within = np.arange(ends[-1]) - np.repeat(ends - size[drawn], size[drawn])
        found = measure(order[np.repeat(bounds[drawn], size[drawn]) + within])
        values[b] = np.nan if found is None else found
    return _percentiles(values, level, days.n)


def counted_interval(
    measure: Callable[[Float64], float | None],
    n_days: int,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> tuple[float, float] | None:
    """`day_interval` of a measure that takes how often each day was drawn, (n_days,).

    For measures that need their rows in order: they are put in order once, not in each resample.
    """
    if n_days < FEWEST_DAYS:
        return None
    values = np.empty(n_resamples)
    for b in range(n_resamples):
        drawn = np.bincount(rng.integers(n_days, size=n_days), minlength=n_days)
        found = measure(drawn.astype(np.float64))
        values[b] = np.nan if found is None else found
    return _percentiles(values, level, n_days)


def part_intervals(
    values: Float64, part: Int64, n_parts: int, day: Int64, rng: np.random.Generator
) -> list[tuple[float, float] | None]:
    """`day_interval`, 95 %, of the mean of values in each of many parts of the rows.

    All parts see the same resamples of the days, drawn once: hundreds of parts cost one product
    of matrices. None for a part with rows on fewer than `FEWEST_DAYS` days, and for one whose
    values are all alike: ten misses of ten say no more of the next than resamples of them do.

    Args:
        values: (n_rows,).
        part: (n_rows,) 0 to n_parts - 1.
        n_parts: how many.
        day: (n_rows,) the day of each row.
        rng: draws the days.
    """
    days = days_of(day)
    if days.n < FEWEST_DAYS:
        return [None] * n_parts
    cell = days.at * n_parts + part
    total, size = (
        np.bincount(cell, weight, minlength=days.n * n_parts).reshape(days.n, n_parts)
        for weight in (values, np.ones(values.size))
    )
    drawn = rng.integers(days.n, size=(N_RESAMPLES, days.n))
    drawn += days.n * np.arange(N_RESAMPLES)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)
    seen = counts @ size
    means = np.divide(counts @ total, seen, out=np.full(seen.shape, np.nan), where=seen > 0)
    n_days = (size > 0).sum(0)
    told = (n_days >= FEWEST_DAYS) & _varied(values, part, n_parts)
    return [
        _percentiles(means[:, k], 0.95, int(n_days[k])) if told[k] else None for k in range(n_parts)
    ]


def _varied(values: Float64, part: Int64, n_parts: int) -> Bool:
    """Which parts have two values that differ, (n_parts,)."""
    low, high = np.full(n_parts, np.inf), np.full(n_parts, -np.inf)
    np.minimum.at(low, part, values)
    np.maximum.at(high, part, values)
    return np.asarray(low < high)


class Days(NamedTuple):
    """The days of some rows."""

    n: int
    at: Int64
    """The place of each row's day among the days, (n_rows,)."""


def days_of(day: Int64) -> Days:
    """The distinct days of rows, (n_rows,).

    Raises:
        DataError: days that are not one column.
    """
    day = np.asarray(day, np.int64)
    if day.ndim != 1:
        raise DataError(f"days: needs one a row, (n,), got shape {day.shape}")
    days, at = np.unique(day, return_inverse=True)
    return Days(int(days.size), at)


def _percentiles(values: Float64, level: float, n_days: int) -> tuple[float, float] | None:
    beyond_t = float(stdtrit(n_days - 1, (1 + level) / 2)) * np.sqrt(n_days / (n_days - 1))
    tail = float(ndtr(-beyond_t))
    defined = np.sort(values[~np.isnan(values)])
    # A resample without a value may lie anywhere, so it is put beyond both bounds.
    beyond = int((values.size + 1) * tail + 1e-9) - (values.size - defined.size)
    if beyond < 1:
        return None
    return float(defined[beyond - 1]), float(defined[-beyond])
