"""How much of a step from close to open is a split or a dividend, and back."""

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.market.happened import Happened
from touchstone.market.panel import Panel

_MOST = 0.99
"""Share of the price that a dividend counts as at most, lest nothing were left."""


def paid_share(panel: Panel) -> Float64:
    """Each row's dividend as a share of the close before, in the ex-day's shares, (n_rows,)."""
    happened = panel.happened
    if happened is None:
        return np.zeros(len(panel))
    share = happened.dividend * happened.ratio / _before(panel)
    return np.minimum(np.where(np.isfinite(share), share, 0.0), _MOST)


def steps(panel: Panel, ratio: Float64, share: Float64) -> Float64:
    """Log of what a unit held over each row's open becomes in units, (n_rows,).

    The dividend is reinvested at the close before less the dividend, as in `dividend_factor`.
    0 on an instrument's first row, which nobody held over.
    """
    log: Float64 = np.log(ratio) - np.log1p(-share)
    log[_first(panel)] = 0.0
    return log


def grown(panel: Panel, log: Float64) -> Float64:
    """What log steps make of one unit of each instrument by each row, (n_rows,)."""
    total = np.zeros(len(panel))
    for a, b in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        total[a:b] = np.cumsum(log[a:b])
    return np.asarray(np.exp(total), np.float64)


def paying(panel: Panel, happened: Happened, share: Float64) -> Happened:
    """The same, whose dividends are these shares of the panel's closes before."""
    dividend = np.where(share > 0, share * _before(panel) / happened.ratio, 0.0)
    return happened._replace(dividend=np.where(np.isfinite(dividend), dividend, 0.0))


def _before(panel: Panel) -> Float64:
    before: Float64 = np.r_[np.nan, panel.close[:-1]][: len(panel)]
    before[_first(panel)] = np.nan
    return before


def _first(panel: Panel) -> Int64:
    return np.asarray(panel.offsets[:-1][np.diff(panel.offsets) > 0], np.int64)
