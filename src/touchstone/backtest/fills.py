"""Every fill of an account, and what each lost to costs, by kind."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int8, Int64
from touchstone.execution.records import Tape


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
    """The price before slippage, spread and impact: open, stop or target."""
    commission: Float64
    """Money, fees in it, as are the three below: cost of a fill = their sum."""
    slippage: Float64
    spread: Float64
    impact: Float64
    left: Float64
    """The position after it, units, below 0 short."""
    reason: Int8
    """A code of `execution.REASONS`."""


class Paid(NamedTuple):
    """Money that trading cost, by kind."""

    commission: float
    slippage: float
    spread: float
    impact: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.commission + self.slippage + self.spread + self.impact


def fills_of(tape: Tape) -> Fills:
    """A tape's fills, and what each lost to costs."""
    filled = tape.fills[: min(int(tape.n[0]), tape.fills.size)]
    signed, price, reference = filled["quantity"], filled["price"], filled["reference"]
    quantity = np.abs(signed)
    worth = quantity * reference
    return Fills(
        row=filled["row"].copy(),
        order_row=filled["order_row"].copy(),
        side=np.sign(signed).astype(np.int8),
        quantity=quantity,
        price=price.copy(),
        reference=reference.copy(),
        commission=filled["commission"].copy(),
        slippage=worth * filled["slippage"],
        spread=worth * filled["spread"],
        impact=worth * filled["impact"],
        left=filled["left"].copy(),
        reason=filled["reason"].astype(np.int8),
    )


def paid(fills: Fills) -> Paid:
    """What all fills cost, by kind."""
    columns = (fills.commission, fills.slippage, fills.spread, fills.impact)
    return Paid(*(float(c.sum()) for c in columns))
