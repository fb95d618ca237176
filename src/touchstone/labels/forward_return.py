"""Forward-return labels: does the price rise, fall or stay within a threshold over the horizon?"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveInt

from touchstone.arrays import Bool, Float64, Int64
from touchstone.config import Config, Range
from touchstone.labels import LABELS, UNKNOWN, Labels, checked_width, forget_unusable
from touchstone.market import Panel


class ForwardReturnConfig(Config):
    """A fixed holding time, and what counts as a move."""

    kind: Literal["forward_return"] = "forward_return"
    horizon: Annotated[PositiveInt, Range(1, 48)] = 8
    """Bars that the position is held."""
    threshold: Annotated[NonNegativeFloat, Range(0.0, 0.02)] = 0.003
    """A move is a return beyond this fraction (the default is a default round trip of costs), or
    beyond this multiple of `width`."""
    entry: Literal["open", "close"] = "open"
    """Filled at the next bar's open, or at the decision's own close."""
    horizon_exit: Literal["open", "close"] = "open"
    """Left after the horizon at the next open, or at the horizon bar's own close."""
    width: Annotated[str, Field(min_length=1)] | None = None
    """An expression over the bars: the fraction that threshold is a multiple of."""


@LABELS.register(ForwardReturnConfig)
def forward_return(
    panel: Panel, config: ForwardReturnConfig, width: Float64 | None = None
) -> Labels:
    """Label each row by its return over a fixed horizon, filled exactly as a horizon exit.

    A decision at the close of bar t enters at open[t + 1] and leaves at open[t + horizon + 1],
    in the instrument's own bars (options: close[t] and close[t + horizon]).

    Args:
        panel: bars of many instruments, (n_rows,).
        config: horizon, threshold and options.
        width: (n_rows,) fractions of price known at each row's close, where config.width is set.

    Returns:
        Labels with outcome +1 where realised > threshold, -1 where realised < -threshold, else
        0; `up` and `down` inf, since no barrier is watched. UNKNOWN where the bars end before
        the exit, where it lies more than 4 x horizon bars of trading time after the decision,
        and where the width is not positive and finite.

    Raises:
        ConfigError: config.width without a column, a column without it, or of another length.
    """
    width = checked_width(panel, config.width, width)
    n = len(panel)
    wait, last = int(config.entry == "open"), config.horizon + int(config.horizon_exit == "open")
    entries = panel.open if config.entry == "open" else panel.close
    finals = panel.open if config.horizon_exit == "open" else panel.close
    rows = _rows_with_an_exit(panel, last)
    exit_, realised = np.full(n, UNKNOWN, np.int64), np.full(n, np.nan)
    exit_[rows] = rows + last
    realised[rows] = finals[rows + last] / entries[rows + wait] - 1
    threshold = config.threshold if width is None else config.threshold * width
    outcome = (realised > threshold).astype(np.int8) - (realised < -threshold).astype(np.int8)
    none = np.full(n, np.inf)
    labels = Labels(outcome, exit_, realised, none, none.copy(), np.zeros(n, np.bool_))
    return forget_unusable(panel, labels, width, config.horizon)


def _rows_with_an_exit(panel: Panel, last: int) -> Int64:
    rows = np.arange(len(panel), dtype=np.int64)
    inside: Bool = rows + last < panel.offsets[1:][panel.asset_id]
    return rows[inside]
