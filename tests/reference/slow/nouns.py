"""What the slow engine is told, and what it writes down: plain values, no rules."""

from dataclasses import dataclass, field
from decimal import Decimal, getcontext

getcontext().prec = 50
NEVER = Decimal("Infinity")
ZERO = Decimal(0)


def exact(number: float) -> Decimal:
    """A number as a person writes it: 0.1 is a tenth."""
    return Decimal(repr(float(number)))


@dataclass(frozen=True)
class Terms:
    """Costs and limits; rates are fractions, money is money."""

    commission: Decimal = ZERO
    per_unit: Decimal = ZERO
    minimum: Decimal = ZERO
    sell_fee: Decimal = ZERO
    sell_fee_per_unit: Decimal = ZERO
    half_spread: Decimal = ZERO
    slippage: Decimal = ZERO
    impact: Decimal = ZERO
    impact_power: Decimal = Decimal("0.5")
    half_life: Decimal = ZERO
    cap: Decimal = NEVER
    borrow: Decimal = ZERO
    financing: Decimal = ZERO
    to_cents: bool = True
    whole: bool = False
    margin: bool = False
    ambiguity: str = "pessimistic"
    max_gross: Decimal = NEVER
    max_weight: Decimal = Decimal(1)
    max_group: Decimal = NEVER
    daily_loss: Decimal = NEVER
    drawdown: Decimal = NEVER
    cool_down: int = 0
    max_positions: int = 10


@dataclass(frozen=True)
class Finer:
    open: Decimal
    high: Decimal
    low: Decimal


@dataclass(frozen=True)
class Bar:
    row: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    half_spread: Decimal | None = None
    sigma: Decimal = ZERO
    finer: tuple[Finer, ...] = ()
    halted: bool = False


@dataclass(frozen=True)
class Event:
    symbol: str
    kind: str
    value: Decimal


@dataclass(frozen=True)
class Wish:
    """To be in, at one row's close."""

    symbol: str
    row: int
    rank: float
    side: int
    weight: Decimal
    up: Decimal
    down: Decimal
    hold: int


@dataclass(frozen=True)
class Asked:
    """An order from outside; without a quantity it cancels the order of its number."""

    number: int
    symbol: str
    kind: str
    quantity: Decimal
    price: Decimal
    expires: int


@dataclass(frozen=True)
class Decisions:
    """What is decided at one close: one of the three."""

    wishes: tuple[Wish, ...] = ()
    leave: frozenset[str] = frozenset()
    weights: tuple[tuple[str, Decimal], ...] = ()
    buffer: Decimal = ZERO
    asked: tuple[Asked, ...] = ()


@dataclass
class Order:
    """A working order; `quantity` is what is left of it, below 0 to sell."""

    symbol: str
    quantity: Decimal
    row: int
    reason: str
    kind: str = "market"
    rank: float = 0.0
    price: Decimal = ZERO
    reserve: Decimal = ZERO
    wish: Wish | None = None
    number: int = -1
    expires: int = -1


@dataclass
class Position:
    quantity: Decimal
    price: Decimal
    row: int
    hold: int = -1
    upper: Decimal = NEVER
    lower: Decimal = -NEVER
    bars_held: int = 0


@dataclass(frozen=True)
class Filled:
    symbol: str
    row: int
    quantity: Decimal
    price: Decimal
    reference: Decimal
    commission: Decimal
    reason: str
    order_row: int


@dataclass
class Seen:
    """What the account knows of an instrument, held or not."""

    close: Decimal
    row: int
    taken: Decimal = ZERO
    moved: Decimal = ZERO
    moved_at: int = 0
    rests_until: int = -1


@dataclass
class Counts:
    """How often each rule bit; proofs show that none was left out."""

    of: dict[str, int] = field(default_factory=dict)

    def __call__(self, rule: str) -> None:
        self.of[rule] = self.of.get(rule, 0) + 1
