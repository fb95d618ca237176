"""The default of old: long where the probability of the target reaches a threshold."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import PartOf
from touchstone.strategies import (
    STRATEGIES,
    Intent,
    Outlook,
    brackets,
    falls_to,
    single,
    tradable,
)
from touchstone.strategies.sizing import SIZINGS
from touchstone.strategies.sizing.equal_weight import EqualWeightConfig

Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ThresholdConfig(Config):
    """Enter at `p(+) >= entry_threshold`; it knows no costs, so the threshold must."""

    kind: Literal["threshold"] = "threshold"
    entry_threshold: Annotated[tuple[Threshold, ...], Field(min_length=1)] = (
        *(round(0.1 * k, 1) for k in range(1, 10)),
    )
    """Probabilities p(+) at or above which to enter: candidates, or a single one."""
    exit_threshold: Threshold | None = None
    """p(+) at or below which a position leaves early; none: by time and barriers alone."""
    max_positions: PositiveInt = 10
    """Positions held at once, at most."""
    barriers: bool = True
    """Whether positions carry the label's target and stop."""
    sizing: Annotated[Config, PartOf(SIZINGS)] = EqualWeightConfig()
    """How much of the equity a position gets."""

    @field_validator("entry_threshold", mode="before")
    @classmethod
    def _one_is_a_tuple_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (int, float)) else value

    @model_validator(mode="after")
    def _exit_lies_below_entry(self) -> "ThresholdConfig":
        if self.exit_threshold is not None and self.exit_threshold >= min(self.entry_threshold):
            raise ConfigError(
                f"exit_threshold {self.exit_threshold:g} must lie below every entry_threshold, "
                f"the lowest is {min(self.entry_threshold):g}: a row would enter and leave at once"
            )
        return self

    def candidates(self) -> tuple["ThresholdConfig", ...]:
        """One config per entry threshold."""
        return tuple(
            self.model_copy(update={"entry_threshold": (one,)}) for one in self.entry_threshold
        )


@STRATEGIES.register(ThresholdConfig)
def threshold(config: ThresholdConfig, outlook: Outlook, hold_bars: int) -> Intent:
    """Enter where p(+) >= entry_threshold, leave where p(+) <= exit_threshold; rank = p(+).

    Raises:
        ConfigError: the config still lists several thresholds.
    """
    least = single("entry_threshold", config.entry_threshold)
    up, down = brackets(outlook, config.barriers)
    hit = outlook.hit
    weight = SIZINGS.part_of(config.sizing)(config.sizing, outlook, config.max_positions)
    enter = (hit >= least) & tradable(up, down, weight)
    leave = falls_to(hit, config.exit_threshold)
    return Intent(enter, hit, leave, up, down, weight, hold_bars, config.max_positions)
