"""Another strategy, heard only while a column allows it: in an uptrend, in a calm market."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, WithJsonSchema, model_validator

from touchstone.arrays import Bool
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import PartOf
from touchstone.strategies import STRATEGIES, Decision, Outlook, Targets
from touchstone.strategies.cost_aware import CostAwareConfig

Bound = Annotated[float, Field(allow_inf_nan=False)] | None


class RegimeFilterConfig(Config):
    """The wrapped strategy's entries, only where `least <= column <= most`.

    The default is the rule of Faber (2007), A Quantitative Approach to Tactical Asset Allocation,
    Journal of Wealth Management 9(4): hold nothing that closes below its average.
    """

    kind: Literal["regime_filter"] = "regime_filter"
    strategy: Annotated[
        Config,
        PartOf(STRATEGIES),
        # a family that holds itself has no end as a tree
        WithJsonSchema({"type": "object", "required": ["kind"], "description": "A strategy."}),
    ] = CostAwareConfig()
    """The strategy that is filtered."""
    column: str = "close / mean(close, 200) - 1"
    """What the regime is told by: an expression like a feature's, known at the row's close."""
    least: Bound = 0.0
    """Least value of the column that allows an entry, in the column's unit; null: no limit."""
    most: Bound = None
    """Greatest value that allows one; null: no limit."""
    leave: bool = False
    """Whether positions leave when the regime ends; off: it only keeps from entering."""

    @model_validator(mode="after")
    def _something_is_allowed_and_something_not(self) -> "RegimeFilterConfig":
        if self.least is None and self.most is None:
            raise ConfigError(
                "regime_filter: neither least nor most is set, so that everything is allowed; "
                "set one of them"
            )
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ConfigError(
                f"regime_filter: least {self.least:g} lies above most {self.most:g}: nothing would "
                "ever be allowed"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads."""
        return (self.column,)

    @property
    def is_across(self) -> bool:
        """Whether the wrapped strategy reads other rows of the instant."""
        return bool(getattr(self.strategy, "is_across", False))

    @property
    def knows_costs(self) -> bool:
        """Whether the wrapped strategy does."""
        return bool(getattr(self.strategy, "knows_costs", False))

    def candidates(self) -> tuple["RegimeFilterConfig", ...]:
        """One config per candidate of the wrapped strategy."""
        inner: Any = self.strategy
        return tuple(self.model_copy(update={"strategy": one}) for one in inner.candidates())


@STRATEGIES.register(RegimeFilterConfig)
def regime_filter(config: RegimeFilterConfig, outlook: Outlook, hold_bars: int) -> Decision:
    """The wrapped decision without its entries where the column forbids them or is not known.

    With `leave`, positions leave where the column is known and forbids; where it is not known they
    stay. Weights of a strategy that names them become 0 there, or are left as they are.

    Raises:
        ConfigError: whatever the wrapped strategy raises; a column that was not evaluated.
    """
    decision = STRATEGIES.part_of(config.strategy)(config.strategy, outlook, hold_bars)
    value = outlook.column(config.column)
    allowed = _within(config, value)
    ended = ~allowed & ~np.isnan(value) & ~np.isnan(outlook.hit) & config.leave
    if isinstance(decision, Targets):
        weight = decision.weight
        keeps = allowed | (weight == 0)
        return decision._replace(weight=np.where(keeps, weight, np.where(ended, 0.0, np.nan)))
    cover = None if decision.cover is None else decision.cover | ended
    return decision._replace(
        enter=decision.enter & allowed, leave=decision.leave | ended, cover=cover
    )


def _within(config: RegimeFilterConfig, value: Any) -> Bool:
    allowed = ~np.isnan(value)
    if config.least is not None:
        allowed &= value >= config.least
    if config.most is not None:
        allowed &= value <= config.most
    return np.asarray(allowed)
