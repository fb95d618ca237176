"""What a fill costs: commission, slippage and half the spread, in basis points a side."""

import math
from typing import Annotated, NamedTuple

import numpy as np
from numba import njit
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.errors import ConfigError

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


class CostsConfig(Config):
    """Costs of one side of a trade. A buy is filled above its reference price, a sell below."""

    commission_bp: BasisPoints = 10.0
    """Commission, basis points of the fill's value, a side."""
    slippage_bp: BasisPoints = 5.0
    """Slippage of market and stop orders, basis points of the reference price, a side."""
    half_spread_bp: BasisPoints = 0.0
    """Half the bid-ask spread, basis points of the reference price, a side."""
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
        names = ("commission_bp", "slippage_bp", "half_spread_bp")
        return self.model_copy(update={n: getattr(self, n) * multiple for n in names})


def half_up_to_cents(money: Float64) -> Float64:
    """Money rounded to cents, half up; money >= 0, any shape.

    >>> float(half_up_to_cents(np.float64(1.005)))
    1.01
    """
    return np.asarray(np.floor(money * 100.0 * _TIE + 0.5) / 100.0)


@njit(cache=True)
def commission(value: float, rate: float, to_cents: bool) -> float:
    """Commission on a fill of this value, money; the rounding is `half_up_to_cents`."""
    exact = value * rate
    return math.floor(exact * 100.0 * _TIE + 0.5) / 100.0 if to_cents else exact


@njit(cache=True)
def affordable(money: float, price: float, rate: float, to_cents: bool) -> float:
    """The quantity that `money` pays at `price`, commission included; 0 for none.

    Rounding may make the commission up to half a cent dearer than its rate: the quantity gives
    way, so that no account is ever overdrawn.
    """
    value = money / (1.0 + rate)
    value = max(0.0, min(value, money - float(commission(value, rate, to_cents))))
    return value / price * (1.0 - 1e-14)
