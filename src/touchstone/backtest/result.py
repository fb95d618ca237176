"""What a backtest leaves behind: paths, fills, trades, open positions, and daily returns."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int8, Int32, Int64
from touchstone.execution.account import STOP, Tape
from touchstone.execution.costs import CostsConfig
from touchstone.market import Panel


class Fills(NamedTuple):
    """Every fill in the order it happened; all (n_fills,)."""

    row: Int64
    """Row of the panel whose bar filled it."""
    order_row: Int64
    """Row at whose close it was ordered; for a stop or target, the row of the entry."""
    side: Int8
    """+1 buy, -1 sell."""
    quantity: Float64
    price: Float64
    reference: Float64
    """The price before slippage and spread: open, stop or target."""
    commission: Float64
    """Money, as are slippage and spread: cost of a fill = their sum."""
    slippage: Float64
    spread: Float64
    reason: Int8
    """A code of `execution.REASONS`."""


class Trades(NamedTuple):
    """Closed round trips in the order of their exits; all (n_trades,)."""

    instrument: Int32
    """Place in the panel's symbols."""
    entry_row: Int64
    exit_row: Int64
    entry_time: Int64
    """Instant of the fill, ns UTC: the start of its bar."""
    exit_time: Int64
    """Likewise at an open; the end of its bar for a stop or target, which is when it is known."""
    quantity: Float64
    entry_price: Float64
    """Fill price, costs in it but for the commission."""
    exit_price: Float64
    entry_reference: Float64
    """Price before slippage and spread."""
    exit_reference: Float64
    pnl: Float64
    """Money earned, all costs of both fills paid."""
    costs: Float64
    """Money paid for both fills: commission, slippage and spread."""
    reason: Int8
    """Why it was left, a code of `execution.REASONS`."""

    @property
    def gross(self) -> Float64:
        """Return before costs, exit reference / entry reference - 1: what a label foresees."""
        return self.exit_reference / self.entry_reference - 1.0

    @property
    def net(self) -> Float64:
        """Return after all costs, on the value bought."""
        return self.pnl / (self.quantity * self.entry_price)


class Holdings(NamedTuple):
    """Positions still open at the last bar, marked and not liquidated; all (n_open,)."""

    instrument: Int32
    entry_row: Int64
    quantity: Float64
    entry_price: Float64
    value: Float64
    """At the last known close."""
    unrealised: Float64
    """value - quantity x entry price - the entry's commission."""


class Paid(NamedTuple):
    """Money that trading cost, by kind."""

    commission: float
    slippage: float
    spread: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.commission + self.slippage + self.spread


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
    """Positions at their last known closes, (n_times,)."""
    n_held: Int64
    """Positions held at the close, (n_times,)."""
    fills: Fills
    trades: Trades
    holdings: Holdings
    n_cut: int
    """Buys filled smaller than ordered, for want of cash."""
    n_rejected: int
    """Wishes and buys that the cash could not pay at all."""

    @property
    def exposure(self) -> Float64:
        """Share of equity invested after each bar, (n_times,)."""
        return np.divide(
            self.invested, self.equity, out=np.zeros_like(self.equity), where=self.equity > 0
        )

    @property
    def paid(self) -> Paid:
        """What trading cost, by kind."""
        fills = self.fills
        return Paid(*(float(c.sum()) for c in (fills.commission, fills.slippage, fills.spread)))

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


def fills_of(tape: Tape, costs: CostsConfig) -> Fills:
    """A tape's fills, what each lost to its reference split into slippage and spread."""
    filled = tape.fills[: int(tape.n[0])]
    quantity, price, reference = np.abs(filled["quantity"]), filled["price"], filled["reference"]
    lost = quantity * np.abs(price - reference)
    slippage = slippage_of(lost, costs)
    return Fills(
        row=filled["row"].copy(),
        order_row=filled["order_row"].copy(),
        side=np.sign(filled["quantity"]).astype(np.int8),
        quantity=quantity,
        price=price.copy(),
        reference=reference.copy(),
        commission=filled["commission"].copy(),
        slippage=slippage,
        spread=lost - slippage,
        reason=filled["reason"].astype(np.int8),
    )


def slippage_of(lost: Float64, costs: CostsConfig) -> Float64:
    """The part of what fills lost to their references that is slippage; the rest is spread."""
    worsening_bp = costs.slippage_bp + costs.half_spread_bp
    return lost * (costs.slippage_bp / worsening_bp if worsening_bp > 0 else 0.0)


def trades_of(panel: Panel, fills: Fills) -> Trades:
    """The closed round trips of an account that buys once and sells whole, as the kernel does."""
    bought, sold, _ = _pairs(panel, fills)
    costs = fills.commission + fills.slippage + fills.spread
    value = fills.quantity * fills.price
    entry, left = fills.row[bought], fills.row[sold]
    return Trades(
        instrument=panel.asset_id[left],
        entry_row=entry,
        exit_row=left,
        entry_time=panel.time[entry],
        exit_time=np.where(fills.reason[sold] >= STOP, panel.available_at[left], panel.time[left]),
        quantity=fills.quantity[sold],
        entry_price=fills.price[bought],
        exit_price=fills.price[sold],
        entry_reference=fills.reference[bought],
        exit_reference=fills.reference[sold],
        pnl=value[sold] - value[bought] - fills.commission[sold] - fills.commission[bought],
        costs=costs[sold] + costs[bought],
        reason=fills.reason[sold],
    )


def holdings_of(panel: Panel, fills: Fills) -> Holdings:
    """The positions that no fill closed, marked at their instruments' last closes."""
    _, _, held = _pairs(panel, fills)
    row = fills.row[held]
    instrument = panel.asset_id[row]
    value = fills.quantity[held] * panel.close[panel.offsets[instrument + 1] - 1]
    paid = fills.quantity[held] * fills.price[held] + fills.commission[held]
    return Holdings(instrument, row, fills.quantity[held], fills.price[held], value, value - paid)


def _pairs(panel: Panel, fills: Fills) -> tuple[Int64, Int64, Int64]:
    """Places of each trade's buy and sell, in the order of the sells, and of the open buys."""
    by_instrument = np.argsort(panel.asset_id[fills.row], kind="stable")
    sells = np.flatnonzero(fills.side[by_instrument] < 0)
    order = np.argsort(by_instrument[sells])
    bought, sold = by_instrument[sells - 1][order], by_instrument[sells][order]
    is_open = fills.side > 0
    is_open[bought] = False
    return bought, sold, np.flatnonzero(is_open)
