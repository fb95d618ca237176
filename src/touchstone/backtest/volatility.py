"""How much each instrument moves, known before each bar; terciles of it as regimes."""

from typing import Final

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.market import Panel

N_BARS: Final = 48
REGIMES: Final = ("calm", "normal", "wild", "not known")
"""Terciles of the volatility among all rows of a panel, and rows that have none yet."""


def volatility_before(panel: Panel, n_bars: int = N_BARS) -> Float64:
    """Root of the mean squared close-to-close return of up to n_bars bars before each, (n_rows,).

    Of a bar's return, fraction; row t reads closes up to t - 1. NaN at an instrument's first two
    rows, where no return lies before. Splits and dividends that stand beside the bars move nothing.
    """
    first = panel.offsets[:-1][panel.asset_id]
    age = np.arange(len(panel)) - first
    worth = panel.close.copy()  # of one share of the bar before
    if panel.happened is not None:
        worth = (worth + panel.happened.dividend) * panel.happened.ratio
    squared = np.zeros(len(panel))
    squared[1:] = (worth[1:] / panel.close[:-1] - 1) ** 2
    squared[age == 0] = 0.0
    # Added up anew for each row, the oldest first: a running total would carry bits of all that
    # stands before, of other instruments' later bars too.
    total = np.zeros(len(panel))
    for k in range(min(n_bars, int(age.max(initial=0))), 0, -1):
        total[k:] += np.where(age[k:] > k, squared[:-k], 0.0)
    count = np.minimum(age - 1, n_bars)
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)


def regimes_of(volatility: Float64) -> Int64:
    """Place of each row in `REGIMES`, (n_rows,).

    The bounds are read off all rows: a description of the past, and no input of a decision.
    """
    known = np.isfinite(volatility)
    if not known.any():
        return np.full(volatility.size, 3)
    bounds = np.quantile(volatility[known], [1 / 3, 2 / 3])
    return np.where(known, np.searchsorted(bounds, volatility), 3).astype(np.int64)
