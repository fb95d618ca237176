"""What may be planted in a market: a state that shows itself in volume and pays in the next bar.

A part takes its config and the random numbers of a market and gives a `Planted`. One file each.
A config whose state is a Markov chain tells it as `chain`: so its oracle is exact.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from touchstone.arrays import Float64, Int8
from touchstone.registration import Family
from touchstone.simulation.chains import Chain, paths


class Numbers(NamedTuple):
    """Random numbers by purpose: each call a table (n_instruments, n_bars + 1), a row a stream."""

    normal: Callable[[str], Float64]
    """Standard normal."""
    uniform: Callable[[str], Float64]
    """Uniform on [0, 1)."""
    regime: Callable[[], Int8]
    """Number in `recursions.REGIMES` of the regime that rules each bar, (n_bars + 1,): the same
    one that the bar's volatility has."""


class Planted(NamedTuple):
    """A planted state, (n_instruments, n_bars + 1): column t is known before bar t begins."""

    state: Float64
    """The state itself, as the truth keeps it: a number, or the number of a Markov state."""
    shown: Float64
    """What the log volume of the bar that closed carries per unit of `volume_loading`."""
    paying: Float64
    """Mean of bar t's return per unit of `ic`, in standard deviations of that return."""


class Plant(Protocol):
    """A part of the family: (config, numbers) -> planted."""

    def __call__(self, config: Any, numbers: Numbers, /) -> Planted:
        """The state of every instrument at every close."""


def planted_chain(chain: Chain, numbers: Numbers) -> Planted:
    """Paths of a chain, with what is seen of each state and what it pays."""
    state = paths(numbers.uniform("hidden"), chain.transition)
    return Planted(state.astype(np.float64), chain.shown[state], chain.paying[state])


STATES: Family[Plant] = Family("planted state", __name__)
