"""A slow account, written from the rules of fills and not from the kernel: layer C2's judge."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.strategies import Decision, Intent, Targets

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
    """What is still to be filled; below 0 sells."""
    reason: str
    rank: float = 0.0
    reserve: float = 0.0


@dataclass
class SlowAccount:
    """Cash, positions and orders by symbol; one instant at a time, each rule a sentence.

    Long only, without limits, impact, borrowing or corporate actions: `beyond` says of which
    account it is no judge.
    """

    panel: Panel
    intent: Intent
    account: AccountConfig
    costs: CostsConfig
    cash: float
    positions: dict[str, _Position] = field(default_factory=dict)
    orders: dict[str, _Order] = field(default_factory=dict)
    fills: list[Expected] = field(default_factory=list)
    taken: dict[str, float] = field(default_factory=dict)
    """Units filled in this bar, bought and sold together."""

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
        self.taken = dict.fromkeys(bars, 0.0)
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

    def _fee(self, quantity: float, price: float, sells: bool = False) -> float:
        costs, value = self.costs, quantity * price
        paid = value * costs.commission_bp * 1e-4 + quantity * costs.commission_per_unit
        paid = max(paid, costs.commission_minimum)
        if sells:
            paid += value * costs.sell_fee_bp * 1e-4 + quantity * costs.sell_fee_per_unit
        return math.floor(paid * 100 * (1 + 1e-12) + 0.5) / 100 if costs.round_to_cents else paid

    def _units(self, quantity: float) -> float:
        is_whole = self.account.units == "whole"
        return float(math.floor(quantity * (1 + 1e-12))) if is_whole else quantity

    def _through(self, symbol: str, row: int, quantity: float) -> float:
        """As much of a quantity as the bar's volume lets through, whole where units are."""
        cap = self.costs.volume_cap
        if cap is not None:
            left = cap * float(self.panel.volume[row]) - self.taken[symbol]
            quantity = min(quantity, max(left, 0.0))
        return self._units(quantity)

    def _equity(self) -> float:
        return self.cash + sum(p.quantity * p.close for p in self.positions.values())

    def _open(self, bars: dict[str, int]) -> None:
        """Sells first, then buys by rank and symbol, each cut to what the cash pays.

        What waits for a bar keeps its reserve, and so does what the volume left of an order.
        """
        for symbol in sorted(self.orders):
            order = self.orders[symbol]
            if order.quantity < 0 and symbol in bars:
                at = bars[symbol], order.row
                self._sell(symbol, at, float(self.panel.open[at[0]]), True, order.reason)
        buys = [s for s in sorted(self.orders) if self.orders[s].quantity > 0]
        kept = sum(self.orders[s].reserve for s in buys if s not in bars)
        here = sorted((s for s in buys if s in bars), key=lambda s: -self.orders[s].rank)
        for symbol in here:
            self._buy(symbol, bars[symbol], self.cash - kept)
            kept += self.orders[symbol].reserve if symbol in self.orders else 0.0

    def _buy(self, symbol: str, row: int, payable: float) -> None:
        order = self.orders[symbol]
        reference = float(self.panel.open[row])
        price = reference * (1 + self._worse)
        quantity = self._through(symbol, row, order.quantity)
        if quantity <= 0:
            return
        is_cut = quantity * price + self._fee(quantity, price) > payable
        if is_cut:
            rate = price * (1 + self.costs.commission_bp * 1e-4) + self.costs.commission_per_unit
            quantity = payable / rate
            quantity = min(quantity, (payable - self._fee(max(quantity, 0.0), price)) / price)
            quantity = self._units(max(0.0, quantity))
        left = order.quantity - quantity
        if is_cut or left <= order.quantity * _DUST:
            del self.orders[symbol]
        else:
            order.reserve *= left / order.quantity
        if is_cut and quantity <= order.quantity * _DUST:
            return
        order.quantity = left
        paid = self._fee(quantity, price)
        self.cash -= quantity * price + paid
        self.taken[symbol] += quantity
        self.fills.append(Expected(row, order.row, quantity, price, reference, paid, "entry"))
        if symbol in self.positions:
            self.positions[symbol].quantity += quantity
            return
        up, down = (float(w[order.row]) for w in (self.intent.up, self.intent.down))
        self.positions[symbol] = _Position(
            quantity, row, reference * (1 + up) if not math.isnan(up) else math.inf,
            reference * (1 - down) if not math.isnan(down) else -math.inf, reference,
        )  # fmt: skip

    def _sell(
        self, symbol: str, at: tuple[int, int], reference: float, worse: bool, reason: str
    ) -> None:
        """Sell all of a position that the volume lets through."""
        position = self.positions[symbol]
        quantity = self._through(symbol, at[0], position.quantity)
        if quantity <= 0:
            return
        price = reference * (1 - self._worse) if worse else reference
        paid = self._fee(quantity, price, sells=True)
        self.cash += quantity * price - paid
        self.taken[symbol] += quantity
        self.fills.append(Expected(*at, -quantity, price, reference, paid, reason))
        position.quantity -= quantity
        order = self.orders.get(symbol)
        if position.quantity <= 0:
            del self.positions[symbol]
            self.orders.pop(symbol, None)
        elif order is not None and order.quantity < 0:
            order.quantity = -position.quantity

    def _barriers(self, bars: dict[str, int]) -> None:
        """The stop before the target; at the open where the bar opens beyond, but on entry.

        The rest of a stop is a market order; a target goes on resting. Nothing more is bought.
        """
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
            else:
                continue
            if symbol in self.orders and self.orders[symbol].quantity > 0:
                del self.orders[symbol]
            is_stop = low <= position.lower and not (position.held and opened > position.upper)
            if symbol in self.positions and is_stop:
                self.orders[symbol] = _Order(row, -position.quantity, "stop")

    def _exits(self, bars: dict[str, int]) -> None:
        for symbol, position in self.positions.items():
            order = self.orders.get(symbol)
            if symbol not in bars or (order is not None and order.quantity < 0):
                continue
            row = bars[symbol]
            due = position.held >= self.intent.hold_bars
            heard = position.held >= self.intent.min_hold_bars
            if due or (heard and self.intent.leave[row]):
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
        rates = self.costs.commission_bp * 1e-4 + self._worse
        for symbol in wishing:
            if free <= 0 or money <= equity * _DUST:
                break
            row = bars[symbol]
            close = float(self.panel.close[row])
            dearer = 1 + rates + self.costs.commission_per_unit / close
            wished = float(self.intent.weight[row]) * equity / close
            quantity = self._units(min(wished, money / (close * dearer)))
            if quantity <= 0:
                continue
            reserve = close * quantity * dearer
            rank = float(self.intent.rank[row])
            self.orders[symbol] = _Order(row, quantity, "entry", rank, reserve)
            money -= reserve
            free -= 1


def beyond(decision: Decision, account: AccountConfig, costs: CostsConfig) -> str | None:
    """Why the slow account is no judge of such a run, or None where it is."""
    if isinstance(decision, Targets):
        return "weights instead of wishes"
    if decision.side is not None and bool((decision.side[decision.enter] < 0).any()):
        return "short positions"
    if account != AccountConfig(cash=account.cash, units=account.units):
        return "a margin account, limits of the account, or another reading of ambiguous bars"
    if costs.spread is not None:
        return "a measured spread"
    if costs.impact > 0 or costs.borrow_bp > 0 or costs.financing_bp > 0:
        return "impact, borrowing or financing"
    return None


def followed(
    panel: Panel, intent: Intent, account: AccountConfig, costs: CostsConfig
) -> tuple[SlowAccount, Float64, Float64]:
    """A slow account that followed an intent over a panel, its equity and its cash."""
    slow = SlowAccount(panel, intent, account, costs, account.cash)
    equity, cash = slow.walk()
    return slow, np.array(equity), np.array(cash)
