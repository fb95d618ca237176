"""A slow account in decimal arithmetic, written from the market's rules and from no kernel.

Names, dicts and lists; one bar at a time; every rule is a sentence. It judges the fast one.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 40
BP = Decimal("0.0001")
DUST = Decimal("0.000001")


@dataclass
class Bar:
    row: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass
class Wish:
    """What is wanted at one row's close."""

    enter: bool
    leave: bool
    rank: float
    up: Decimal
    down: Decimal
    weight: Decimal


@dataclass
class Order:
    symbol: str
    quantity: Decimal
    row: int
    wish: Wish | None = None
    reason: str = "entry"
    reserve: Decimal = Decimal(0)


@dataclass
class Position:
    quantity: Decimal
    price: Decimal
    upper: Decimal
    lower: Decimal
    row: int
    close: Decimal
    bars_held: int = 0


@dataclass
class Filled:
    symbol: str
    row: int
    order_row: int
    side: int
    quantity: Decimal
    price: Decimal
    reference: Decimal
    commission: Decimal
    reason: str


@dataclass
class Engine:
    cash: Decimal
    commission_bp: Decimal
    slippage_bp: Decimal
    half_spread_bp: Decimal
    to_cents: bool
    hold_bars: int
    max_positions: int
    volume_cap: Decimal | None = None
    taken: dict[str, Decimal] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    buys: dict[str, Order] = field(default_factory=dict)
    sells: dict[str, Order] = field(default_factory=dict)
    fills: list[Filled] = field(default_factory=list)

    def bar(self, bars: dict[str, Bar], wishes: dict[str, Wish]) -> tuple[Decimal, Decimal]:
        """One instant: `bars` of the instruments that trade now. Returns cash and equity."""
        self.taken = {}
        self.open(bars)
        self.intrabar(bars)
        for symbol, bar in bars.items():
            if symbol in self.positions:
                self.positions[symbol].close = bar.close
                self.positions[symbol].bars_held += 1
        self.decide(bars, wishes)
        return self.cash, self.equity()

    def equity(self) -> Decimal:
        return self.cash + sum(p.quantity * p.close for p in self.positions.values())

    # -- fills

    def open(self, bars: dict[str, Bar]) -> None:
        for symbol in sorted(set(self.sells) & set(bars)):
            order = self.sells.pop(symbol)
            self.sell(symbol, bars[symbol], bars[symbol].open, True, order.row, order.reason)
            if symbol in self.positions:
                self.sells[symbol] = order
        here = [o for s, o in self.buys.items() if s in bars]
        waiting = sum((o.reserve for s, o in self.buys.items() if s not in bars), Decimal(0))
        for order in sorted(here, key=lambda o: (-o.wish.rank, o.symbol)):
            del self.buys[order.symbol]
            self.buy(order, bars[order.symbol], self.cash - waiting)
            if order.symbol in self.buys:  # what the volume left goes on working
                waiting += order.reserve

    def intrabar(self, bars: dict[str, Bar]) -> None:
        for symbol in sorted(set(self.positions) & set(bars)):
            bar, position = bars[symbol], self.positions[symbol]
            entered_here = position.row == bar.row
            if bar.open <= position.lower and not entered_here:
                self.barrier(symbol, bar, bar.open, "stop")
            elif bar.open > position.upper and not entered_here:
                self.barrier(symbol, bar, bar.open, "target")
            elif bar.low <= position.lower:
                self.barrier(symbol, bar, position.lower, "stop")
            elif bar.high > position.upper:
                self.barrier(symbol, bar, position.upper, "target")

    def barrier(self, symbol: str, bar: Bar, reference: Decimal, reason: str) -> None:
        """What the volume leaves of a stop is for the next open; a target goes on resting."""
        self.buys.pop(symbol, None)
        working = self.sells.get(symbol)
        self.sell(symbol, bar, reference, reason == "stop", self.positions[symbol].row, reason)
        if symbol not in self.positions:
            return
        if reason == "stop":
            self.sells[symbol] = Order(symbol, Decimal(0), bar.row, reason="stop")
        elif working is not None:
            self.sells[symbol] = working

    def let_through(self, symbol: str, bar: Bar, quantity: Decimal) -> Decimal:
        """As much of a quantity as the bar's volume still lets through."""
        if self.volume_cap is not None:
            left = self.volume_cap * bar.volume - self.taken.get(symbol, Decimal(0))
            quantity = max(min(quantity, left), Decimal(0))
        return quantity

    def note(self, fill: Filled) -> None:
        self.taken[fill.symbol] = self.taken.get(fill.symbol, Decimal(0)) + fill.quantity
        self.fills.append(fill)

    def commission(self, value: Decimal) -> Decimal:
        exact = value * self.commission_bp * BP
        return exact.quantize(Decimal("0.01"), ROUND_HALF_UP) if self.to_cents else exact

    def worsening(self) -> Decimal:
        return (self.slippage_bp + self.half_spread_bp) * BP

    def buy(self, order: Order, bar: Bar, payable: Decimal) -> None:
        price = bar.open * (1 + self.worsening())
        quantity = self.let_through(order.symbol, bar, order.quantity)
        if quantity <= 0:
            self.buys[order.symbol] = order
            return
        left, is_cut = order.quantity - quantity, False
        if quantity * price + self.commission(quantity * price) > payable:
            value = payable / (1 + self.commission_bp * BP)
            excess = value + self.commission(value) - payable
            quantity, is_cut = (value - max(excess, Decimal(0))) / price, True
            if quantity <= order.quantity * DUST:
                return
        paid = self.commission(quantity * price)
        self.cash -= quantity * price + paid
        if order.symbol in self.positions:
            position = self.positions[order.symbol]
            position.quantity += quantity
        else:
            upper, lower = bar.open * (1 + order.wish.up), bar.open * (1 - order.wish.down)
            self.positions[order.symbol] = Position(
                quantity, price, upper, lower, bar.row, bar.open
            )
        self.note(
            Filled(order.symbol, bar.row, order.row, 1, quantity, price, bar.open, paid, "entry")
        )
        if left > order.quantity * DUST and not is_cut:
            order.reserve *= left / order.quantity
            order.quantity = left
            self.buys[order.symbol] = order

    def sell(
        self, symbol: str, bar: Bar, reference: Decimal, at_market: bool, row: int, reason: str
    ) -> None:
        self.sells.pop(symbol, None)
        position = self.positions[symbol]
        quantity = self.let_through(symbol, bar, position.quantity)
        if quantity <= 0:
            return
        price = reference * (1 - self.worsening()) if at_market else reference
        paid = self.commission(quantity * price)
        self.cash += quantity * price - paid
        position.quantity -= quantity
        if position.quantity == 0:
            del self.positions[symbol]
        self.note(Filled(symbol, bar.row, row, -1, quantity, price, reference, paid, reason))

    # -- the decision

    def decide(self, bars: dict[str, Bar], wishes: dict[str, Wish]) -> None:
        for symbol, position in self.positions.items():
            if symbol in bars and symbol not in self.sells:
                row = bars[symbol].row
                if position.bars_held < self.hold_bars and not wishes[symbol].leave:
                    continue
                self.buys.pop(symbol, None)
                if position.bars_held >= self.hold_bars:
                    self.sells[symbol] = Order(symbol, position.quantity, row, reason="time")
                else:
                    self.sells[symbol] = Order(symbol, position.quantity, row, reason="probability")
        rates = (self.commission_bp + self.slippage_bp + self.half_spread_bp) * BP
        purse = self.cash - sum(o.reserve for o in self.buys.values())
        for symbol in self.sells:
            position = self.positions[symbol]
            purse += position.quantity * position.close * (1 - rates)
        kept = (set(self.positions) - set(self.sells)) | set(self.buys)
        free = self.max_positions - len(kept)
        wanting = [
            s for s in bars if wishes[s].enter and s not in self.positions and s not in self.buys
        ]
        equity = self.equity()
        for symbol in sorted(wanting, key=lambda s: (-wishes[s].rank, s)):
            if free <= 0 or purse <= equity * DUST:
                break
            bar, wish = bars[symbol], wishes[symbol]
            quantity = min(wish.weight * equity / bar.close, purse / (bar.close * (1 + rates)))
            reserve = bar.close * quantity * (1 + rates)
            self.buys[symbol] = Order(symbol, quantity, bar.row, wish, reserve=reserve)
            purse -= reserve
            free -= 1


