"""What an account held at each close, from its fills alone."""

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest.fills import Fills
from touchstone.execution.records import DELISTED
from touchstone.market import Panel


def held_units(panel: Panel, fills: Fills) -> Float64:
    """Units held at each row's close, below 0 short, (n_rows,): parts and splits in them.

    A delisting comes after an instrument's last row, so it is held there still.
    """
    told = np.flatnonzero(fills.reason != DELISTED)
    n = len(panel)
    left, since = np.zeros(n), np.full(n, -1, np.int64)
    left[fills.row[told]] = fills.left[told]  # the last fill of a row stands
    since[fills.row[told]] = fills.row[told]
    first = panel.offsets[:-1][panel.asset_id]
    since = np.maximum.accumulate(since)
    held = np.where(since >= first, left[np.maximum(since, 0)], 0.0)
    if panel.happened is None:
        return held
    shares = np.cumsum(np.log(panel.happened.ratio))
    return held * np.exp(np.where(held == 0, 0.0, shares - shares[np.maximum(since, 0)]))
