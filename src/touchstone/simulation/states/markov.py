"""A2: trends that last, and flickers that pay more and are gone before a trade has paid off."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.config import Config
from touchstone.simulation.chains import Chain, stationary
from touchstone.simulation.states import STATES, Numbers, Planted, planted_chain


class MarkovConfig(Config):
    """How long states last and what they pay: trend up, trend down, flicker up, flicker down."""

    kind: Literal["markov"] = "markov"
    trend_bars: Annotated[float, Field(ge=1, le=1e6)] = 40.0
    """Mean stay in a trend, bars."""
    flicker_bars: Annotated[float, Field(ge=1, le=1e6)] = 1.2
    """Mean stay in a flicker, bars."""
    trend_share: Annotated[float, Field(gt=0, lt=1)] = 0.03
    """Chance that the next state is a trend, whenever a state ends."""
    flicker_pay: Annotated[float, Field(ge=0, le=10)] = 1.5
    """What a bar of a flicker pays, relative to a bar of a trend."""

    @property
    def chain(self) -> Chain:
        """Both signs alike; `paying` has unit mean square, so that `ic` is its size."""
        stay = np.repeat([self.trend_bars, self.flicker_bars], 2)
        chance = np.repeat([self.trend_share, 1 - self.trend_share], 2) / 2
        transition = np.diag(1 - 1 / stay) + np.outer(1 / stay, chance)
        paying = np.array([1, -1, self.flicker_pay, -self.flicker_pay])
        paying /= np.sqrt(stationary(transition) @ paying**2)
        return Chain(transition, np.array([0.7, -0.7, 2.1, -2.1]), paying)


@STATES.register(MarkovConfig)
def markov(config: MarkovConfig, numbers: Numbers) -> Planted:
    """A chain of four states, each with its own level of volume.

    Flickers show more and pay more a bar than trends, so whoever follows the signal trades them;
    what they pay in their short life is less than the costs of it. Only the persistence, which
    the size of the volume tells, says which signal is worth a trade.
    """
    return planted_chain(config.chain, numbers)
