"""The k best instruments at each close, and the k worst short; out when no longer near them."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from touchstone.arrays import Bool, Float64
from touchstone.config import Config
from touchstone.registration import PartOf
from touchstone.strategies import STRATEGIES, Intent, Outlook, instants, single
from touchstone.strategies.ranking import By, Side, Terms, places, value_of, wished
from touchstone.strategies.sizing import SIZINGS
from touchstone.strategies.sizing.equal_weight import EqualWeightConfig

Floor = Annotated[float, Field(allow_inf_nan=False)]


class TopKConfig(Config):
    """Enter the k best above the floor; leave what falls out of the best k + band."""

    is_across: ClassVar[bool] = True

    kind: Literal["top_k"] = "top_k"
    k: PositiveInt = 5
    """Instruments held long at most, and, with `short`, as many short; slots are shared."""
    band: NonNegativeInt = 3
    """Places beyond k at which a position still stays: what spares turnover at the border."""
    by: By = "expected_net"
    """What ranks: expected return less the round trip, or the calibrated probability."""
    floor: Annotated[tuple[Floor, ...], Field(min_length=1)] = (0.0,)
    """Value above which to enter at all, fraction of the price or probability: candidates, or a
    single one. Whoever is above it less often than k holds less than k."""
    short: bool = False
    """Whether the k worst are sold short; `account.short` must be on."""
    hold_bars: PositiveInt | None = None
    """Bars after which a position leaves whatever its place; null: the label's horizon."""
    barriers: bool = True
    """Whether positions carry the label's target and stop."""
    sizing: Annotated[Config, PartOf(SIZINGS)] = EqualWeightConfig()
    """How much of the equity a position gets."""

    @field_validator("floor", mode="before")
    @classmethod
    def _one_is_a_tuple_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (int, float)) else value

    @property
    def is_short(self) -> bool:
        """Whether it may be short."""
        return self.short

    @property
    def knows_costs(self) -> bool:
        """Whether a dearer round trip enters less."""
        return self.by == "expected_net"

    def candidates(self) -> tuple["TopKConfig", ...]:
        """One config per floor."""
        return tuple(self.model_copy(update={"floor": (one,)}) for one in self.floor)


@STRATEGIES.register(TopKConfig)
def top_k(config: TopKConfig, outlook: Outlook, hold_bars: int) -> Intent:
    """Enter where a row's place is at most k and its value above the floor; rank = the value.

    Equal rows share a place: of those at the k-th the account takes as many as it has slots for,
    by symbol, and none of them has to leave.

    Raises:
        ConfigError: several floors, an outlook without instants, or one that cannot be priced.
    """
    floor = single("floor", config.floor)
    instant = instants(outlook, "top_k")

    def side(seen: Outlook) -> Side:
        value = value_of(seen, config.by, "top_k")
        place = places(value, instant)
        return Side(
            value, _above(value, floor) & (place <= config.k), place > config.k + config.band
        )

    terms = Terms(
        config.barriers,
        config.sizing,
        config.k * (2 if config.short else 1),
        config.hold_bars or hold_bars,
    )
    short = side(outlook.mirrored) if config.short else None
    return wished(outlook, terms, side(outlook), short)


def _above(value: Float64, floor: float) -> Bool:
    return np.asarray(value > floor)
