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
    rows, where no return lies before.
    """
    n = len(panel)
    first = panel.offsets[:-1][panel.asset_id]
    row = np.arange(n)
    moved = np.zeros(n)
    moved[1:] = panel.close[1:] / panel.close[:-1] - 1
    moved[row == first] = 0.0
    total = np.r_[0.0, np.cumsum(moved**2)]  # total[t]: of rows before t
    since = np.maximum(row - n_bars, first + 1)
    count = row - since
    squares = np.maximum(total[row] - total[np.minimum(since, row)], 0.0)
    return np.where(count > 0, np.sqrt(squares / np.maximum(count, 1)), np.nan)


def regimes_of(volatility: Float64) -> Int64:
    """Place of each row in `REGIMES`, (n_rows,).

    The bounds are read off all rows: a description of the past, and no input of a decision.
    """
    known = np.isfinite(volatility)
    if not known.any():
        return np.full(volatility.size, 3)
    bounds = np.quantile(volatility[known], [1 / 3, 2 / 3])
    return np.where(known, np.searchsorted(bounds, volatility), 3).astype(np.int64)
