"""What an account held at each close, from its fills alone."""

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest.fills import Fills
from touchstone.backtest.result import Run
from touchstone.execution.records import DELISTED
from touchstone.market import Panel

_DAYS = 7
"""Calendar days without a bar after which an instrument counts as gone; a week holds any feast."""


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


def stranded(panel: Panel, run: Run) -> tuple[str, ...]:
    """Instruments held at the end whose bars ended more than a week before the panel's.

    Nobody said what became of them, so they stand at a price that may be nobody's any more.
    """
    ends = panel.offsets[1:][run.holdings.instrument] - 1
    last = panel.calendar.day(panel.time[ends])
    gone = last < panel.calendar.day(run.time[-1:]) - _DAYS if run.time.size else last < 0
    return tuple(panel.symbols[i] for i in run.holdings.instrument[gone].tolist())
