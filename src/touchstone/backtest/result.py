"""What a backtest leaves behind: paths, fills, trades, open positions, and daily returns."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest.fills import Fills, Paid, paid
from touchstone.backtest.trades import Holdings, Trades
from touchstone.market import Panel


class Run(NamedTuple):
    """One account over one history."""

    initial_cash: float
    time: Int64
    """Start of each bar of the panel's clock, ns UTC; the paths are known at its close,
    (n_times,).
    """
    equity: Float64
    """cash + invested, (n_times,)."""
    cash: Float64
    invested: Float64
    """Positions at their last known closes, shorts below 0, (n_times,)."""
    n_held: Int64
    """Positions held at the close, (n_times,)."""
    fills: Fills
    trades: Trades
    holdings: Holdings
    n_cut: int
    """Fills smaller than ordered, for want of money."""
    n_rejected: int
    """Wishes and orders that the money could not pay at all."""
    n_partial: int = 0
    """Fills smaller than ordered, for want of volume."""
    dividends: float = 0.0
    """Money received, less what was paid on shorts."""
    financed: float = 0.0
    """Money paid for borrowing."""
    n_ambiguous: int = 0
    """Bars that spanned stop and target of a position."""
    ambiguous: float = 0.0
    """Money between the two readings of such bars."""
    gross: Float64 | None = None
    """Positions, shorts above 0, (n_times,); None where nothing was ever short: as `invested`."""

    @property
    def exposure(self) -> Float64:
        """Share of equity invested after each bar, (n_times,)."""
        return np.divide(
            self.invested, self.equity, out=np.zeros_like(self.equity), where=self.equity > 0
        )

    @property
    def paid(self) -> Paid:
        """What trading cost, by kind."""
        return paid(self.fills)

    @property
    def traded_value(self) -> float:
        """Value of all fills, both sides, money."""
        return float((self.fills.quantity * self.fills.price).sum())

    @property
    def total_return(self) -> float:
        """Last equity / initial cash - 1."""
        return float(self.equity[-1] / self.initial_cash - 1.0) if self.equity.size else 0.0


def daily(panel: Panel, run: Run) -> tuple[Int64, Float64]:
    """Simple returns of equity per day of the panel's calendar.

    Equity is sampled at each day's last bar (of any instrument); the first day's return is
    relative to the initial cash. A day on which no instrument has a bar is absent.

    Returns:
        day: days since 1970, (n_days,); returns: (n_days,).
    """
    day, last = day_ends(panel)
    sampled = run.equity[last]
    return day, sampled / np.r_[run.initial_cash, sampled[:-1]][: sampled.size] - 1.0


def day_ends(panel: Panel) -> tuple[Int64, Int64]:
    """Each calendar day of the panel's clock and the place of its last time, both (n_days,)."""
    days = panel.calendar.day(panel.blocks().time)
    last = np.flatnonzero(np.r_[days[1:] != days[:-1], True]) if days.size else np.zeros(0, int)
    return days[last], last
