"""The books of the slow account: what it holds, what an order becomes, what a bar's events do."""

from decimal import Decimal

from reference.slow.money import Money
from reference.slow.nouns import (
    NEVER,
    ZERO,
    Bar,
    Counts,
    Event,
    Filled,
    Order,
    Position,
    Seen,
    Terms,
)

LEAST = Decimal("1e-30")
"""Units below which fifty digits of division leave nothing."""
YEAR_NS = 365 * 86_400 * 10**9


class Book:
    """State, fills and corporate actions."""

    def __init__(self, cash: Decimal, terms: Terms, groups: dict[str, int] | None = None) -> None:
        self.terms, self.money, self.groups = terms, Money(terms), groups or {}
        self.cash = self.equity = self.peak = self.day_equity = cash
        self.time: int | None = None
        self.day: int | None = None
        self.clock = 0
        self.latch = 0
        self.positions: dict[str, Position] = {}
        self.orders: list[Order] = []
        self.kept: dict[str, Decimal] = {}
        self.seen: dict[str, Seen] = {}
        self.fills: list[Filled] = []
        self.count = Counts()

    # -- what stands

    def held(self, symbol: str) -> Decimal:
        return self.positions[symbol].quantity if symbol in self.positions else ZERO

    def worth(self) -> Decimal:
        return self.cash + sum(
            (p.quantity * self.seen[s].close for s, p in self.positions.items()), ZERO
        )

    def gross(self, symbols: set[str]) -> Decimal:
        return sum((abs(self.held(s)) * self.seen[s].close for s in symbols), ZERO)

    def of(self, symbol: str) -> list[Order]:
        return [o for o in self.orders if o.symbol == symbol]

    def drop(self, gone: list[Order]) -> None:
        self.orders = [o for o in self.orders if not any(o is g for g in gone)]

    def reserved(self, but: list[Order]) -> Decimal:
        """Cash kept for working orders, these excepted."""
        kept = sum((o.reserve for o in self.orders if not any(o is b for b in but)), ZERO)
        served = {b.symbol for b in but}
        return kept + sum((m for s, m in self.kept.items() if s not in served), ZERO)

    def given(self, symbol: str) -> list[Order]:
        """Market orders from outside that work; none while a loss limit's order does."""
        market = [o for o in self.of(symbol) if o.kind == "market"]
        mine = [o for o in market if o.reason == "order"]
        return mine if len(mine) == len(market) else []

    def reckon(self) -> None:
        """What market orders from outside keep for themselves: those of an instrument are one
        order of their sum, and what it opens is reserved at the close when the newest of its side
        was given, with the flat rates."""
        self.kept = {}
        for symbol in {o.symbol for o in self.orders}:
            mine, terms = self.given(symbol), self.terms
            net = sum((o.quantity for o in mine), ZERO)
            if not net or (net < 0 and not terms.margin):
                continue
            opens = abs(net)
            if net * self.held(symbol) < 0:
                opens = max(ZERO, opens - abs(self.held(symbol)))
            rates = 1 + terms.commission + terms.slippage + terms.half_spread
            newest = [o for o in mine if o.quantity * net > 0][-1]
            self.kept[symbol] = opens * (newest.price * rates + terms.per_unit)

    # -- a fill

    def serve(
        self, orders: list[Order], reference: Decimal, bar: Bar, at_market: bool, money: Decimal
    ) -> None:
        """Fill orders of one instrument, side and instant as one; what is left stays or goes.

        `money`: cash that a buy of a cash account may use. What the volume withholds goes on
        working; what money, or the position of a long-only account, withholds is given up.
        """
        symbol, wanted = orders[0].symbol, sum((o.quantity for o in orders), ZERO)
        # market orders are one working order, told by its newest; of others the first came first
        told = orders[-1 if orders[0].kind == "market" else 0]
        possible = self.possible(symbol, wanted)
        if possible != wanted:
            self.count("sell of more than is held")
            self.take_from(orders, wanted - possible)
        orders = [o for o in orders if o.quantity]
        if not possible:
            return
        through = self.by_volume(symbol, possible, bar)
        if not through:
            self.count("no volume left")
            return
        price = self.worse(reference, symbol, through, bar) if at_market else reference
        paid = self.by_money(symbol, through, price, money)
        if paid:
            if at_market:
                price = self.worse(reference, symbol, paid, bar)
                self.remember(symbol, paid, bar)
            self.book(told, paid, price, reference, bar)
        if paid != through:
            self.count("cut for money" if paid else "rejected for money")
            self.drop(orders)
        else:
            self.take_from(orders, paid)

    def possible(self, symbol: str, wanted: Decimal) -> Decimal:
        """A long-only account sells what it has."""
        if wanted > 0 or self.terms.margin:
            return wanted
        return max(wanted, -self.held(symbol))

    def by_volume(self, symbol: str, wanted: Decimal, bar: Bar) -> Decimal:
        """An instrument's fills of a bar, both sides, are at most the cap's share of its volume."""
        if self.terms.cap == NEVER:
            return wanted
        room = self.terms.cap * bar.volume - self.seen[symbol].taken
        if abs(wanted) <= room:
            return wanted
        self.count("volume cap")
        return self.money.units(max(room, ZERO)).copy_sign(wanted) if room > 0 else ZERO

    def by_money(self, symbol: str, wanted: Decimal, price: Decimal, money: Decimal) -> Decimal:
        """What opens a position is cut to what the money pays with all costs.

        The price is that of the whole; what is cut then moves the price by itself alone.
        """
        before = self.held(symbol)
        closes = min(abs(wanted), abs(before)) if before * wanted < 0 else ZERO
        opens = abs(wanted) - closes
        if not opens or money == NEVER:
            return wanted
        side = 1 if wanted > 0 else -1
        money += closes * self.seen[symbol].close  # what is turned round makes room
        if opens * price + self.money.commission(side * opens, price) <= money:
            return wanted
        units = self.money.units(closes + self.money.paid_by(money, price, side))
        if units <= abs(wanted) * Decimal("1e-6"):
            return ZERO
        return min(units, abs(wanted)).copy_sign(wanted)

    def payable(self, free: list[Order]) -> Decimal:
        """Money for an opening order: cash that no other order reserved, and what is left of
        `max_gross` of equity at the last closes; in a margin account that alone."""
        money = NEVER if self.terms.margin else self.cash
        if self.terms.max_gross < NEVER:
            left = self.terms.max_gross * self.worth() - self.gross(set(self.positions))
            if left < money:
                self.count("gross limit at a fill")
            money = min(money, left)
        return money - self.reserved(free)

    def worse(self, reference: Decimal, symbol: str, quantity: Decimal, bar: Bar) -> Decimal:
        """The reference worsened by half spread, slippage, own impact and what earlier impact
        of the same direction is left: an own impact never helps."""
        spread = self.terms.half_spread if bar.half_spread is None else bar.half_spread
        side = 1 if quantity > 0 else -1
        own = self.money.impact(quantity, bar.volume, bar.sigma)
        lasting = max(ZERO, side * self.left(symbol))
        return reference * (1 + side * (spread + self.terms.slippage + own + lasting))

    def left(self, symbol: str) -> Decimal:
        """What is left of earlier own impact, signed."""
        seen = self.seen[symbol]
        return self.money.left_of(seen.moved, self.clock - seen.moved_at)

    def remember(self, symbol: str, quantity: Decimal, bar: Bar) -> None:
        left, side = self.left(symbol), 1 if quantity > 0 else -1
        own = self.money.impact(quantity, bar.volume, bar.sigma)
        if own:
            self.count("impact")
        if left:
            self.count("impact that lasts")
        self.seen[symbol].moved, self.seen[symbol].moved_at = left + side * own, self.clock

    def book(
        self, order: Order, quantity: Decimal, price: Decimal, reference: Decimal, bar: Bar
    ) -> None:
        symbol = order.symbol
        paid = self.money.commission(quantity, price)
        self.cash -= quantity * price + paid
        self.seen[symbol].taken += abs(quantity)
        self.move(order, quantity, price, reference, bar)
        self.fills.append(
            Filled(symbol, bar.row, quantity, price, reference, paid, order.reason, order.row)
        )

    def move(
        self, order: Order, quantity: Decimal, price: Decimal, reference: Decimal, bar: Bar
    ) -> None:
        """The position after a fill: added to at the average, begun anew, made smaller or gone."""
        symbol, before = order.symbol, self.positions.get(order.symbol)
        after = self.held(symbol) + quantity
        if before is not None and before.quantity * quantity > 0:
            before.price = (before.quantity * before.price + quantity * price) / after
            before.quantity = after
            self.count("added to")
        elif abs(after) < LEAST:
            del self.positions[symbol]
        elif before is not None and before.quantity * after > 0:
            before.quantity = after
        else:
            self.positions[symbol] = self.begun(order, after, price, reference, bar)
            self.seen[symbol].close = reference  # the newest price that is known of it

    def begun(
        self, order: Order, quantity: Decimal, price: Decimal, reference: Decimal, bar: Bar
    ) -> Position:
        """Barriers stand on the raw price of the entry, not on what was paid."""
        new, wish = Position(quantity, price, bar.row), order.wish
        if wish is not None:
            widths = (wish.up, wish.down) if quantity > 0 else (wish.down, wish.up)
            new.upper, new.lower = reference * (1 + widths[0]), reference * (1 - widths[1])
            new.hold = wish.hold
        return new

    def take_from(self, orders: list[Order], filled: Decimal) -> None:
        """Orders of one instant are served in their order; a smaller rest keeps less cash."""
        for order in [o for o in orders if o.quantity]:
            part = min(abs(order.quantity), abs(filled)).copy_sign(filled)
            order.reserve -= order.reserve * part / order.quantity
            order.quantity -= part
            filled -= part
            if abs(order.quantity) < LEAST:
                order.quantity = ZERO
        self.drop([o for o in orders if not o.quantity])

    # -- before the open

    def carry(self, time: int) -> None:
        """What borrowing cost since the last mark: of shorts at their last close, of owed cash."""
        if self.time is not None:
            years = Decimal(time - self.time) / YEAR_NS
            short = sum(
                (-p.quantity * self.seen[s].close for s, p in self.positions.items()
                 if p.quantity < 0), ZERO,
            )  # fmt: skip
            owed = short * self.terms.borrow + max(ZERO, -self.cash) * self.terms.financing
            if short and self.terms.borrow:
                self.count("borrow")
            if self.cash < 0 and self.terms.financing:
                self.count("financing")
            self.cash -= owed * years
        self.time = time

    def act(self, event: Event) -> None:
        """A corporate action, before the opening fills."""
        if event.symbol in self.seen:
            {"split": self.split, "dividend": self.dividend, "delisting": self.delisting}[
                event.kind
            ](event.symbol, event.value)

    def split(self, symbol: str, ratio: Decimal) -> None:
        """Quantity, average price, barriers and working orders; cash for a fraction of a unit."""
        seen, position = self.seen[symbol], self.positions.get(symbol)
        seen.close /= ratio
        for order in self.of(symbol):
            self.count("split of an order")
            order.quantity = self.money.units(order.quantity * ratio)
            order.price /= ratio
        self.drop([o for o in self.of(symbol) if not o.quantity])
        if position is None:
            return
        self.count("split")
        exactly = position.quantity * ratio
        position.quantity = self.money.units(exactly)
        position.price, position.upper = position.price / ratio, position.upper / ratio
        position.lower /= ratio
        fraction = exactly - position.quantity
        if fraction:
            self.settle(position, symbol, fraction, seen.close, "in_lieu")
        if not position.quantity:
            del self.positions[symbol]

    def dividend(self, symbol: str, amount: Decimal) -> None:
        """To holders at the ex-date; a short pays it."""
        if symbol in self.positions:
            self.count("dividend on a short" if self.held(symbol) < 0 else "dividend")
            self.cash += self.held(symbol) * amount

    def delisting(self, symbol: str, recovery: Decimal) -> None:
        """Closed at the last price times what is recovered; its orders end."""
        self.drop(self.of(symbol))
        if symbol in self.positions:
            self.count("delisting")
            price = self.seen[symbol].close * recovery
            self.settle(self.positions[symbol], symbol, self.held(symbol), price, "delisted")
            del self.positions[symbol]

    def settle(
        self, position: Position, symbol: str, quantity: Decimal, price: Decimal, reason: str
    ) -> None:
        """Units that go for cash without a trade, and so without costs."""
        self.cash += quantity * price
        row = self.seen[symbol].row
        self.fills.append(Filled(symbol, row, -quantity, price, price, ZERO, reason, position.row))
