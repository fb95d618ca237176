"""What `touchstone backtest --json` prints: the money, and every trade, fill and open position."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from touchstone.reports.contents import Contents, Count, Money, Price, Ratio, Unit
from touchstone.reports.measured import Performance

Instant = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"),
    Unit("time, UTC, YYYY-MM-DDTHH:MM:SSZ"),
]
"""An instant, to the second."""
Units = Annotated[float, Unit("units of the instrument")]
"""Shares, coins, contracts."""
Side = Literal["long", "short"]


class FillRow(Contents):
    """One fill."""

    symbol: str
    """Instrument."""
    time: Instant
    """Start of the bar that filled it."""
    ordered: Instant
    """Start of the bar at whose close it was ordered; for a stop or target of a position, that of
    the bar that entered it."""
    side: Literal["buy", "sell"]
    """Which way."""
    quantity: Units
    """How much, above 0."""
    price: Price
    """What was paid or received, slippage, spread and impact in it."""
    reference: Price
    """Before slippage, spread and impact: the open, the stop, the target, the limit."""
    commission: Money
    """Commission and fees, rounded to cents where the costs say so."""
    slippage: Money
    """Lost to it: quantity x reference x its rate."""
    spread: Money
    """Lost to half the spread."""
    impact: Money
    """Lost to the own impact on the price."""
    position: Units
    """Held of the instrument after it, below 0 short."""
    reason: str
    """`entry`, `time`, `probability`, `stop`, `target`, `rebalance`, `order` (given from outside),
    `limit` (a loss limit of the account), `delisted`, `in_lieu`."""


class TradeRow(Contents):
    """A closed round trip, from flat to flat; parts of it are at average prices."""

    symbol: str
    """Instrument."""
    side: Side
    """Bought first, or sold first."""
    entry_time: Instant
    """Start of the bar of its first fill."""
    exit_time: Instant
    """Start of the bar of its last fill; the bar's end where a stop or target of the position was
    met inside it, which is when that is known."""
    quantity: Units
    """Entered in all."""
    entry_price: Price
    """Mean fill price, costs in it but for the commission."""
    exit_price: Price
    """Likewise."""
    entry_reference: Price
    """Mean price before slippage, spread and impact."""
    exit_reference: Price
    """Likewise."""
    pnl: Money
    """Earned, all costs paid."""
    costs: Money
    """Commission, slippage, spread and impact of its fills."""
    reason: str
    """Why it was left, as `reason` of a fill."""


class HoldingRow(Contents):
    """A position still open at the last bar: marked there, not sold."""

    symbol: str
    """Instrument."""
    entry_time: Instant
    """Start of the bar of its first fill."""
    quantity: Units
    """Held, below 0 short."""
    entry_price: Price
    """Mean fill price."""
    value: Money
    """At the instrument's last close."""
    unrealised: Money
    """What it and what was closed of it earned, commissions paid."""


class BacktestResult(Contents):
    """The document."""

    schema_version: Literal[1] = 1
    """Version of these keys."""
    fingerprint: str
    """Hexadecimal digits that name the candidate in the ledger: terms and decisions."""
    decided_by: Literal["scores", "orders"]
    """What the account followed."""
    n_scores: Count | None
    """Scores on the bars that were traded; null where orders were given."""
    n_orders: Count | None
    """Orders and cancels given; null where scores were."""
    entry_threshold: Ratio | None
    """The threshold that `tune` found; null where none was asked for."""
    performance: Performance
    """The figures, as `market.sealed` of a study's [result.json](result.md#marketsealed)."""
    n_cut: Count
    """Fills smaller than ordered, for want of money."""
    n_partial: Count
    """Fills smaller than ordered, for want of volume."""
    n_rejected: Count
    """Wishes and orders that the money could not pay at all, or that had nothing to sell."""
    n_ambiguous: Count
    """Bars that spanned stop and target of a position."""
    ambiguous: Money
    """Between the two readings of such bars."""
    dividends: Money
    """Received, less what was paid on shorts."""
    financed: Money
    """Paid for borrowing."""
    final_cash: Money
    """Cash after the last bar."""
    final_equity: Money
    """Cash and positions at their last closes."""
    config: dict[str, Any]
    """The terms as parsed; a cost or limit that is not named has its default."""
    trades: tuple[TradeRow, ...]
    """All of them, in the order of their exits."""
    fills: tuple[FillRow, ...]
    """All of them, in the order they happened."""
    holdings: tuple[HoldingRow, ...]
    """What is still open."""


_ROWS = ("trades", "fills", "holdings")


def as_json(result: BacktestResult) -> str:
    """The document as text: one line a trade, fill and holding, so that it can be searched."""
    told = json.loads(result.model_dump_json())
    rows = {name: told.pop(name) for name in _ROWS}
    lines = json.dumps(told, indent=1, allow_nan=False).removesuffix("\n}")
    for name, of in rows.items():
        inner = ",\n  ".join(json.dumps(row, allow_nan=False) for row in of)
        lines += f',\n "{name}": [' + (f"\n  {inner}\n ]" if of else "]")
    return lines + "\n}"
