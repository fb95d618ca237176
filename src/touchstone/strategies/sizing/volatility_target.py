"""A position as large as its own volatility lets it be: calm instruments more, wild ones less."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.strategies import Outlook
from touchstone.strategies.sizing import SIZINGS


class VolatilityTargetConfig(Config):
    """Weight x the instrument's annual volatility = `annual`, so each position risks the same.

    Moreira & Muir (2017), Volatility-Managed Portfolios, Journal of Finance 72:1611, scale by the
    variance; this is the practice that scales by the standard deviation, as in Moskowitz, Ooi &
    Pedersen (2012), Time Series Momentum, Journal of Financial Economics 104:228.
    """

    kind: Literal["volatility_target"] = "volatility_target"
    annual: Annotated[float, Field(gt=0, le=10)] = 0.05
    """Standard deviation of a position's annual return that is wanted, fraction of equity."""
    volatility: str = "std(close / lag(close, 1) - 1, 48)"
    """Standard deviation of one bar's return: an expression like a feature's."""
    cap: Annotated[float, Field(gt=0, le=1)] | None = None
    """Weight at most, fraction of equity; null: 1 / max_positions."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads."""
        return (self.volatility,)


@SIZINGS.register(VolatilityTargetConfig)
def volatility_target(
    config: VolatilityTargetConfig, outlook: Outlook, max_positions: int
) -> Float64:
    """min(cap, annual / (volatility x sqrt(bars a year))), (n_rows,).

    0, and so no entry, where the volatility is not known; the cap where it is 0.

    Raises:
        ConfigError: the outlook has no such column, or does not say how many bars a year has.
    """
    if not outlook.bars_per_year > 0:
        raise ConfigError(
            "sizing volatility_target: the outlook does not say how many bars a year has; give "
            "`bars_per_year`, as Timeframe.periods_per_year tells it"
        )
    annual = outlook.column(config.volatility) * np.sqrt(outlook.bars_per_year)
    cap = 1.0 / max_positions if config.cap is None else config.cap
    with np.errstate(divide="ignore"):
        weight = np.minimum(config.annual / annual, cap)
    return np.where(annual >= 0, weight, 0.0)
