"""Every fall of equity below its high: when it began, ended, was made good; deepest first."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64


class Drawdowns(NamedTuple):
    """Falls that do not overlap, the deepest first, the earlier of equal ones; all (n,)."""

    peak: Int64
    """The last row at the high before the fall."""
    trough: Int64
    """The first row at the bottom."""
    recovery: Int64
    """The first row back at the height of the peak, or -1."""
    depth: Float64
    """Fall from the peak to the trough, fraction, in (0, 1]."""


def drawdowns(equity: Float64, most: int) -> Drawdowns:
    """The `most` deepest falls of equity, (n_times,), positive at its first row.

    A fall lasts from a high to the first row at or above it; between them lies no other high. The
    first of them is `metrics.trading.drawdown_rows`.
    """
    high = np.maximum.accumulate(equity)
    edges = np.diff(np.r_[0, (equity < high).astype(np.int8), 0])
    begin, end = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not begin.size:
        none = np.zeros(0, np.int64)
        return Drawdowns(none, none, none, np.zeros(0))
    low = np.minimum.reduceat(equity, begin)
    # reduceat runs to the next beginning; what lies between is at the high or above it.
    depth = np.minimum(1 - low / high[begin], 1.0)
    trough = np.array(
        [b + int(equity[b:e].argmin()) for b, e in zip(begin, end, strict=True)], np.int64
    )
    order = np.argsort(-depth, kind="stable")[:most]
    recovery = np.where(end < equity.size, end, -1)
    return Drawdowns(begin[order] - 1, trough[order], recovery[order], depth[order])