def follow(panel, intent, cash, costs):
    """The reference's path (cash, equity per time) and fills over a panel."""
    engine = Engine(
        Decimal(cash),
        Decimal(str(costs.commission_bp)),
        Decimal(str(costs.slippage_bp)),
        Decimal(str(costs.half_spread_bp)),
        costs.round_to_cents,
        intent.hold_bars,
        intent.max_positions,
        None if costs.volume_cap is None else Decimal(str(costs.volume_cap)),
    )
    bars_at: dict[int, dict[str, Bar]] = {}
    for row in range(len(panel)):
        columns = (panel.open, panel.high, panel.low, panel.close, panel.volume)
        prices = (Decimal(float(c[row])) for c in columns)
        symbol = panel.symbols[panel.asset_id[row]]
        bars_at.setdefault(int(panel.time[row]), {})[symbol] = Bar(row, *prices)
    path = []
    for time in sorted(bars_at):
        bars = bars_at[time]
        wishes = {symbol: _wish(intent, bar.row) for symbol, bar in bars.items()}
        path.append(engine.bar(bars, wishes))
    return path, engine


def _wish(intent, row):
    up, down = (
        Decimal(float(c[row])) if c[row] < float("inf") else Decimal(10**9)
        for c in (intent.up, intent.down)
    )
    weight = Decimal(float(intent.weight[row]))
    return Wish(
        bool(intent.enter[row]), bool(intent.leave[row]), float(intent.rank[row]), up, down, weight
    )
