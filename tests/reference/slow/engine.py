"""The slow engine: a bar after another, and what is decided at each close."""

from decimal import Decimal

from reference.slow.bars import Bars
from reference.slow.nouns import NEVER, ZERO, Asked, Bar, Decisions, Event, Order, Wish

DUST = Decimal("1e-6")


class Engine(Bars):
    """Decides after `to_close`."""

    def step(
        self, time: int, day: int, bars: dict[str, Bar], events: tuple[Event, ...],
        decisions: Decisions,
    ) -> tuple[Decimal, Decimal]:  # fmt: skip
        """One bar of all instruments. Returns cash and equity after it."""
        self.to_close(time, day, bars, events)
        self.limits()
        self.decide(bars, decisions)
        return self.cash, self.equity

    def limits(self) -> None:
        """Loss of the day, fall from the high-water mark."""
        if self.equity <= self.day_equity * (1 - self.terms.daily_loss):
            self.latch = max(self.latch, 1)
            self.count("daily loss")
        if self.equity <= self.peak * (1 - self.terms.drawdown):
            self.latch = 2
            self.count("drawdown")

    def decide(self, bars: dict[str, Bar], decisions: Decisions) -> None:
        if self.latch:
            self.leave_all(bars)
            return
        self.leave(bars, decisions)
        self.enter(bars, decisions.wishes)
        self.balance(bars, decisions)
        for asked in decisions.asked:
            self.take(bars, asked)
        self.reckon()

    # -- leaving

    def leave_all(self, bars: dict[str, Bar]) -> None:
        """Every position at market, with a bar now or not; every other order ended."""
        self.drop([o for o in self.orders if not self.leaves(o)])
        for symbol in sorted(self.positions):
            if not self.of(symbol):
                reason = "time" if symbol in bars and self.is_due(symbol) else "limit"
                row = self.seen[symbol].row
                self.orders.append(Order(symbol, -self.held(symbol), row, reason))

    def is_due(self, symbol: str) -> bool:
        position = self.positions[symbol]
        return position.hold >= 0 and position.bars_held >= position.hold

    def leaves(self, order: Order) -> bool:
        is_out = order.kind == "market" and order.quantity * self.held(order.symbol) < 0
        if order.reason == "order":
            return False
        is_named = order.reason != "rebalance"
        return is_out and (is_named or order.quantity == -self.held(order.symbol))

    def leave(self, bars: dict[str, Bar], decisions: Decisions) -> None:
        """By time, else by wish; the rest of an entry ends with it."""
        for symbol in sorted(self.positions):
            position = self.positions[symbol]
            is_due = self.is_due(symbol)
            if symbol not in bars or not (is_due or symbol in decisions.leave):
                continue
            if any(o.quantity * position.quantity < 0 for o in self.of(symbol)):
                continue  # on its way out
            self.drop(self.of(symbol))
            reason = "time" if is_due else "probability"
            self.orders.append(Order(symbol, -position.quantity, bars[symbol].row, reason))

    def leaving(self) -> set[str]:
        return {o.symbol for o in self.orders if o.quantity * self.held(o.symbol) < 0}

    # -- entering by rank

    def enter(self, bars: dict[str, Bar], wishes: tuple[Wish, ...]) -> None:
        out = self.leaving()
        staying = set(self.positions) - out
        waiting = {o.symbol for o in self.orders} - set(self.positions)
        free = self.terms.max_positions - len(staying) - len(waiting)
        purse = self.purse(out)
        for wish in sorted(wishes, key=lambda w: (-w.rank, w.symbol)):
            symbol = wish.symbol
            if free <= 0:
                if wishes:
                    self.count("no slot")
                break
            if symbol in self.positions or self.of(symbol) or symbol not in bars:
                continue
            if self.clock < self.seen[symbol].rests_until:
                self.count("cool-down")
                continue
            if wish.side < 0 and not self.terms.margin:
                continue
            close = bars[symbol].close
            value = min(wish.weight, self.terms.max_weight) * self.equity
            value = max(min(value, self.group_room(symbol, out)), ZERO)
            dear = self.dear(bars[symbol], value / close)
            units = self.money.units(max(min(value / close, purse / dear), ZERO))
            if units * close <= self.equity * DUST:
                self.count("rejected wish")
                continue
            order = Order(symbol, units * wish.side, bars[symbol].row, "entry", rank=wish.rank)
            order.wish, order.reserve = wish, units * dear
            self.orders.append(order)
            purse -= order.reserve
            free -= 1

    def dear(self, bar: Bar, units: Decimal) -> Decimal:
        """What a unit of so many is expected to cost, and an order reserves: the last close and
        all cost rates, impact as it would have been in the last bar (none in a halted one)."""
        volume = ZERO if bar.halted else bar.volume
        impact = self.money.impact(units, volume, bar.sigma)
        return bar.close * (1 + self.rates(bar) + impact) + self.terms.per_unit

    def rates(self, bar: Bar) -> Decimal:
        spread = self.terms.half_spread if bar.half_spread is None else bar.half_spread
        return self.terms.commission + self.terms.slippage + spread

    def purse(self, out: set[str]) -> Decimal:
        """Money for new orders: cash that is not reserved with what the sells of the next open
        will bring; no more than the limit on all positions leaves. A margin account has the
        limit alone."""
        money = NEVER
        if not self.terms.margin:
            money = self.cash - self.reserved([])
            for order in self.orders:
                if order.quantity < 0 and order.kind == "market":
                    money -= order.quantity * self.cheap(order.symbol)
        if self.terms.max_gross < NEVER:
            gross = self.gross(set(self.positions) - out)
            left = self.terms.max_gross * self.equity - gross - self.reserved([])
            if left < money:
                self.count("gross limit")
            money = min(money, left)
        return money

    def cheap(self, symbol: str) -> Decimal:
        """What a sold unit is expected to bring: the last close less the flat rates."""
        rates = self.terms.commission + self.terms.slippage + self.terms.half_spread
        return self.seen[symbol].close * (1 - rates)

    def group_room(self, symbol: str, out: set[str]) -> Decimal:
        """Value that the limit on its group leaves. A working entry counts with its reserve, one
        filled in part with its position and its rest at the last close."""
        if self.terms.max_group == NEVER:
            return NEVER
        self.count("group limit")
        left = self.terms.max_group * self.equity
        for other in {*self.positions, *(o.symbol for o in self.orders)} - out:
            if self.groups[other] == self.groups[symbol]:
                opening = self.of(other)
                if other in self.positions:
                    units = abs(self.held(other)) + sum(abs(o.quantity) for o in opening)
                    left -= units * self.seen[other].close
                else:
                    left -= sum((o.reserve for o in opening), ZERO)
        return left

    # -- target weights

    def balance(self, bars: dict[str, Bar], decisions: Decisions) -> None:
        """Towards weights of equity where they are off by more than the buffer. Nothing is scaled
        down here: at the fill each is cut to what is there, the larger weight served first."""
        rates = 1 + self.terms.commission + self.terms.slippage + self.terms.half_spread
        for symbol, asked in decisions.weights:
            if symbol not in bars:
                continue
            self.drop(self.of(symbol))
            close = bars[symbol].close
            most = min(self.terms.max_weight, abs(asked))
            weight = most.copy_sign(asked)
            if not self.terms.margin:
                weight = max(weight, ZERO)
            held, wanted = self.held(symbol), self.money.units(weight * self.equity / close)
            units = wanted - held
            if weight and abs(units) * close < decisions.buffer * self.equity:
                self.count("inside the buffer")
                continue
            if units:
                order = Order(symbol, units, bars[symbol].row, "rebalance", rank=float(abs(asked)))
                order.reserve = max(ZERO, abs(wanted) - abs(held)) * close * rates
                self.orders.append(order)

    # -- orders from outside

    def take(self, bars: dict[str, Bar], asked: Asked) -> None:
        """A new order, or the end of one."""
        if not asked.quantity:
            gone = [o for o in self.orders if o.number == asked.number]
            if gone:
                self.count("cancel")
            self.drop(gone)
            return
        row = self.seen[asked.symbol].row if asked.symbol in self.seen else -1
        order = Order(
            asked.symbol, self.money.units(asked.quantity), row, "order", asked.kind,
            price=asked.price, number=asked.number, expires=asked.expires,
        )  # fmt: skip
        if asked.kind == "market":
            order.price = bars[asked.symbol].close
        if order.quantity:
            self.orders.append(order)
