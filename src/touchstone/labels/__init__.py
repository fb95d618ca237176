"""What a model must foresee: bars in, outcome and exit out. Only this room reads ahead. Pure."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.errors import ConfigError
from touchstone.market import Panel
from touchstone.registration import Family

UNKNOWN: Final = -1
"""Value of Labels.exit where the outcome is not known; such rows are dropped, never "no"."""

PATIENCE: Final = 4
"""An exit further off than this many horizons of trading time is UNKNOWN: the bars have a hole."""


class Labels(NamedTuple):
    """One answer per row of the panel, all (n_rows,); known only once `exit` is known.

    Where `exit` is UNKNOWN, outcome is 0, realised NaN and ambiguous False; `up` and `down` are
    known at the close of the row's own bar, as a feature is, and stand for every row.
    """

    outcome: Int8
    """+1, -1 or 0: what the kind of label says."""
    exit: Int64
    """Row of the panel at which the exit is filled, or UNKNOWN."""
    realised: Float64
    """Exit price / entry price - 1, before costs."""
    up: Float64
    """Distance of the upper barrier as a fraction of the entry price; inf for none."""
    down: Float64
    """Distance of the lower barrier as a fraction of the entry price; inf for none."""
    ambiguous: Bool
    """The exit bar opened between the barriers and met both: which came first is not known."""

    @property
    def known(self) -> Bool:
        """Rows that have an outcome, (n_rows,)."""
        return np.asarray(self.exit != UNKNOWN, bool)

    @property
    def ambiguous_share(self) -> float:
        """Share of barrier exits whose order inside the bar is not known; 0 without any."""
        barrier_exits = int(np.count_nonzero(self.outcome))
        return float(self.ambiguous.sum()) / barrier_exits if barrier_exits else 0.0


Labeller = Callable[[Panel, Any, Float64 | None], Labels]
"""(panel, config, width (n_rows,) or None) -> Labels."""

LABELS: Family[Labeller] = Family("label", __name__)


def checked_width(panel: Panel, expression: str | None, width: Float64 | None) -> Float64 | None:
    """The width column of a scaled label, NaN where it is no width; None for a fixed one.

    Args:
        panel: the bars to label.
        expression: what the config says the width is, None for fixed barriers.
        width: the evaluated column (n_rows,), known at each row's close.

    Raises:
        ConfigError: one is given without the other, or the column has another length.
    """
    if (expression is None) != (width is None):
        said, got = (f"width: {expression!r}", "no column") if expression else ("no width", "one")
        raise ConfigError(
            f"the label says {said}, got {got}: evaluate the expression and pass the column"
        )
    if width is None:
        return None
    if width.shape != (len(panel),):
        raise ConfigError(f"width needs one value per row, ({len(panel)},), got {width.shape}")
    return np.where((width > 0) & (width < np.inf), width, np.nan)


def forget(labels: Labels, rows: Int64) -> None:
    """Make these rows UNKNOWN, in place."""
    labels.outcome[rows] = 0
    labels.exit[rows] = UNKNOWN
    labels.realised[rows] = np.nan
    labels.ambiguous[rows] = False


def forget_unusable(panel: Panel, labels: Labels, width: Float64 | None, horizon: int) -> Labels:
    """Make rows UNKNOWN whose width is no width or whose exit lies too far off, in place.

    Too far: the exit's bar starts more than `PATIENCE` x horizon bars of trading time after the
    decision, `available_at` of the row. A bar of d days counts d sessions of trading time.

    Args:
        panel: the labelled bars.
        labels: what to correct.
        width: (n_rows,) from `checked_width`, or None.
        horizon: bars that the position is held at most.
    """
    if width is not None:
        forget(labels, np.flatnonzero(np.isnan(width)))
    calendar, bar_ns = panel.calendar, panel.timeframe.ns
    if panel.timeframe.is_daily:
        bar_ns = bar_ns // _DAY_NS * calendar.session_ns
    limit = PATIENCE * horizon * bar_ns
    rows = _far(panel.time, labels.exit, panel.offsets, horizon, limit)
    if rows.size:
        decided = calendar.available_at(panel.time[rows], panel.timeframe.ns)
        left = panel.time[labels.exit[rows]]
        elapsed = calendar.trading_time(left) - calendar.trading_time(decided)
        forget(labels, rows[elapsed > limit])
    return labels


_DAY_NS = 86_400_000_000_000


@njit(cache=True)
def _far(time: Int64, exit_: Int64, offsets: Int64, horizon: int, limit: int) -> Int64:
    """Rows whose exit lies more than `limit` of *clock* time away: no other can lie too far.

    Clock time bounds trading time from above and needs no calendar, so a whole instrument
    without a hole is passed over by one comparison of two columns.
    """
    rows = np.empty(time.size, np.int64)
    n = 0
    for i in range(offsets.size - 1):
        begin, end = offsets[i], offsets[i + 1]
        whole = max(end - horizon - 1, begin)
        n_far = 0
        now, later = time[begin:whole], time[begin + horizon + 1 : end]
        for j in range(whole - begin):
            n_far += later[j] - now[j] > limit
        for row in range(begin if n_far else whole, end):
            if exit_[row] >= 0 and time[exit_[row]] - time[row] > limit:
                rows[n] = row
                n += 1
    return rows[:n].copy()
