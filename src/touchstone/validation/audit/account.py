"""A slow account, written from the rules of fills and not from the kernel: layer C2's judge."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.strategies import Intent

_DUST = 1e-6


class Expected(NamedTuple):
    """One fill that the rules ask for."""

    row: int
    order_row: int
    quantity: float
    """Above 0 bought, below 0 sold."""
    price: float
    reference: float
    commission: float
    reason: str


@dataclass
class _Position:
    quantity: float
    entry_row: int
    upper: float
    lower: float
    close: float
    held: int = 0


@dataclass
class _Order:
    row: int
    quantity: float
    reason: str
    rank: float = 0.0
    reserve: float = 0.0


@dataclass
class SlowAccount:
    """Cash, positions and orders by symbol; one instant at a time, each rule a sentence."""

    panel: Panel
    intent: Intent
    costs: CostsConfig
    cash: float
    positions: dict[str, _Position] = field(default_factory=dict)
    orders: dict[str, _Order] = field(default_factory=dict)
    fills: list[Expected] = field(default_factory=list)

    def walk(self) -> tuple[list[float], list[float]]:
        """Equity and cash after each instant of the panel."""
        names = sorted(self.panel.symbols)
        place = [self.panel.symbols.index(s) for s in names]
        equity, cash = [], []
        for rows in self.panel.blocks().row[:, place].tolist():
            bars = {s: row for s, row in zip(names, rows, strict=True) if row >= 0}
            equity.append(self.instant(bars))
            cash.append(self.cash)
        return equity, cash

    def instant(self, bars: dict[str, int]) -> float:
        """One bar: opening fills, barriers, marks, decisions; the equity after it."""
        self._open(bars)
        self._barriers(bars)
        for symbol, position in self.positions.items():
            if symbol in bars:
                position.close = float(self.panel.close[bars[symbol]])
                position.held += 1
        equity = self._equity()
        self._exits(bars)
        self._entries(bars, equity)
        return equity

    @property
    def _worse(self) -> float:
        return (self.costs.slippage_bp + self.costs.half_spread_bp) * 1e-4

    def _commission(self, value: float) -> float:
        paid = abs(value) * self.costs.commission_bp * 1e-4
        return (
            math.floor(paid * 100 * (1 + 1e-12) + 0.5) / 100 if self.costs.round_to_cents else paid
        )

    def _equity(self) -> float:
        return self.cash + sum(p.quantity * p.close for p in self.positions.values())

    def _open(self, bars: dict[str, int]) -> None:
        """Sells first, then buys by rank and symbol, each cut to what the cash pays."""
        for symbol in sorted(self.orders):
            order = self.orders[symbol]
            if order.quantity < 0 and symbol in bars:
                row = bars[symbol]
                self._sell(
                    symbol, (row, order.row), float(self.panel.open[row]), True, order.reason
                )
        buys = [s for s in sorted(self.orders) if self.orders[s].quantity > 0]
        waiting = sum(self.orders[s].reserve for s in buys if s not in bars)
        here = sorted((s for s in buys if s in bars), key=lambda s: -self.orders[s].rank)
        for symbol in here:
            self._buy(symbol, bars[symbol], self.cash - waiting)

    def _buy(self, symbol: str, row: int, payable: float) -> None:
        order = self.orders.pop(symbol)
        reference = float(self.panel.open[row])
        price, quantity = reference * (1 + self._worse), order.quantity
        if quantity * price + self._commission(quantity * price) > payable:
            value = payable / (1 + self.costs.commission_bp * 1e-4)
            quantity = max(0.0, min(value, payable - self._commission(value))) / price
        if quantity <= order.quantity * _DUST:
            return
        paid = self._commission(quantity * price)
        self.cash -= quantity * price + paid
        up, down = (float(w[order.row]) for w in (self.intent.up, self.intent.down))
        self.positions[symbol] = _Position(
            quantity, row, reference * (1 + up) if not math.isnan(up) else math.inf,
            reference * (1 - down) if not math.isnan(down) else -math.inf, reference,
        )  # fmt: skip
        self.fills.append(Expected(row, order.row, quantity, price, reference, paid, "entry"))

    def _sell(
        self, symbol: str, at: tuple[int, int], reference: float, worse: bool, reason: str
    ) -> None:
        position = self.positions.pop(symbol)
        price = reference * (1 - self._worse) if worse else reference
        paid = self._commission(position.quantity * price)
        self.cash += position.quantity * price - paid
        self.fills.append(Expected(*at, -position.quantity, price, reference, paid, reason))
        self.orders.pop(symbol, None)

    def _barriers(self, bars: dict[str, int]) -> None:
        """The stop before the target; at the open where the bar opens beyond, but on entry."""
        panel = self.panel
        for symbol in sorted(self.positions):
            position = self.positions[symbol]
            if symbol not in bars:
                continue
            row = bars[symbol]
            opened, high, low = (float(c[row]) for c in (panel.open, panel.high, panel.low))
            at = row, position.entry_row
            if position.held and opened <= position.lower:
                self._sell(symbol, at, opened, True, "stop")
            elif position.held and opened > position.upper:
                self._sell(symbol, at, opened, False, "target")
            elif low <= position.lower:
                self._sell(symbol, at, position.lower, True, "stop")
            elif high > position.upper:
                self._sell(symbol, at, position.upper, False, "target")

    def _exits(self, bars: dict[str, int]) -> None:
        for symbol, position in self.positions.items():
            if symbol not in bars or symbol in self.orders:
                continue
            row = bars[symbol]
            due = position.held >= self.intent.hold_bars
            if due or self.intent.leave[row]:
                reason = "time" if due else "probability"
                self.orders[symbol] = _Order(row, -position.quantity, reason)

    def _entries(self, bars: dict[str, int], equity: float) -> None:
        """Wishes by rank, then symbol, into free slots, sized by equity and close of now."""
        free, money = self.intent.max_positions, self.cash
        for symbol in sorted({*self.positions, *self.orders}):
            order = self.orders.get(symbol)
            if order is not None and order.quantity < 0:
                left = 1 - self.costs.commission_bp * 1e-4 - self._worse
                money -= order.quantity * self.positions[symbol].close * left
            else:
                free -= 1
                money -= 0.0 if order is None else order.reserve
        wishing = [
            s for s in sorted(bars)
            if self.intent.enter[bars[s]] and s not in self.positions and s not in self.orders
        ]  # fmt: skip
        wishing.sort(key=lambda s: -float(self.intent.rank[bars[s]]))
        dearer = 1 + self.costs.commission_bp * 1e-4 + self._worse
        for symbol in wishing[: max(free, 0)]:
            if money <= equity * _DUST:
                break
            row = bars[symbol]
            close = float(self.panel.close[row])
            wished = float(self.intent.weight[row]) * equity / close
            quantity = min(wished, money / (close * dearer))
            reserve = close * quantity * dearer
            rank = float(self.intent.rank[row])
            self.orders[symbol] = _Order(row, quantity, "entry", rank, reserve)
            money -= reserve


def followed(
    panel: Panel, intent: Intent, account: AccountConfig, costs: CostsConfig
) -> tuple[SlowAccount, Float64, Float64]:
    """A slow account that followed an intent over a panel, its equity and its cash."""
    slow = SlowAccount(panel, intent, costs, account.cash)
    equity, cash = slow.walk()
    return slow, np.array(equity), np.array(cash)
