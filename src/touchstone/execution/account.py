"""An account as a person sets it: deposit, what it may hold, when it stops; and fresh state."""

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.execution.costs import CostsConfig
from touchstone.execution.records import (
    AMBIGUITIES,
    ORDER,
    POSITION,
    PURSE,
    RESTING,
    TERMS,
    Accounts,
    Records,
)

_BP = 1e-4
_Share = Annotated[float, Field(gt=0, le=1)]


def _extra(default: Any) -> Any:
    """Part of a study's question only where it is set."""
    return Field(default=default, exclude_if=lambda value: value == default)


class AccountConfig(Config):
    """A cash account with fractional units, long only, that never borrows; or what you make it."""

    cash: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1_000_000.0
    """Deposit at the start, quote currency."""
    short: bool = _extra(False)
    """Whether it may be short. It then measures its room by equity, not by cash."""
    units: Literal["fractional", "whole"] = _extra("fractional")
    """Whole units are rounded down, at the order and at the fill."""
    ambiguity: Literal["pessimistic", "optimistic", "finer"] = _extra("pessimistic")
    """What a bar counts as that spans stop and target: the stop, the target, or what bars of a
    shorter timeframe say."""
    max_gross: Annotated[float, Field(gt=0, le=10)] = _extra(1.0)
    """Longs and shorts together, share of equity, at most when something is entered."""
    max_weight: _Share = _extra(1.0)
    """One instrument's share of equity, at most when it is entered; not of orders of one's own."""
    max_group: Annotated[float, Field(gt=0, le=10)] | None = _extra(None)
    """One group's share of equity, at most when a strategy's wish enters something of it; null: no
    limit. Weights and orders of one's own are not bound."""
    daily_loss: _Share | None = _extra(None)
    """Loss since the day began, share of equity, at which everything is left until the next day."""
    drawdown: _Share | None = _extra(None)
    """Fall from the high-water mark at which everything is left for good."""
    cool_down: Annotated[int, Field(ge=0)] = _extra(0)
    """Bars after a stop in which its instrument is not entered again: instants at which any
    instrument of the account has one."""

    @model_validator(mode="after")
    def _a_cash_account_does_not_borrow(self) -> "AccountConfig":
        if self.max_gross > 1 and not self.short:
            raise ConfigError(
                f"account.max_gross {self.max_gross:g}: an account that is not allowed to be "
                "short pays in cash, so at most 1; set short: true for a margin account"
            )
        return self


def accounts(
    n_accounts: int,
    n_instruments: int,
    config: AccountConfig,
    costs: CostsConfig,
    max_positions: int,
    n_resting: int = 0,
) -> Accounts:
    """Fresh accounts: the deposit, no positions, no orders; `n_resting` orders may rest in each."""
    shape = (n_accounts, n_instruments)
    purse = np.zeros(n_accounts, PURSE)
    for name in ("cash", "equity", "peak", "day_equity"):
        purse[name] = config.cash
    purse["day"] = np.iinfo(np.int64).min
    positions = np.zeros(shape, POSITION)
    positions["upper"], positions["lower"] = math.inf, -math.inf
    return Accounts(
        terms_of(n_accounts, config, costs, max_positions),
        purse,
        positions,
        np.zeros(shape, ORDER),
        np.zeros(shape, np.int64),
        np.zeros((n_accounts, n_resting), RESTING),
    )


def terms_of(
    n_accounts: int, config: AccountConfig, costs: CostsConfig, max_positions: int
) -> Records:
    """The terms of so many equal accounts, `TERMS` (n_accounts,)."""
    terms, rates = np.zeros(n_accounts, TERMS), costs.rates
    half_life = costs.impact_half_life
    for name, value in {
        "commission": rates.commission,
        "per_unit": costs.commission_per_unit,
        "minimum": costs.commission_minimum,
        "sell_fee": costs.sell_fee_bp * _BP,
        "sell_fee_per_unit": costs.sell_fee_per_unit,
        "worsening": rates.worsening,
        "half_spread": costs.half_spread_bp * _BP,
        "slippage": costs.slippage_bp * _BP,
        "impact": costs.impact,
        "impact_power": costs.impact_power,
        "impact_kept": 0.5 ** (1 / half_life) if half_life > 0 else 0.0,
        "volume_cap": math.inf if costs.volume_cap is None else costs.volume_cap,
        "borrow": costs.borrow_bp * _BP,
        "financing": costs.financing_bp * _BP,
        "max_gross": config.max_gross if config.short or config.max_gross < 1 else math.inf,
        "max_weight": config.max_weight,
        "max_group": math.inf if config.max_group is None else config.max_group,
        "daily_loss": math.inf if config.daily_loss is None else config.daily_loss,
        "drawdown": math.inf if config.drawdown is None else config.drawdown,
        "entry_level": -math.inf,
        "exit_level": 0.0,
        "scale": 1.0,
        "max_positions": max_positions,
        "cool_down": config.cool_down,
        "ambiguity": AMBIGUITIES.index(config.ambiguity),
        "to_cents": rates.to_cents,
        "whole": config.units == "whole",
        "margin": config.short,
    }.items():
        terms[name] = value
    return terms
