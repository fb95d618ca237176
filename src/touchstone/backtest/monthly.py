"""Daily returns compounded by calendar month."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64


class Months(NamedTuple):
    """Months that have a day, in time order; all (n_months,)."""

    year: Int64
    month: Int64
    """1 to 12."""
    net_return: Float64
    """Compounded over the days of the month that lie in the run, fraction."""
    n_days: Int64


def monthly(day: Int64, daily: Float64) -> Months:
    """Months of daily returns; the product of 1 + them is 1 + the total return.

    Args:
        day: days since 1970, rising, (n_days,).
        daily: simple returns, (n_days,).
    """
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    if not months.size:
        none = np.zeros(0, np.int64)
        return Months(none, none, np.zeros(0), none)
    first = np.flatnonzero(np.r_[True, months[1:] != months[:-1]])
    net = np.multiply.reduceat(1 + daily, first) - 1
    which = months[first]
    return Months(1970 + which // 12, which % 12 + 1, net, np.diff(np.r_[first, months.size]))
