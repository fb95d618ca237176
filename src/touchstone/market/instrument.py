"""What a symbol stands for: its class, calendar, currency, and what a price or quantity may be."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import PositiveFloat, StringConstraints, model_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.files import SYMBOL
from touchstone.market.calendar import Calendar

InstrumentClass: TypeAlias = Literal["stock", "etf", "forex", "crypto", "future"]
Date: TypeAlias = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
CalendarName: TypeAlias = Literal["24/7", "XNYS", "FX", "CME"]

_CALENDAR: Final[dict[str, CalendarName]] = {
    "stock": "XNYS",
    "etf": "XNYS",
    "forex": "FX",
    "crypto": "24/7",
    "future": "CME",
}
_CENT, _SUB_PENNY = 0.01, 0.0001
_PIP_TENTH, _PIP_TENTH_JPY = 0.00001, 0.001


class Instrument(Config):
    """One instrument; what its class implies needs not be said.

    Raises:
        ConfigError: a symbol that is none, or a future without multiplier or expiry, or either
            of them where nothing expires.
    """

    symbol: str
    """As its bars are called: AAPL, BTC/USDT, EURUSD, ESZ24."""
    kind: InstrumentClass = "stock"
    """stock, etf, forex, crypto or future: implies calendar, currency, tick and lot."""
    calendar: CalendarName | None = None
    """Hours of its market; None: those of its class."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,5}$")] | None = None
    """What prices are in; None: USD, or what stands second in a pair of currencies or coins."""
    tick: PositiveFloat | None = None
    """Smallest step of a price; None: that of its class at the price (none for coins)."""
    lot: PositiveFloat | None = None
    """Smallest step of a quantity; None: 1, for coins 1e-8."""
    multiplier: PositiveFloat = 1.0
    """Currency that one unit gains when the price rises by 1: 50 for ESZ24."""
    expiry: Date | None = None
    """Last trading day of a future."""

    @model_validator(mode="after")
    def _check(self) -> "Instrument":
        if not SYMBOL.fullmatch(self.symbol):
            raise ConfigError(f"symbol {self.symbol!r}: needs {SYMBOL.pattern}")
        if self.kind == "future" and (self.expiry is None or "multiplier" not in self.given):
            raise ConfigError(f"{self.symbol}: a future needs its multiplier and its expiry")
        if self.expiry is not None:
            try:
                date.fromisoformat(self.expiry)
            except ValueError:
                raise ConfigError(
                    f"{self.symbol}: expiry {self.expiry!r}: there is no such date"
                ) from None
        if self.kind != "future" and (self.expiry is not None or self.multiplier != 1):
            raise ConfigError(
                f"{self.symbol}: only a future has a multiplier or an expiry, this is of kind "
                f"{self.kind}: write kind: future, or leave them out"
            )
        return self

    @property
    def given(self) -> set[str]:
        """Fields that were said, not implied."""
        return set(self.model_fields_set)

    @property
    def hours(self) -> Calendar:
        """When its market is open."""
        return Calendar(self.calendar or _CALENDAR[self.kind])

    @property
    def quote(self) -> str:
        """The currency of its prices.

        >>> Instrument(symbol="EURUSD", kind="forex").quote
        'USD'

        Raises:
            ConfigError: a coin whose symbol does not tell, as BTCUSDT: say `currency`.
        """
        if self.currency is not None:
            return self.currency
        if "/" in self.symbol:
            return self.symbol.split("/")[1]
        if self.kind == "forex" and len(self.symbol) == 6:
            return self.symbol[3:]
        if self.kind in ("crypto", "forex"):
            raise ConfigError(
                f"{self.symbol}: its symbol does not tell what its price is in: write currency: "
                "USDT, or name it BTC/USDT"
            )
        return "USD"

    def tick_at(self, price: float) -> float | None:
        """Smallest step of a price near `price`, in quote currency; None where unknown.

        US stocks: a cent, below one dollar 0.0001 (Regulation NMS, rule 612). Forex: a tenth of
        a pip. Coins and futures differ by venue and contract: only what was said.
        """
        if self.tick is not None or self.kind in ("crypto", "future"):
            return self.tick
        if self.kind == "forex":
            return _PIP_TENTH_JPY if self.quote == "JPY" else _PIP_TENTH
        return _CENT if price >= 1 else _SUB_PENNY

    @property
    def step(self) -> float:
        """Smallest step of a quantity."""
        return self.lot or (1e-8 if self.kind == "crypto" else 1.0)

    def rounded_price(self, price: float) -> float:
        """The nearest price that can be quoted, halves up.

        >>> Instrument(symbol="AAPL").rounded_price(187.1249)
        187.12
        """
        tick = self.tick_at(price)
        if tick is None:
            return price
        # in decimal: 1.005 / 0.01 and 0.3 / 0.1 in binary fall short of their ticks
        step = Decimal(repr(tick))
        return float((Decimal(repr(price)) / step).quantize(Decimal(1), ROUND_HALF_UP) * step)

    def rounded_quantity(self, quantity: float) -> float:
        """The largest quantity of whole lots that is not more, towards zero.

        >>> Instrument(symbol="BTC/USDT", kind="crypto", lot=0.1).rounded_quantity(0.3)
        0.3
        """
        step = Decimal(repr(self.step))
        return float(Decimal(repr(quantity)) // step * step)

    def notional(self, price: float, quantity: float) -> float:
        """Worth of a quantity at a price, in quote currency.

        >>> future = {"symbol": "ESZ24", "kind": "future", "multiplier": 50, "expiry": "2024-12-20"}
        >>> Instrument.parse(future).notional(6000.0, 2)
        600000.0
        """
        return price * quantity * self.multiplier
