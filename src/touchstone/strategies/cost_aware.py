"""Enter only where the expected return, after the costs of the round trip, exceeds a margin."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PositiveInt, field_validator

from touchstone.arrays import Float64
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

Margin = Annotated[float, Field(allow_inf_nan=False)]


class CostAwareConfig(Config):
    """Enter where the expected net return of a trade exceeds the margin."""

    knows_costs: ClassVar[bool] = True

    kind: Literal["cost_aware"] = "cost_aware"
    margin_bp: Annotated[tuple[Margin, ...], Field(min_length=1)] = (0, 5, 10, 20, 30, 40, 60, 80)
    """Expected net return above which to enter, basis points: candidates, or a single one."""
    exit_threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    """p(+) at or below which a position leaves early; none: by time and barriers alone."""
    max_positions: PositiveInt = 10
    """Positions held at once, at most."""
    barriers: bool = True
    """Whether positions carry the label's target and stop."""
    sizing: Annotated[Config, PartOf(SIZINGS)] = EqualWeightConfig()
    """How much of the equity a position gets."""

    @field_validator("margin_bp", mode="before")
    @classmethod
    def _one_is_a_tuple_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (int, float)) else value

    def candidates(self) -> tuple["CostAwareConfig", ...]:
        """One config per margin."""
        return tuple(self.model_copy(update={"margin_bp": (one,)}) for one in self.margin_bp)


@STRATEGIES.register(CostAwareConfig)
def cost_aware(config: CostAwareConfig, outlook: Outlook, hold_bars: int) -> Intent:
    """Enter where `expected_net(outlook)` > margin; rank = the expected net return.

    Raises:
        ConfigError: the config still lists several margins, or the outlook cannot be priced.
    """
    margin = single("margin_bp", config.margin_bp) * 1e-4
    net = expected_net(outlook)
    up, down = brackets(outlook, config.barriers)
    weight = SIZINGS.part_of(config.sizing)(config.sizing, outlook, config.max_positions)
    enter = (net > margin) & tradable(up, down, weight) & ~np.isnan(outlook.hit)
    leave = falls_to(outlook.hit, config.exit_threshold)
    return Intent(enter, net, leave, up, down, weight, hold_bars, config.max_positions)


def expected_net(outlook: Outlook, kind: str = "cost_aware") -> Float64:
    """Expected return of a trade less its round trip, (n_rows,); nan where there is no score.

    `E[r | score]` where the outlook has it; else, with three outcomes,
    `p(+) up - p(-) down + p(0) rest`, each row with its own barrier widths. `kind` is who asks.

    Raises:
        ConfigError: a binary score without `expected`, or three outcomes without barriers.
    """
    if outlook.expected is not None:
        return outlook.expected - outlook.round_trip
    if outlook.probability.shape[1] != 3:
        raise ConfigError(
            f"strategy {kind}: one probability does not say what a trade earns. Use a model "
            "with three outcomes (head: barrier), give the return expected at each score (scores "
            "from outside: --calibrate-until DATE), or choose the strategy `threshold`."
        )
    scored = ~np.isnan(outlook.hit)
    if scored.any() and not (np.isfinite(outlook.up) & np.isfinite(outlook.down))[scored].any():
        raise ConfigError(
            f"strategy {kind}: the label has no barriers, so three outcomes do not say what a "
            "trade earns. Give the return expected at each score, or choose `threshold`."
        )
    stop, rest, hit = outlook.probability.T
    finite = np.isfinite(outlook.up) & np.isfinite(outlook.down)
    up, down = np.where(finite, outlook.up, np.nan), np.where(finite, outlook.down, np.nan)
    return np.asarray(hit * up - stop * down + rest * outlook.rest - outlook.round_trip)
