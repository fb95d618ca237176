"""Enter above one level, stay until a lower one: what hovers about a level trades once."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import PartOf
from touchstone.strategies import FOREVER, STRATEGIES, Intent, Outlook, single
from touchstone.strategies.ranking import By, Side, Terms, value_of, wished
from touchstone.strategies.sizing import SIZINGS
from touchstone.strategies.sizing.equal_weight import EqualWeightConfig

Level = Annotated[float, Field(allow_inf_nan=False)]


class HysteresisConfig(Config):
    """Enter above `entry`, leave at or below `exit`: as long as it lasts, no time ends it."""

    kind: Literal["hysteresis"] = "hysteresis"
    by: By = "expected_net"
    """What the levels are of: expected return less the round trip, or the probability."""
    entry: Annotated[tuple[Level, ...], Field(min_length=1)] = (0.0, 0.001, 0.002, 0.004)
    """Value above which to enter, fraction of the price or probability: candidates, or one."""
    exit: Level = -0.003
    """Value at or below which a position leaves. By expected return: what is held has paid its
    entry, so a level below 0, by up to a round trip, is no loss."""
    min_hold_bars: NonNegativeInt = 0
    """Bars for which a position does not hear the exit level; barriers it does."""
    hold_bars: PositiveInt | None = None
    """Bars after which a position leaves whatever its value; null: never."""
    short: bool = False
    """Whether the same levels of a short's value sell short; `account.short` must be on."""
    max_positions: PositiveInt = 10
    """Positions held at once, at most."""
    barriers: bool = False
    """Whether positions carry the label's target and stop."""
    sizing: Annotated[Config, PartOf(SIZINGS)] = EqualWeightConfig()
    """How much of the equity a position gets."""

    @field_validator("entry", mode="before")
    @classmethod
    def _one_is_a_tuple_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (int, float)) else value

    @model_validator(mode="after")
    def _levels_and_times_are_in_order(self) -> "HysteresisConfig":
        if self.exit >= min(self.entry):
            raise ConfigError(
                f"exit {self.exit:g} must lie below every entry, the lowest is "
                f"{min(self.entry):g}: a row would enter and leave at once"
            )
        if self.hold_bars is not None and self.min_hold_bars > self.hold_bars:
            raise ConfigError(
                f"min_hold_bars {self.min_hold_bars} is more than hold_bars {self.hold_bars}, "
                "after which a position leaves anyway"
            )
        return self

    @property
    def is_short(self) -> bool:
        """Whether it may be short."""
        return self.short

    @property
    def knows_costs(self) -> bool:
        """Whether a dearer round trip enters less."""
        return self.by == "expected_net"

    def candidates(self) -> tuple["HysteresisConfig", ...]:
        """One config per entry level."""
        return tuple(self.model_copy(update={"entry": (one,)}) for one in self.entry)


@STRATEGIES.register(HysteresisConfig)
def hysteresis(config: HysteresisConfig, outlook: Outlook, hold_bars: int) -> Intent:  # noqa: ARG001  it has its own
    """Enter where a side's value > entry, leave where it is <= exit; rank = the value.

    Raises:
        ConfigError: several entry levels, or an outlook that cannot be priced.
    """
    entry = single("entry", config.entry)

    def side(seen: Outlook) -> Side:
        value = value_of(seen, config.by, "hysteresis")
        return Side(value, np.asarray(value > entry), np.asarray(value <= config.exit))

    terms = Terms(
        config.barriers,
        config.sizing,
        config.max_positions,
        config.hold_bars or FOREVER,
        config.min_hold_bars,
    )
    short = side(outlook.mirrored) if config.short else None
    return wished(outlook, terms, side(outlook), short)
