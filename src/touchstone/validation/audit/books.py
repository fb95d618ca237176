"""What a fill costs and lets through, by the rules: the lower half of the audit's slow account."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from touchstone.execution import AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.strategies import Intent

BP = 1e-4
DUST = 1e-6


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
class Position:
    """Units of one instrument, its barriers, and its last bar."""

    quantity: float
    entry_row: int
    upper: float
    lower: float
    close: float
    row: int
    held: int = 0


@dataclass
class Order:
    """A market order that works; below 0 sells."""

    row: int
    quantity: float
    reason: str
    rank: float = 0.0
    reserve: float = 0.0


@dataclass
class Limits:
    """High-water mark, the day's beginning, and whether the account is out."""

    peak: float
    equity: float
    day_equity: float
    day: int = -1
    out: int = 0


@dataclass
class SlowBooks:
    """Cash, positions and orders by symbol, and how a fill changes them."""

    panel: Panel
    intent: Intent
    costs: CostsConfig
    account: AccountConfig
    cash: float
    limits: Limits
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Expected] = field(default_factory=list)
    taken: dict[str, float] = field(default_factory=dict)
    """Units filled in this bar."""
    moved: dict[str, tuple[float, int]] = field(default_factory=dict)
    """What own fills moved a price, signed fraction, and at which instant."""
    barred: dict[str, int] = field(default_factory=dict)
    """Instant before which a symbol is not entered again: it was stopped."""
    clock: int = 0

    # -- what a fill costs

    def _half_spread(self, row: int) -> float:
        """What was measured at the close before this bar, or else the configured one."""
        first = int(self.panel.offsets[self.panel.asset_id[row]])
        if self.costs.spread is not None and row > first:
            known = float(self.panel.side[self.costs.spread][row - 1]) / 2
            if math.isfinite(known):
                return known
        return self.costs.half_spread_bp * BP

    def _worse(self, row: int) -> float:
        return self.costs.slippage_bp * BP + self._half_spread(row)

    def _halted(self, row: int) -> bool:
        return self.panel.happened is not None and bool(self.panel.happened.halted[row])

    def _impact(self, row: int, quantity: float) -> float:
        """Y sigma (quantity / volume) ^ power, by the 48 returns before the bar.

        A return is what the share of the close before has become, its dividend with it.
        """
        volume = float(self.panel.volume[row])
        if self.costs.impact == 0 or volume <= 0 or self._halted(row):
            return 0.0
        first = int(self.panel.offsets[self.panel.asset_id[row]])
        past = slice(max(row - 49, first), row)
        closes = became = self.panel.close[past]
        if closes.size < 2:
            return 0.0
        if self.panel.happened is not None:
            happened = self.panel.happened
            became = (closes + happened.dividend[past]) * happened.ratio[past]
        sigma = math.sqrt(float(np.mean((became[1:] / closes[:-1] - 1) ** 2)))
        return self.costs.impact * sigma * float((quantity / volume) ** self.costs.impact_power)

    def _moved(self, symbol: str) -> float:
        """What is left of the price's move by own fills, signed."""
        past, at = self.moved.get(symbol, (0.0, 0))
        half_life = self.costs.impact_half_life
        return past * 0.5 ** ((self.clock - at) / half_life) if half_life > 0 else 0.0

    def _commission(self, quantity: float, price: float, sells: bool = False) -> float:
        costs, value = self.costs, quantity * price
        paid = value * costs.commission_bp * BP + quantity * costs.commission_per_unit
        paid = max(paid, costs.commission_minimum)
        if sells:
            paid += value * costs.sell_fee_bp * BP + quantity * costs.sell_fee_per_unit
        if costs.round_to_cents:
            paid = math.floor(paid * 100 * (1 + 1e-12) + 0.5) / 100
        return min(paid, value) if sells else paid

    def _units(self, quantity: float) -> float:
        return math.floor(quantity * (1 + 1e-12)) if self.account.units == "whole" else quantity

    def _let_through(self, symbol: str, row: int, quantity: float) -> float:
        """As much as the bar's volume still lets through; nothing in a halt."""
        if self._halted(row):
            return 0.0
        if self.costs.volume_cap is not None:
            most = self.costs.volume_cap * float(self.panel.volume[row])
            quantity = min(quantity, max(0.0, most - self.taken.get(symbol, 0.0)))
        return self._units(quantity)

    def _payable(self, money: float, price: float) -> float:
        """The units that so much money buys, commission included."""
        costs = self.costs
        rate = price * (1 + costs.commission_bp * BP) + costs.commission_per_unit
        quantity = min(money / rate, max(0.0, money - costs.commission_minimum) / price)
        paid = self._commission(quantity, price)
        return self._units(max(0.0, min(quantity, (money - paid) / price)))

    def _note(self, symbol: str, side: int, fill: Expected, impact: float) -> None:
        self.taken[symbol] = self.taken.get(symbol, 0.0) + abs(fill.quantity)
        if impact > 0 and self.costs.impact_half_life > 0:
            self.moved[symbol] = (self._moved(symbol) + side * impact, self.clock)
        self.fills.append(fill)

    # -- fills

    def _open(self, bars: dict[str, int]) -> None:
        """Sells first, then buys by rank and symbol, each cut to what the cash pays."""
        for symbol in sorted(self.orders):
            order = self.orders[symbol]
            if order.quantity < 0 and symbol in bars:
                row = bars[symbol]
                at = row, order.row
                self._sell(symbol, at, float(self.panel.open[row]), True, order.reason)
        buys = [s for s in sorted(self.orders) if self.orders[s].quantity > 0]
        trading = {s for s in buys if s in bars and not self._halted(bars[s])}
        waiting = sum(self.orders[s].reserve for s in buys if s not in trading)
        here = sorted((s for s in buys if s in trading), key=lambda s: -self.orders[s].rank)
        for symbol in here:
            self._buy(symbol, bars[symbol], self._spendable() - waiting)
            if symbol in self.orders:
                waiting += self.orders[symbol].reserve

    def _spendable(self) -> float:
        """The cash, and of it what the gross limit lets into the market."""
        share = self.account.max_gross
        if share >= 1:
            return self.cash
        held = sum(p.quantity * p.close for _, p in sorted(self.positions.items()))
        return min(self.cash, share * (self.cash + held) - held)

    def _buy(self, symbol: str, row: int, payable: float) -> None:
        order, reference = self.orders[symbol], float(self.panel.open[row])
        wanted = order.quantity
        quantity = self._let_through(symbol, row, wanted)
        if quantity <= 0:
            return
        worse = self._worse(row) + max(0.0, self._moved(symbol))
        impact = self._impact(row, quantity)
        price = reference * (1 + worse + impact)
        is_cut = quantity * price + self._commission(quantity, price) > payable
        if is_cut:
            quantity = self._payable(payable, price)
            if quantity <= wanted * DUST:
                del self.orders[symbol]
                return
            impact = self._impact(row, quantity)
            price = reference * (1 + worse + impact)
        paid = self._commission(quantity, price)
        self.cash -= quantity * price + paid
        if symbol in self.positions:
            self.positions[symbol].quantity += quantity
        else:
            up, down = (float(w[order.row]) for w in (self.intent.up, self.intent.down))
            self.positions[symbol] = Position(
                quantity, row, reference * (1 + up) if not math.isnan(up) else math.inf,
                reference * (1 - down) if not math.isnan(down) else -math.inf, reference, row,
            )  # fmt: skip
        fill = Expected(row, order.row, quantity, price, reference, paid, order.reason)
        self._note(symbol, 1, fill, impact)
        left = wanted - quantity
        if is_cut or left <= wanted * DUST:
            del self.orders[symbol]
        else:
            order.reserve *= left / wanted
            order.quantity = left

    def _sell(
        self, symbol: str, at: tuple[int, int], reference: float, worse: bool, reason: str
    ) -> None:
        """Sell what the volume lets through; an order to sell works on for the rest."""
        position, row = self.positions[symbol], at[0]
        quantity = self._let_through(symbol, row, position.quantity)
        if quantity <= 0:
            return
        impact, price = 0.0, reference
        if worse:
            impact = self._impact(row, quantity)
            rate = self._worse(row) + max(0.0, -self._moved(symbol)) + impact
            price = reference * (1 - rate)
        paid = self._commission(quantity, price, sells=True)
        self.cash += quantity * price - paid
        position.quantity -= quantity
        fill = Expected(*at, -quantity, price, reference, paid, reason)
        self._note(symbol, -1, fill, impact)
        if position.quantity == 0:
            del self.positions[symbol]
            self.orders.pop(symbol, None)
        elif symbol in self.orders and self.orders[symbol].quantity < 0:
            self.orders[symbol].quantity = -position.quantity
