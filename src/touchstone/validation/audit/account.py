"""A slow account, written from the rules of fills and not from the kernel: layer C2's judge."""

import math

import numpy as np

from touchstone.arrays import Float64
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.strategies import Decision, Intent
from touchstone.validation.audit.books import BP, DUST, Expected, Limits, Order, Position, SlowBooks

_DAY_OUT, _OUT = 1, 2


def not_recomputed(intent: Decision, account: AccountConfig) -> str | None:
    """What of an account these rules do not know, in words; None where they know all of it."""
    if not isinstance(intent, Intent):
        return "a strategy that names weights"
    if account.short:
        return "an account that may be short"
    return None


class SlowAccount(SlowBooks):
    """One instant at a time, each rule a sentence."""

    def walk(self) -> tuple[list[float], list[float]]:
        """Equity and cash after each instant of the panel."""
        names = sorted(self.panel.symbols)
        place = [self.panel.symbols.index(s) for s in names]
        blocks = self.panel.blocks()
        days = self.panel.calendar.day(blocks.time).tolist()
        ends = self._ends()
        equity, cash = [], []
        for t, rows in enumerate(blocks.row[:, place].tolist()):
            bars = {s: row for s, row in zip(names, rows, strict=True) if row >= 0}
            gone = [e[1:] for e in ends if e[0] == t]
            equity.append(self.instant(bars, days[t], gone))
            cash.append(self.cash)
        return equity, cash

    def instant(self, bars: dict[str, int], day: int, gone: list[tuple[str, float]]) -> float:
        """One bar: actions, opening fills, barriers, marks, decisions; the equity after it."""
        self.clock += 1
        self.taken = {}
        self._actions(bars, gone)
        self._open(bars)
        self._barriers(bars)
        for symbol, position in self.positions.items():
            if symbol in bars:
                position.close = float(self.panel.close[bars[symbol]])
                position.row = bars[symbol]
                position.held += 1
        self._mark(day)
        self._exits(bars)
        if not self.limits.out:
            self._entries(bars, self.limits.equity)
        return self.limits.equity

    # -- corporate actions

    def _ends(self) -> list[tuple[int, str, float]]:
        """(instant, symbol, recovery) of every delisting that the panel lives to see."""
        happened, time, found = self.panel.happened, self.panel.blocks().time, []
        if happened is None:
            return []
        for row in np.flatnonzero(~np.isnan(happened.recovery)).tolist():
            holds = max(int(happened.gone[row]), int(self.panel.time[row]) + 1)
            later = np.flatnonzero(time >= holds)
            if later.size:
                symbol = self.panel.symbols[int(self.panel.asset_id[row])]
                found.append((int(later[0]), symbol, float(happened.recovery[row])))
        return found

    def _actions(self, bars: dict[str, int], gone: list[tuple[str, float]]) -> None:
        """Splits change quantity, prices and orders; dividends are paid; a delisting closes."""
        happened = self.panel.happened
        for symbol, row in bars.items() if happened is not None else ():
            assert happened is not None
            ratio, dividend = float(happened.ratio[row]), float(happened.dividend[row])
            position, order = self.positions.get(symbol), self.orders.get(symbol)
            whole = self.account.units == "whole"
            if ratio != 1 and order is not None:
                order.quantity *= ratio
                order.quantity = math.trunc(order.quantity) if whole else order.quantity
                if order.quantity == 0:
                    del self.orders[symbol]
            if position is None:
                continue
            if ratio != 1:
                self._split(symbol, position, ratio, row)
            if symbol in self.positions:
                self.cash += position.quantity * dividend
        for symbol, recovery in gone:
            self.orders.pop(symbol, None)
            position = self.positions.pop(symbol, None)
            if position is not None:
                price = position.close * recovery
                self.cash += position.quantity * price
                at = position.row, position.entry_row
                self.fills.append(Expected(*at, -position.quantity, price, price, 0.0, "delisted"))

    def _split(self, symbol: str, position: Position, ratio: float, row: int) -> None:
        position.quantity *= ratio
        position.upper, position.lower = position.upper / ratio, position.lower / ratio
        position.close /= ratio
        rest = position.quantity - math.floor(position.quantity + 1e-9)
        if self.account.units != "whole" or rest <= 1e-9:
            return
        position.quantity -= rest
        self.cash += rest * position.close
        price = position.close
        self.fills.append(Expected(row, position.entry_row, -rest, price, price, 0.0, "in_lieu"))
        if position.quantity == 0:
            del self.positions[symbol]

    def _barriers(self, bars: dict[str, int]) -> None:
        """The stop before the target; at the open where the bar opens beyond, but on entry."""
        for symbol in sorted(self.positions):
            if symbol not in bars or self._halted(bars[symbol]):
                continue
            position, row = self.positions[symbol], bars[symbol]
            met = self._met(position, self._prices(row), position.held == 0)
            if met is None:
                continue
            reason, price, is_unsure = met
            if is_unsure and self.account.ambiguity == "optimistic":
                reason, price = "target", position.upper
            elif is_unsure and self.account.ambiguity == "finer":
                reason, price = self._inside(position, row) or (reason, price)
            self._leave(symbol, row, price, reason)

    def _leave(self, symbol: str, row: int, price: float, reason: str) -> None:
        """What is left of a stop is sold at the next open; nothing is bought any more."""
        position = self.positions[symbol]
        if symbol in self.orders and self.orders[symbol].quantity > 0:
            del self.orders[symbol]
        if reason == "stop":
            self.barred[symbol] = self.clock + self.account.cool_down
        self._sell(symbol, (row, position.entry_row), price, reason == "stop", reason)
        if reason == "stop" and symbol in self.positions:
            self.orders[symbol] = Order(row, -position.quantity, "stop")

    def _prices(self, row: int) -> tuple[float, float, float]:
        panel = self.panel
        return float(panel.open[row]), float(panel.high[row]), float(panel.low[row])

    @staticmethod
    def _met(
        position: Position, bar: tuple[float, float, float], entered: bool
    ) -> tuple[str, float, bool] | None:
        """Which barrier a bar meets, at what price, and whether it does not say which first."""
        (opened, high, low), upper, lower = bar, position.upper, position.lower
        if not entered and opened <= lower:
            return "stop", opened, False
        if not entered and opened > upper:
            return "target", opened, False
        if low <= lower:
            return "stop", lower, high > upper and (entered or opened < upper)
        return ("target", upper, False) if high > upper else None

    def _inside(self, position: Position, row: int) -> tuple[str, float] | None:
        """The first barrier that the bars of a shorter timeframe meet."""
        finer, panel = self.panel.finer, self.panel
        symbol = panel.symbols[int(panel.asset_id[row])]
        if finer is None or symbol not in finer.symbols:
            return None
        bars = finer.bars(finer.symbols.index(symbol))
        within = (bars.time >= panel.time[row]) & (bars.time < panel.available_at[row])
        for k, f in enumerate(np.flatnonzero(within).tolist()):
            bar = float(bars.open[f]), float(bars.high[f]), float(bars.low[f])
            met = self._met(position, bar, position.held == 0 and k == 0)
            if met is not None:
                return met[:2]
        return None

    # -- the close

    def _mark(self, day: int) -> None:
        """Equity, and the limits of loss: a day's, and from the high-water mark for good."""
        limits = self.limits
        if day != limits.day:
            limits.day, limits.day_equity = day, limits.equity
            limits.out = 0 if limits.out == _DAY_OUT else limits.out
        held = sum(p.quantity * p.close for _, p in sorted(self.positions.items()))
        limits.equity = self.cash + held
        limits.peak = max(limits.peak, limits.equity)
        drawdown, loss = self.account.drawdown, self.account.daily_loss
        if drawdown is not None and limits.equity <= limits.peak * (1 - drawdown):
            limits.out = _OUT
        elif loss is not None and limits.equity <= limits.day_equity * (1 - loss):
            limits.out = max(limits.out, _DAY_OUT)

    def _exits(self, bars: dict[str, int]) -> None:
        if self.limits.out:
            self.orders = {s: o for s, o in self.orders.items() if s in self.positions}
        for symbol, position in self.positions.items():
            working = self.orders.get(symbol)
            if working is not None and working.quantity < 0:
                continue
            if symbol not in bars and not self.limits.out:
                continue
            row = bars.get(symbol, position.row)
            due = position.held >= self.intent.hold_bars
            unwished = self.intent.leave[row] and position.held >= self.intent.min_hold_bars
            if due or self.limits.out or unwished:
                reason = "time" if due else "limit" if self.limits.out else "probability"
                self.orders[symbol] = Order(row, -position.quantity, reason)

    def _room(self, equity: float) -> tuple[int, float]:
        """Free slots, and the money that wishes may reserve."""
        free, money = self.intent.max_positions, self.cash
        gross = self.account.max_gross * equity
        for symbol in sorted({*self.positions, *self.orders}):
            order, position = self.orders.get(symbol), self.positions.get(symbol)
            value = 0.0 if position is None else position.quantity * position.close
            if order is not None and order.quantity < 0:
                left = 1 - self.costs.commission_bp * BP
                left -= (self.costs.slippage_bp + self.costs.half_spread_bp) * BP
                money += value * left
            else:
                free -= 1
                reserve = 0.0 if order is None else order.reserve
                money -= reserve
                gross -= value + reserve
        return free, min(money, gross) if self.account.max_gross < 1 else money

    def _most(self, symbol: str, equity: float) -> float:
        """Value that the limits of one instrument and of its group leave."""
        most = self.account.max_weight * equity
        group, share = self.panel.groups.get(symbol), self.account.max_group
        if share is None:
            return most
        held = 0.0
        for other in sorted({*self.positions, *self.orders}):
            if other != symbol and (group is None or self.panel.groups.get(other) != group):
                continue
            position, order = self.positions.get(other), self.orders.get(other)
            ordered = 0.0 if order is None else order.quantity
            if position is not None:
                held += abs(position.quantity + ordered) * position.close
            elif order is not None:
                held += order.reserve
        return max(0.0, min(most, share * equity - held))

    def _entries(self, bars: dict[str, int], equity: float) -> None:
        """Wishes by rank, then symbol, into free slots, sized by equity and close of now."""
        free, money = self._room(equity)
        wishing = [
            s for s in sorted(bars)
            if self.intent.enter[bars[s]] and s not in self.positions and s not in self.orders
            and self.barred.get(s, 0) <= self.clock
        ]  # fmt: skip
        wishing.sort(key=lambda s: -float(self.intent.rank[bars[s]]))
        for symbol in wishing:
            if free <= 0:
                break
            if money <= equity * DUST:
                continue
            row = bars[symbol]
            close = float(self.panel.close[row])
            value = min(float(self.intent.weight[row]) * equity, self._most(symbol, equity))
            dearer = 1 + self.costs.commission_bp * BP + self._worse(row)
            dearer += self.costs.commission_per_unit / close + self._impact(row, value / close)
            quantity = self._units(min(value / close, money / (close * dearer)))
            if quantity <= 0:
                continue
            reserve, rank = close * quantity * dearer, float(self.intent.rank[row])
            self.orders[symbol] = Order(row, quantity, "entry", rank, reserve)
            money -= reserve
            free -= 1


def followed(
    panel: Panel, intent: Intent, account: AccountConfig, costs: CostsConfig
) -> tuple[SlowAccount, Float64, Float64]:
    """A slow account that followed an intent over a panel, its equity and its cash."""
    limits = Limits(account.cash, account.cash, account.cash)
    slow = SlowAccount(panel, intent, costs, account, account.cash, limits)
    equity, cash = slow.walk()
    return slow, np.array(equity), np.array(cash)
