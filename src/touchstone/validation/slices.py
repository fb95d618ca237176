"""Is one part of the rows unlike the others? One p-value a part, days as clusters."""

import numpy as np
from scipy.special import stdtr

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError
from touchstone.validation.day_bootstrap import FEWEST_DAYS


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
