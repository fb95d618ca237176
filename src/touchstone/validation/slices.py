"""Is one part of the rows unlike the others? One p-value a part, days as clusters."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.special import stdtr

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError
from touchstone.validation.day_bootstrap import FEWEST_DAYS
from touchstone.validation.multiple import benjamini_hochberg

ALPHA: Final = 0.05
"""At most this share of the parts that are told as unlike the rest is expected to be luck."""


class Division(NamedTuple):
    """One way to divide rows."""

    group: str
    names: tuple[str, ...]
    part: Int64
    """Which of the names, (n_rows,)."""


class Screened(NamedTuple):
    """Many parts at once: which are unlike the rest beyond luck."""

    adjusted: tuple[float | None, ...]
    """Benjamini-Hochberg; None where a part could not be tested."""
    n_tested: int
    n_nominal: int
    """Parts with p <= `ALPHA`, uncorrected."""
    expected_by_luck: float
    """Of those, if no part were unlike the rest."""

    @property
    def survives(self) -> tuple[bool, ...]:
        """Whether each part is unlike the rest after the correction."""
        return tuple(p is not None and p <= ALPHA for p in self.adjusted)


def screened(p: Sequence[float | None]) -> Screened:
    """p-values of parts, corrected for how many were looked at; those that are None stay so."""
    known = np.array([value for value in p if value is not None])
    corrected = iter(benjamini_hochberg(known).tolist())
    return Screened(
        tuple(None if value is None else next(corrected) for value in p),
        int(known.size),
        int((known <= ALPHA).sum()),
        ALPHA * known.size,
    )


def difference_p(values: Float64, inside: Bool, day: Int64) -> float | None:
    """Two-sided p of "the mean of these rows is that of the others", rows of a day taken together.

    A resample can say no p below one over their number, and of many parts the least p has to be
    far below that to survive a correction. So this is a t test of the difference with an error
    clustered by day, on the days of the smaller side less 1.

    Args:
        values: (n_rows,) what is compared, as net returns of trades.
        inside: (n_rows,) rows of the part.
        day: (n_rows,) the day of each row.

    Returns:
        None where either side has fewer than `FEWEST_DAYS` days, or no variance.

    Raises:
        DataError: columns of several lengths.

    Source: Liang & Zeger (1986), Longitudinal data analysis using generalized linear models,
    Biometrika 73; degrees of freedom as in Cameron & Miller (2015), A practitioner's guide to
    cluster-robust inference, section VI.
    """
    values, inside = np.asarray(values, np.float64), np.asarray(inside, np.bool_)
    if not values.shape == inside.shape == np.shape(day):
        raise DataError(
            f"values {values.shape}, part {inside.shape} and days {np.shape(day)} need one length"
        )
    days, at = np.unique(day, return_inverse=True)
    n_days = min(np.unique(at[inside]).size, np.unique(at[~inside]).size)
    if n_days < FEWEST_DAYS:
        return None
    here, there = values[inside].mean(), values[~inside].mean()
    share = np.where(inside, (values - here) / inside.sum(), (there - values) / (~inside).sum())
    by_day = np.bincount(at, share)
    error = np.sqrt(float(np.sum(by_day**2)) * days.size / (days.size - 1))
    if not error > 1e-12 * max(abs(here), abs(there)):
        return None
    return float(2 * stdtr(n_days - 1, -abs(here - there) / error))
