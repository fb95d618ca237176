"""One bar of the slow account: opening fills, what happens inside the bar, the mark."""

from decimal import Decimal

from reference.slow.book import Book
from reference.slow.nouns import NEVER, ZERO, Bar, Event, Order, Position, Seen


class Bars(Book):
    """From the last close to this one."""

    def to_close(
        self, time: int, day: int, bars: dict[str, Bar], events: tuple[Event, ...]
    ) -> None:
        """Corporate actions -> opening fills -> intrabar fills -> mark at the close."""
        self.clock += 1
        self.begin_day(day)
        self.carry(time)
        for event in events:
            if event.symbol in bars and event.symbol in self.seen:
                self.seen[event.symbol].row = bars[event.symbol].row
            self.act(event)
        for symbol, bar in bars.items():
            seen = self.seen.setdefault(symbol, Seen(bar.open, bar.row))
            seen.taken, seen.row = ZERO, bar.row
        trading = {symbol: bar for symbol, bar in bars.items() if not bar.halted}
        if len(trading) < len(bars):
            self.count("halted bar")
        self.opening(trading)
        self.intrabar(trading)
        self.end_late()
        self.reckon()
        self.mark(bars)

    def begin_day(self, day: int) -> None:
        if day != self.day:
            self.day, self.day_equity = day, self.equity
            if self.latch == 1:
                self.latch = 0

    def opening(self, bars: dict[str, Bar]) -> None:
        """All sells, then all buys; what closes a position first, then the higher rank, then by
        symbol."""
        waiting = {o.symbol for o in self.orders} - set(bars)
        if waiting:
            self.count("waits for a bar")
        turns = self.turns(bars)
        while turns:
            orders = turns.pop(0)
            if len(orders) > 1:
                self.count("orders summed")
            symbol = orders[0].symbol
            before = sum((o.quantity for o in orders), ZERO)
            free = [o for later in turns for o in later] + orders
            self.serve(orders, bars[symbol].open, bars[symbol], True, self.payable(free))
            if symbol in self.kept:
                left = sum((o.quantity for o in self.given(symbol)), ZERO)
                self.kept[symbol] *= left / before

    def turns(self, bars: dict[str, Bar]) -> list[list[Order]]:
        """Market orders, those of one instrument together, in their turn."""
        groups = []
        for symbol in sorted({o.symbol for o in self.orders} & set(bars)):
            mine = self.given(symbol)
            if not mine:
                mine = [o for o in self.of(symbol) if o.kind == "market" and o.reason != "order"]
            mine = self.offset(mine)
            if mine:
                groups.append(mine)
        return sorted(groups, key=self.turn)

    def offset(self, mine: list[Order]) -> list[Order]:
        """Those of one order in both directions meet each other, without a fill; what is left."""
        sides = {s: [o for o in mine if o.quantity * s > 0] for s in (1, -1)}
        both = min(sum((abs(o.quantity) for o in sides[s]), ZERO) for s in (1, -1))
        if both:
            self.count("orders offset")
            for side in (1, -1):
                self.take_from(sides[side], side * both)
        return [o for o in mine if o.quantity]

    def turn(self, orders: list[Order]) -> tuple[bool, float, str]:
        """What only closes a position, by symbol; then the higher rank, then by symbol."""
        symbol, quantity = orders[0].symbol, sum((o.quantity for o in orders), ZERO)
        held = self.held(symbol)
        is_within = abs(quantity) <= abs(held) or not self.terms.margin
        closes = quantity * held < 0 and is_within
        return not closes, 0.0 if closes else -orders[0].rank, symbol

    def intrabar(self, bars: dict[str, Bar]) -> None:
        """Stops and targets of positions; then resting stops, then resting limits, as given."""
        for symbol in sorted(set(self.positions) & set(bars)):
            self.barriers(symbol, bars[symbol])
        for kind in ("stop", "limit"):
            for order in [o for o in self.orders if o.kind == kind and o.symbol in bars]:
                if order.kind == kind and any(o is order for o in self.orders):
                    self.fill_resting(order, bars[order.symbol])

    # -- the brackets of a position

    def barriers(self, symbol: str, bar: Bar) -> None:
        position = self.positions[symbol]
        hit = self.touched(position, bar)
        if hit is None:
            return
        reason, reference = hit
        self.count(f"{reason} of a {'long' if position.quantity > 0 else 'short'}")
        if reference == bar.open and position.row != bar.row:
            self.count(f"gap through a {reason}")
        if reason == "stop":
            self.seen[symbol].rests_until = self.clock + self.terms.cool_down
        leaving = [o for o in self.of(symbol) if o.quantity * position.quantity < 0]
        self.drop(self.of(symbol))
        order = Order(symbol, -position.quantity, position.row, reason)
        self.orders.append(order)
        self.serve([order], reference, bar, reason == "stop", NEVER)
        order.row = bar.row  # of what is left of a stop: a market order that came up here
        if reason == "target":  # it is the barrier that goes on working, not a market order
            self.drop([order])
            if order.quantity and leaving:
                leaving[0].quantity = order.quantity
                self.orders.append(leaving[0])

    def touched(self, position: Position, bar: Bar) -> tuple[str, Decimal] | None:
        """Which barrier a bar meets, and the reference price of the fill."""
        if position.row != bar.row:
            gapped = self.beyond(position, bar.open, bar.open)
            if gapped is not None:
                return gapped, bar.open
        low_end, high_end = self.ends(position, bar.low, bar.high)
        stop, target = self.prices(position)
        is_stop = self.beyond(position, low_end, None) == "stop"
        is_target = self.beyond(position, None, high_end) == "target"
        if is_stop and is_target:
            self.count(f"ambiguous, {self.terms.ambiguity}")
            return self.ambiguous(position, bar)
        if is_stop:
            return "stop", stop
        return ("target", target) if is_target else None

    def ambiguous(self, position: Position, bar: Bar) -> tuple[str, Decimal]:
        stop, target = self.prices(position)
        if self.terms.ambiguity == "optimistic":
            return "target", target
        if self.terms.ambiguity == "finer":
            for k, finer in enumerate(bar.finer):
                if k:
                    gapped = self.beyond(position, finer.open, finer.open)
                    if gapped is not None:
                        self.count("finer bar opens beyond")
                        return gapped, finer.open
                low_end, high_end = self.ends(position, finer.low, finer.high)
                if self.beyond(position, low_end, None):
                    return "stop", stop
                if self.beyond(position, None, high_end):
                    self.count("finer says target")
                    return "target", target
        return "stop", stop

    @staticmethod
    def prices(position: Position) -> tuple[Decimal, Decimal]:
        """Stop and target."""
        pair = position.lower, position.upper
        return pair if position.quantity > 0 else pair[::-1]

    @staticmethod
    def ends(position: Position, low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
        """The bar's worst and best price for the position."""
        return (low, high) if position.quantity > 0 else (high, low)

    def beyond(self, position: Position, worst: Decimal | None, best: Decimal | None) -> str | None:
        """Stop when touched, target when traded through."""
        stop, target = self.prices(position)
        side = 1 if position.quantity > 0 else -1
        if worst is not None and side * (worst - stop) <= 0:
            return "stop"
        if best is not None and side * (best - target) > 0:
            return "target"
        return None

    # -- orders from outside that rest

    def end_late(self) -> None:
        """Those whose last bar this was, what is left of market orders and stops too."""
        late = [o for o in self.orders if 0 <= o.expires <= self.clock]
        if late:
            self.count("expiry")
        self.drop(late)

    def fill_resting(self, order: Order, bar: Bar) -> None:
        """An order that is met, with all of its kind and side that are met at the same price."""
        at = self.met(order, bar)
        if at is None:
            return
        like = [o for o in self.of(order.symbol)
                if o.kind == order.kind and o.quantity * order.quantity > 0
                and self.met(o, bar) == at]  # fmt: skip
        if len(like) > 1:
            self.count("orders summed")
        is_stop = order.kind == "stop"
        self.count(f"{order.kind} order" + (" gapped" if at == bar.open != order.price else ""))
        self.serve(like, at, bar, is_stop, self.payable(like))
        for one in like:
            if is_stop and one.quantity:
                one.kind, one.price = "market", at  # it has gone off

    def met(self, order: Order, bar: Bar) -> Decimal | None:
        """The reference price of a resting order in this bar, None where it is not met."""
        side = 1 if order.quantity > 0 else -1
        if order.kind == "stop":  # a buy stop lies above, a sell stop below
            if side * (bar.open - order.price) >= 0:
                return bar.open
            reached = bar.high if side > 0 else bar.low
            return order.price if side * (reached - order.price) >= 0 else None
        if side * (bar.open - order.price) < 0:
            return bar.open
        reached = bar.low if side > 0 else bar.high
        return order.price if side * (reached - order.price) < 0 else None

    # -- the mark

    def mark(self, bars: dict[str, Bar]) -> None:
        for symbol, bar in bars.items():
            self.seen[symbol].close = bar.close
            if symbol in self.positions:
                self.positions[symbol].bars_held += 1
        self.equity = self.worth()
        self.peak = max(self.peak, self.equity)
