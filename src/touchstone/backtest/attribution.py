"""Where the money came from: every position's profit, and its sums by any division of them.

Rows of a division add up to the run's total: closed trades, positions still open, and what the
account earned or paid beside its fills (dividends, borrowing).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int8, Int64
from touchstone.backtest.fills import Fills
from touchstone.backtest.result import Run
from touchstone.market import Panel


class Lives(NamedTuple):
    """Positions, the closed ones first, then those still open; all (n_lives,)."""

    instrument: Int64
    entry_row: Int64
    side: Int8
    """+1 long, -1 short."""
    net: Float64
    """Money, after all costs of its fills; marked at the last close where it is open."""
    costs: Float64
    """Money that its fills cost."""


class Sums(NamedTuple):
    """Of a division's parts; all (n_parts,)."""

    n: Int64
    """Positions."""
    net: Float64
    costs: Float64

    @property
    def gross(self) -> Float64:
        """Before costs."""
        return self.net + self.costs


def lives_of(panel: Panel, run: Run) -> Lives:
    """Every position of a run that pairs its fills.

    Raises nothing; a run without fills has none. An instrument has at most one open position,
    whose costs are those that its closed ones did not pay.
    """
    trades, held = run.trades, run.holdings
    n = panel.n_instruments
    paid = np.bincount(panel.asset_id[run.fills.row], fill_costs(run.fills), n)
    closed = np.bincount(trades.instrument, trades.costs, n)
    left = (paid - closed)[held.instrument]
    return Lives(
        instrument=np.r_[trades.instrument, held.instrument].astype(np.int64),
        entry_row=np.r_[trades.entry_row, held.entry_row].astype(np.int64),
        side=np.r_[trades.side, np.sign(held.quantity)].astype(np.int8),
        net=np.r_[trades.pnl, held.unrealised],
        costs=np.r_[trades.costs, left],
    )


def sums(lives: Lives, part: Int64, n_parts: int) -> Sums:
    """Sums by part, 0 <= part < n_parts, (n_lives,)."""
    return Sums(
        np.bincount(part, minlength=n_parts).astype(np.int64),
        _by(part, lives.net, n_parts),
        _by(part, lives.costs, n_parts),
    )


def beside_fills(run: Run) -> tuple[tuple[str, float], ...]:
    """What the account earned or paid that no fill did, by name; zeros left out."""
    found = (("dividends", run.dividends), ("borrowing", -run.financed))
    return tuple((name, money) for name, money in found if money != 0)


def decided_rows(panel: Panel, entry_row: Int64) -> Int64:
    """The row at whose close an entry can have been decided last: the instrument's one before."""
    first = panel.offsets[:-1][panel.asset_id[entry_row]]
    return np.maximum(entry_row - 1, first)


def fill_costs(fills: Fills) -> Float64:
    """What each fill cost, all kinds, money, (n_fills,)."""
    return fills.commission + fills.slippage + fills.spread + fills.impact


def costs_by_day(panel: Panel, run: Run, day: Int64, kinds: Sequence[str]) -> tuple[Float64, ...]:
    """Money that fills cost on each day, by kind, (n_days,) each; `day` as `daily` gives it."""
    at = np.searchsorted(day, panel.calendar.day(panel.time[run.fills.row]))
    return tuple(_by(at, getattr(run.fills, kind), day.size) for kind in kinds)


def _by(part: Int64, money: Float64, n_parts: int) -> Float64:
    return np.asarray(np.bincount(part, money, n_parts), np.float64)
