"""THE decision: calibrated scores of every row become wishes to enter and to leave.

A part of the family takes an `Outlook` and gives an `Intent`; what becomes of a wish (cash,
slots, fills) is the kernel's business. A row's intent reads that row alone.
"""

from typing import NamedTuple, Protocol

import numpy as np

from touchstone.arrays import Bool, Float64, Int8
from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.registration import Family


class Outlook(NamedTuple):
    """What is known at each row's close about a long entry at the instrument's next open."""

    probability: Float64
    """Calibrated, nan where there is no score: (n_rows, 3) for the outcomes -1, 0, +1 of a
    `barrier` head, or (n_rows, 1) for a binary or foreign score.
    """
    up: Float64
    """Width of the target as a fraction of the entry price, inf for none; (n_rows,)."""
    down: Float64
    """Width of the stop, likewise; (n_rows,)."""
    rest: float | Float64
    """m0: mean realised return of horizon exits on validation rows; one, or one per row where
    rows were scored by different fits.
    """
    round_trip: float
    """Costs of a buy and a sell as a fraction of the price."""
    expected: Float64 | None
    """E[realised | score], fitted on validation rows, (n_rows,); None where it was not fitted."""

    @property
    def hit(self) -> Float64:
        """p(+), the probability of the target, (n_rows,)."""
        return self.probability[:, -1]


class Intent(NamedTuple):
    """What the account shall do at each row's close, as far as cash and slots allow."""

    enter: Bool
    """Wish to be in, (n_rows,)."""
    rank: Float64
    """Wishes of a higher rank are served first, (n_rows,)."""
    leave: Bool
    """Wish to be out, (n_rows,)."""
    up: Float64
    """Width of the target, inf for none, (n_rows,)."""
    down: Float64
    """Width of the stop, inf for none, (n_rows,)."""
    weight: Float64
    """Value to buy as a fraction of equity, (n_rows,)."""
    hold_bars: int
    """Bars after which a position leaves; the bar of the fill counts as 1."""
    max_positions: int
    side: Int8 | None = None
    """+1 long, -1 short, (n_rows,); None: all long. Targets and stops are widths either way."""


class Strategy(Protocol):
    """A part of the family: config, outlook, hold_bars -> intent."""

    def __call__(self, config: Config, outlook: Outlook, hold_bars: int) -> Intent:
        """Say for every row whether to enter or to leave."""


STRATEGIES: Family[Strategy] = Family("strategy", __name__)


def single(name: str, candidates: tuple[float, ...]) -> float:
    """The one value of a field that may list several.

    Raises:
        ConfigError: none or several: a strategy decides by one of its config's `candidates()`.
    """
    if len(candidates) != 1:
        raise ConfigError(
            f"{name}: a strategy decides with one value, got {len(candidates)} "
            f"({', '.join(f'{c:g}' for c in candidates)}); choose one, as in "
            f"{name}: {candidates[0] if candidates else 0:g}"
        )
    return candidates[0]


def brackets(outlook: Outlook, are_on: bool) -> tuple[Float64, Float64]:
    """Widths of target and stop, or inf for both where barriers are off."""
    if are_on:
        return outlook.up, outlook.down
    none = np.full(outlook.up.shape, np.inf)
    return none, none


def falls_to(probability: Float64, threshold: float | None) -> Bool:
    """Where a probability is at or below a threshold; nowhere without one, or without a score."""
    if threshold is None:
        return np.zeros(probability.shape, bool)
    return np.asarray(probability <= threshold)
