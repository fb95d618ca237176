"""What a fill costs: commission, slippage and half the spread, in basis points a side."""

import math
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64, Int8
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.execution.compiled import compiled

_BP = 1e-4
_TIE = 1.0 + 1e-12
"""Half a cent written in binary may lie a hair below the half; it still rounds up."""

BasisPoints = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]


class Rates(NamedTuple):
    """The costs of a fill as fractions."""

    commission: float
    """Of the fill's value."""
    worsening: float
    """Half spread + slippage, of the reference price; limit fills pay none of it."""
    to_cents: bool
    """Whether a commission is rounded half up to cents, once a fill."""


Money = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]


def _extra(default: float | None) -> Any:
    """A cost that most accounts do not have: part of a study's question only where it is set."""
    return Field(default=default, exclude_if=lambda value: value == default)


class CostsConfig(Config):
    """Costs of one side of a trade. A buy is filled above its reference price, a sell below."""

    commission_bp: BasisPoints = 10.0
    """Commission, basis points of the fill's value, a side."""
    commission_per_unit: Money = _extra(0.0)
    """Commission, money a unit (share), a side."""
    commission_minimum: Money = _extra(0.0)
    """Least commission of a fill, money."""
    sell_fee_bp: BasisPoints = _extra(0.0)
    """Regulatory fee of sales, basis points of their value (US stocks: the SEC's)."""
    sell_fee_per_unit: Money = _extra(0.0)
    """Regulatory fee of sales, money a unit (US stocks: FINRA's trading activity fee)."""
    slippage_bp: BasisPoints = 5.0
    """Slippage of market and stop orders, basis points of the reference price, a side."""
    half_spread_bp: BasisPoints = 0.0
    """Half the bid-ask spread, basis points of the reference price, a side."""
    spread: str | None = _extra(None)
    """Column beside the bars with the measured bid-ask spread, fraction of the price: a fill pays
    half of what was known at the close before it, and `half_spread_bp` where nothing was. Null:
    always that."""
    impact: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = _extra(0.0)
    """Y of the square-root impact `Y sigma (quantity / volume) ^ power`: 0.5 to 1 was measured for
    liquid stocks (Toth et al. 2011); 0 for none."""
    impact_power: Annotated[float, Field(gt=0, le=1)] = _extra(0.5)
    """Exponent of the impact; Almgren et al. (2005) fit 0.6."""
    impact_half_life: Annotated[float, Field(ge=0, le=1e6)] = _extra(0.0)
    """Bars in which half of an own impact is gone; 0: it is gone at the next bar. An instant at
    which any instrument of the account has a bar counts as one."""
    volume_cap: Annotated[float, Field(gt=0, le=1)] | None = _extra(0.1)
    """Share of a bar's volume that an account fills of one instrument, at most; the rest of an
    order goes on working. Null: no limit."""
    borrow_bp: Annotated[float, Field(ge=0, le=1e5)] = _extra(0.0)
    """What borrowing a short position costs, basis points of its value, a year of calendar time."""
    financing_bp: Annotated[float, Field(ge=0, le=1e5)] = _extra(0.0)
    """What cash below zero costs, basis points a year of calendar time."""
    round_to_cents: bool = True
    """Round each commission to cents, half up; off where the quote currency has no cents."""

    @property
    def rates(self) -> Rates:
        """The same as fractions, as the kernel wants them."""
        worsening = (self.slippage_bp + self.half_spread_bp) * _BP
        return Rates(self.commission_bp * _BP, worsening, self.round_to_cents)

    @property
    def per_side_bp(self) -> float:
        """All costs of one side of a market order, basis points."""
        return self.commission_bp + self.slippage_bp + self.half_spread_bp

    @property
    def round_trip(self) -> float:
        """All costs of a buy and a sell at market, as a fraction of the price.

        >>> CostsConfig().round_trip
        0.003
        """
        return 2 * self.per_side_bp * _BP

    def times(self, multiple: float) -> "CostsConfig":
        """The same costs, `multiple` times as high.

        Raises:
            ConfigError: a negative multiple, or one at which a sell would earn nothing.
        """
        if not (math.isfinite(multiple) and multiple >= 0):
            raise ConfigError(f"costs: a multiple must be finite and at least 0, got {multiple}")
        if multiple * self.per_side_bp * _BP >= 1:
            raise ConfigError(
                f"costs: {multiple} x {self.per_side_bp:g} bp a side is the whole price; "
                f"the multiple must stay below {1 / (self.per_side_bp * _BP):g}"
            )
        names = (
            "commission_bp", "commission_per_unit", "commission_minimum", "sell_fee_bp",
            "sell_fee_per_unit", "slippage_bp", "half_spread_bp", "impact", "borrow_bp",
            "financing_bp",
        )  # fmt: skip
        return self.model_copy(update={n: getattr(self, n) * multiple for n in names})


def half_up_to_cents(money: Float64) -> Float64:
    """Money rounded to cents, half up; money >= 0, any shape.

    >>> float(half_up_to_cents(np.float64(1.005)))
    1.01
    """
    return np.asarray(np.floor(money * 100.0 * _TIE + 0.5) / 100.0)


def fees(costs: CostsConfig, quantity: Float64, price: Float64, side: Int8) -> Float64:
    """`fee` of many fills at once, (n_fills,), to the same bits."""
    value = quantity * price
    exact = value * (costs.commission_bp * _BP) + quantity * costs.commission_per_unit
    exact = np.maximum(exact, costs.commission_minimum)
    extra = value * (costs.sell_fee_bp * _BP) + quantity * costs.sell_fee_per_unit
    exact = np.where(side < 0, exact + extra, exact)
    paid = half_up_to_cents(exact) if costs.round_to_cents else exact
    return np.where(side < 0, np.minimum(paid, value), paid)


@compiled
def fee(terms: Any, quantity: float, price: float, side: float) -> float:
    """Commission and fees of a fill of so many units, money, rounded once, half up.

    Of a sale they are at most what it brings: selling never makes an account poorer.
    """
    value = quantity * price
    exact = value * terms.commission + quantity * terms.per_unit
    exact = max(exact, terms.minimum)
    if side < 0.0:
        exact += value * terms.sell_fee + quantity * terms.sell_fee_per_unit
    paid = math.floor(exact * 100.0 * _TIE + 0.5) / 100.0 if terms.to_cents else exact
    return float(min(paid, value) if side < 0.0 else paid)


@compiled
def affordable(terms: Any, money: float, price: float, side: float) -> float:
    """The units that `money` pays at `price`, commission and fees included; 0 for none.

    They follow from the rates. Where the rounded or the least commission asks for more, the
    quantity gives way for exactly that commission, so that no account is ever overdrawn. A short
    sale that brings no more than its fees: none.
    """
    extra = price * terms.sell_fee + terms.sell_fee_per_unit if side < 0.0 else 0.0
    quantity = money / (price * (1.0 + terms.commission) + terms.per_unit + extra)
    if quantity <= 0.0:
        return 0.0
    asked = fee(terms, quantity, price, side)
    if quantity * price + asked > money:
        quantity = max(0.0, money - asked) / price
        paid = fee(terms, quantity, price, side)
        if paid < asked and fee(terms, (money - paid) / price, price, side) == paid:
            quantity = (money - paid) / price
    if side < 0.0 and fee(terms, quantity, price, side) >= quantity * price:
        return 0.0
    return float(quantity * (1.0 - 1e-14))
