"""Splits, dividends and halts for a simulated market, whose prices fall by them."""

from dataclasses import replace

import numpy as np

from touchstone.market.happened import NEVER, Happened
from touchstone.market.reinvested import grown, paying, steps

SHARE = 0.004
"""Of the price, that a dividend pays."""


def with_actions(panel):
    """The market as it is printed: a split of 2:1 every 400 bars, a dividend every 37, halts."""
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    turn = age + 11 * panel.asset_id
    ratio = np.where((age > 0) & (turn % 400 == 350), 2.0, 1.0)
    share = np.where((age > 0) & (turn % 37 == 0), SHARE, 0.0)
    units = grown(panel, steps(panel, ratio, share))
    printed = {n: getattr(panel, n) / units for n in ("open", "high", "low", "close")}
    printed = replace(panel, volume=panel.volume * units, **printed)
    n = len(panel)
    nothing = Happened(
        ratio, np.zeros(n), turn % 120 < 3, np.full(n, np.nan), np.full(n, NEVER)
    )  # fmt: skip
    return replace(printed, happened=paying(printed, nothing, share))
