"""A4: a pattern of volume after which the price drifts for a known number of bars."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.config import Config
from touchstone.simulation.chains import Chain
from touchstone.simulation.states import STATES, Numbers, Planted, planted_chain


class BurstConfig(Config):
    """How the pattern looks, how long the drift lasts, how often it comes."""

    kind: Literal["burst"] = "burst"
    pattern_bars: Annotated[int, Field(ge=1, le=100)] = 3
    """Bars in a row with a spike of volume: the pattern is complete at the close of the last."""
    burst_bars: Annotated[int, Field(ge=1, le=1000)] = 12
    """Bars after the pattern whose mean return is `ic` standard deviations."""
    every_bars: Annotated[float, Field(gt=1, le=1e6)] = 150.0
    """Mean wait from the end of a burst to the next pattern, bars."""
    spike: Annotated[float, Field(gt=0, le=20)] = 4.0
    """Log volume of a bar of the pattern per unit of `volume_loading`."""

    @property
    def chain(self) -> Chain:
        """State 0 waits, 1 .. pattern_bars is the pattern's bar that closed, then the burst's."""
        n = self.pattern_bars + self.burst_bars + 1
        transition = np.eye(n, k=1)
        for state in (0, n - 1):
            transition[state] = 0
            transition[state, :2] = 1 - 1 / self.every_bars, 1 / self.every_bars
        number = np.arange(n)
        in_pattern = (number >= 1) & (number <= self.pattern_bars)
        pays = (number >= self.pattern_bars) & (number < n - 1)
        return Chain(transition, np.where(in_pattern, self.spike, 0.0), pays.astype(np.float64))


@STATES.register(BurstConfig)
def burst(config: BurstConfig, numbers: Numbers) -> Planted:
    """Nothing but volume shows the pattern, and only the burst after it pays."""
    return planted_chain(config.chain, numbers)
