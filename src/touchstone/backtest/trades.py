"""Fills of an account paired to round trips: a trade lasts from flat to flat."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int8, Int32, Int64
from touchstone.backtest.fills import Fills
from touchstone.execution.records import STOP, TARGET, Records
from touchstone.market import Panel


class Trades(NamedTuple):
    """Closed round trips in the order of their exits; all (n_trades,).

    What was bought or sold in parts is one trade at average prices.
    """

    instrument: Int32
    """Place in the panel's symbols."""
    entry_row: Int64
    """Of the first fill."""
    exit_row: Int64
    """Of the last fill."""
    entry_time: Int64
    """Instant of the fill, ns UTC: the start of its bar."""
    exit_time: Int64
    """Likewise at an open; the end of its bar for a stop or target, which is when it is known."""
    side: Int8
    """+1 long, -1 short."""
    quantity: Float64
    """Units entered, in all."""
    entry_price: Float64
    """Fill price, costs in it but for the commission."""
    exit_price: Float64
    entry_reference: Float64
    """Price before slippage, spread and impact."""
    exit_reference: Float64
    pnl: Float64
    """Money earned, all costs of its fills paid; dividends and interest are the account's."""
    costs: Float64
    """Money paid for its fills: commission, slippage, spread and impact."""
    reason: Int8
    """Why it was left, a code of `execution.REASONS`."""

    @property
    def gross(self) -> Float64:
        """Return before costs, signed by the side: what a label foresees."""
        return self.side * (self.exit_reference / self.entry_reference - 1.0)

    @property
    def net(self) -> Float64:
        """Return after all costs, on the value entered."""
        return self.pnl / (self.quantity * self.entry_price)


class Holdings(NamedTuple):
    """Positions still open at the last bar, marked and not liquidated; all (n_open,)."""

    instrument: Int32
    entry_row: Int64
    quantity: Float64
    """Below 0 short."""
    entry_price: Float64
    value: Float64
    """At the last known close."""
    unrealised: Float64
    """Money that it and what was closed of it earned, commissions paid."""


_LIFE = np.dtype(
    [
        ("row", np.int64),  # of its first fill
        ("exit_row", np.int64),  # of its last one
        ("reason", np.int64),
        ("side", np.int64),
        ("position", np.float64),  # units held now
        ("units_in", np.float64),
        ("value_in", np.float64),
        ("price_in", np.float64),  # means by units
        ("reference_in", np.float64),
        ("units_out", np.float64),
        ("value_out", np.float64),
        ("price_out", np.float64),
        ("reference_out", np.float64),
        ("paid", np.float64),  # commissions
        ("costs", np.float64),  # all kinds
    ],
    align=True,
)
"""A position from its first fill on: units and values, at fill and at reference prices."""


_FILL = np.dtype(
    [
        ("instrument", np.int64),
        ("row", np.int64),
        ("reason", np.int64),
        ("units", np.float64),
        ("left", np.float64),
        ("price", np.float64),
        ("reference", np.float64),
        ("paid", np.float64),
        ("costs", np.float64),
    ],
    align=True,
)


def trades_of(panel: Panel, fills: Fills) -> Trades:
    """The closed round trips."""
    life, _ = _lives(*_columns(panel, fills))
    exit_row, side = life["exit_row"], life["side"]
    inside = (life["reason"] == STOP) | (life["reason"] == TARGET)
    return Trades(
        instrument=panel.asset_id[exit_row],
        entry_row=life["row"].copy(),
        exit_row=exit_row.copy(),
        entry_time=panel.time[life["row"]],
        exit_time=np.where(inside, panel.available_at[exit_row], panel.time[exit_row]),
        side=side.astype(np.int8),
        quantity=life["units_in"].copy(),
        entry_price=life["price_in"].copy(),
        exit_price=life["price_out"].copy(),
        entry_reference=life["reference_in"].copy(),
        exit_reference=life["reference_out"].copy(),
        pnl=side * (life["value_out"] - life["value_in"]) - life["paid"],
        costs=life["costs"].copy(),
        reason=life["reason"].astype(np.int8),
    )


def holdings_of(panel: Panel, fills: Fills) -> Holdings:
    """The positions that no fill closed, marked at their instruments' last closes."""
    _, life = _lives(*_columns(panel, fills))
    row, quantity = life["row"].copy(), life["position"].copy()
    instrument = panel.asset_id[row]
    value = quantity * panel.close[panel.offsets[instrument + 1] - 1]
    flow = life["side"] * (life["value_out"] - life["value_in"]) - life["paid"]
    return Holdings(instrument, row, quantity, life["price_in"].copy(), value, value + flow)


def _columns(panel: Panel, fills: Fills) -> tuple[Records, int]:
    """What pairing needs of each fill, and how many instruments there are."""
    rows = np.zeros(fills.row.size, _FILL)
    rows["instrument"] = panel.asset_id[fills.row]
    rows["row"], rows["reason"] = fills.row, fills.reason
    rows["units"], rows["left"] = fills.side * fills.quantity, fills.left
    rows["price"], rows["reference"] = fills.price, fills.reference
    rows["paid"] = fills.commission
    rows["costs"] = fills.commission + fills.slippage + fills.spread + fills.impact
    return rows, panel.n_instruments


@njit(cache=True)
def _lives(fills: Records, n_instruments: int) -> tuple[Records, Records]:
    """Closed positions in the order of their last fills; open ones by instrument."""
    lives = np.zeros(n_instruments, _LIFE)
    done, n_done = np.empty(fills.size, _LIFE), 0
    for f in range(fills.size):
        fill = fills[f]
        life = lives[fill.instrument]
        held = fill.left - fill.units
        turned = held * fill.left < 0.0
        # A fill that turns a position round ends one and begins another, in proportion.
        closing = 0.0 if held * fill.units >= 0.0 else -held if turned else fill.units
        if closing != 0.0:
            _add(life, fill, closing, False)
            if turned or fill.left == 0.0:
                done[n_done] = life
                n_done += 1
                _clear(life)
        if closing != fill.units:
            if life.units_in == 0.0:
                life.row = fill.row
                life.side = 1 if fill.units > 0.0 else -1
            _add(life, fill, fill.units - closing, True)
        life.position = fill.left
    return done[:n_done], lives[lives["units_in"] != 0.0]


@njit(cache=True)
def _add(life: Any, fill: Any, units: float, is_entry: bool) -> None:
    """Count (part of) a fill to a position."""
    share, size = units / fill.units, abs(units)
    if is_entry:
        before = life.units_in
        life.price_in = _mean(life.price_in, before, fill.price, size)
        life.reference_in = _mean(life.reference_in, before, fill.reference, size)
        life.units_in += size
        life.value_in += size * fill.price
    else:
        before = life.units_out
        life.price_out = _mean(life.price_out, before, fill.price, size)
        life.reference_out = _mean(life.reference_out, before, fill.reference, size)
        life.units_out += size
        life.value_out += size * fill.price
        life.exit_row, life.reason = fill.row, fill.reason
    life.paid += share * fill.paid
    life.costs += share * fill.costs


@njit(cache=True)
def _mean(old: float, of: float, new: float, size: float) -> float:
    return new if of == 0.0 else (old * of + new * size) / (of + size)


@njit(cache=True)
def _clear(life: Any) -> None:
    life.position = life.units_in = life.value_in = life.units_out = life.value_out = 0.0
    life.paid = life.costs = 0.0
