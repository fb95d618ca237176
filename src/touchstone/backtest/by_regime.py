"""Daily returns by the regime that most instruments stood in on the day before."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.market import Panel
from touchstone.metrics import trading


class RegimeDays(NamedTuple):
    """The days of one regime."""

    name: str
    n_days: int
    net_return: float
    """Compounded over its days, fraction; the product of 1 + it over regimes is 1 + the total."""
    annual_mean: float | None
    volatility: float | None
    sharpe: float | None
    worst_day: float | None
    """Smallest return of a day, fraction."""


def regime_of_days(panel: Panel, regime: Int64, n_regimes: int) -> Int64:
    """The most frequent regime among the rows of the day before, (n_days,); the last on day one.

    Args:
        panel: the bars.
        regime: of each row, known at its close or earlier, (n_rows,); the last means "not known".
        n_regimes: how many there are; of equally frequent ones the first counts.
    """
    days, at = np.unique(panel.calendar.day(panel.time), return_inverse=True)
    seen = np.zeros((days.size, n_regimes), np.int64)
    np.add.at(seen, (at, regime), 1)
    return np.asarray(np.r_[n_regimes - 1, seen.argmax(axis=1)[:-1]][: days.size], np.int64)


def by_regime(
    daily: Float64, regime: Int64, names: tuple[str, ...], days_per_year: float
) -> tuple[RegimeDays, ...]:
    """A row for each regime that has a day; daily and regime are (n_days,)."""
    found = []
    for k, name in enumerate(names):
        mine = daily[regime == k]
        if mine.size:
            found.append(
                RegimeDays(
                    name=name,
                    n_days=int(mine.size),
                    net_return=float(np.prod(1 + mine) - 1),
                    annual_mean=trading.annual_mean(mine, days_per_year),
                    volatility=trading.volatility(mine, days_per_year),
                    sharpe=trading.sharpe(mine, days_per_year),
                    worst_day=float(mine.min()),
                )
            )
    return tuple(found)
