"""Portfolio weights from scores: every instrument by what it promises, traded past a buffer."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from touchstone.arrays import Float64, Int64
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.strategies import STRATEGIES, Outlook, Targets, instants, single
from touchstone.strategies.ranking import By, places, sums, value_of

Buffer = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]


class ScoreWeightedConfig(Config):
    """Weights in proportion to the value, or to its rank, of all instruments at a close.

    Rank weights as in Asness, Moskowitz & Pedersen (2013), Value and Momentum Everywhere, Journal
    of Finance 68:929: a row's rank less the mean rank, scaled. Barriers and the label's horizon say
    nothing here; a position leaves when its weight is 0.
    """

    is_across: ClassVar[bool] = True

    kind: Literal["score_weighted"] = "score_weighted"
    by: By = "expected_net"
    """What weighs: expected return less the round trip, or the calibrated probability."""
    weighting: Literal["proportional", "rank"] = "proportional"
    """`proportional`: to the value, where it is above 0. `rank`: to the place less the middle."""
    short: bool = False
    """Whether weights may lie below 0; `account.short` must be on."""
    gross: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Sum of the weights, shorts counted above 0, before single ones are cut."""
    max_weight: Share = 0.2
    """One instrument's weight at most; what is cut off stays in cash."""
    buffer: Annotated[tuple[Buffer, ...], Field(min_length=1)] = (0.02,)
    """Rebalancing buffer, fraction of equity: a weight off by less is left: candidates, or one."""

    @field_validator("buffer", mode="before")
    @classmethod
    def _one_is_a_tuple_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (int, float)) else value

    @model_validator(mode="after")
    def _a_probability_is_no_return(self) -> "ScoreWeightedConfig":
        if self.weighting == "proportional" and self.by == "probability":
            raise ConfigError(
                "weighting: proportional needs by: expected_net, since a probability is above 0 "
                "where a trade loses too; choose weighting: rank, or by: expected_net"
            )
        return self

    @property
    def is_short(self) -> bool:
        """Whether it may be short."""
        return self.short

    @property
    def knows_costs(self) -> bool:
        """Whether a dearer round trip enters less."""
        return self.weighting == "proportional"

    def candidates(self) -> tuple["ScoreWeightedConfig", ...]:
        """One config per buffer."""
        return tuple(self.model_copy(update={"buffer": (one,)}) for one in self.buffer)


@STRATEGIES.register(ScoreWeightedConfig)
def score_weighted(config: ScoreWeightedConfig, outlook: Outlook, hold_bars: int) -> Targets:  # noqa: ARG001  weights know no age
    """`gross` x a row's value over the sum of its instant's, cut at `max_weight`.

    A row without a score is left as it is, and weighs nothing in the sum.

    Raises:
        ConfigError: several buffers, an outlook without instants, or one that cannot be priced.
    """
    buffer, instant = single("buffer", config.buffer), instants(outlook, config.kind)
    value = value_of(outlook, config.by, config.kind)
    if config.weighting == "rank":
        wanted = _above_the_middle(value, instant)
        if not config.short:
            wanted = np.maximum(wanted, 0.0)
    else:
        wanted = np.maximum(value, 0.0)
        if config.short:
            wanted -= np.maximum(value_of(outlook.mirrored, config.by, config.kind), 0.0)
    whole = sums(np.abs(wanted), instant)
    weight = config.gross * wanted / np.where(whole > 0, whole, 1.0)
    return Targets(np.clip(weight, -config.max_weight, config.max_weight), buffer)


def _above_the_middle(value: Float64, instant: Int64) -> Float64:
    """Rank less the mean rank of the instant; equal rows share the mean of their ranks."""
    better, worse = places(value, instant), places(-value, instant)
    return (worse - better) / 2.0
