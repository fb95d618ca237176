"""A6: what a state means depends on the regime of the market: each pays it with its own sign."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.simulation.chains import stationary
from touchstone.simulation.recursions import REGIMES, first_order, regime_transition
from touchstone.simulation.states import STATES, Numbers, Planted

_Pay = Annotated[float, Field(ge=-10, le=10)]


class RegimeSwitchConfig(Config):
    """How long the state lasts, and what each regime pays for it."""

    kind: Literal["regime_switch"] = "regime_switch"
    persistence: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """First-order autocorrelation of the state, a bar."""
    pay: Annotated[tuple[_Pay, ...], Field(min_length=4, max_length=4)] = (1.0, -1.0, 1.0, 2.0)
    """What a unit of the state pays in a bull, bear, sideways and volatile regime, relative to
    each other; below 0 a high state is followed by falls. Scaled so that its mean square over the
    regimes, each for as long as it stays, is 1."""

    @model_validator(mode="after")
    def _pays_somewhere(self) -> Self:
        if not any(self.pay):
            raise ConfigError(
                f"pay is 0 in each of {', '.join(REGIMES)}: a state that never pays is no edge; "
                "set the market's ic to 0 for a market without one"
            )
        return self


@STATES.register(RegimeSwitchConfig)
def regime_switch(config: RegimeSwitchConfig, numbers: Numbers) -> Planted:
    """An AR(1) that shows itself in volume always alike, and pays by the regime of the next bar.

    Whoever reads volume alone earns in some regimes what it loses in others. Nothing but the
    volatility of the bars tells which regime rules.
    """
    state = first_order(numbers.normal("hidden"), config.persistence)
    pay = np.array(config.pay)
    pay /= np.sqrt(stationary(regime_transition()) @ pay**2)
    return Planted(state, state, state * pay[numbers.regime()])
