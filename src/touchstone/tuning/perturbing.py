"""One setting of a population: drawn at random, or moved a little from where it stands."""

import math
from typing import Any, Final, NamedTuple

import numpy as np

SMALLER: Final = 0.8
LARGER: Final = 1.25
"""What a number is multiplied by; the one is the other's inverse, so that no direction is favoured.

Jaderberg et al. (2017), section 4.1.1, take 0.8 and 1.2, with which a value drifts downwards."""
_FROM_ZERO: Final = 0.05
"""Where a value stands at zero, which no factor moves: the step up, a share of the range."""


class Setting(NamedTuple):
    """Where one setting may lie: a range, a grid, or choices."""

    key: str
    """Dotted, as in training.learning_rate."""
    low: float = 0.0
    """Lowest value."""
    high: float = 0.0
    """Highest value."""
    step: float | None = None
    """Between values, counted from the lowest; None where any between is possible."""
    log: bool = False
    """Whether the range is logarithmic."""
    whole: bool = False
    """Whether values are integers."""
    choices: tuple[Any, ...] = ()
    """The values, in their order; empty for a range."""


def drawn(setting: Setting, rng: np.random.Generator) -> Any:
    """A value from the whole of a setting's space, uniform on its scale."""
    if setting.choices:
        return setting.choices[int(rng.integers(len(setting.choices)))]
    low, high = setting.low, setting.high
    if _on_grid(setting):
        return _placed(setting, int(rng.integers(_n_steps(setting) + 1)))
    share = float(rng.random())
    value = low * (high / low) ** share if setting.log else low + (high - low) * share
    return _number(setting, value)


def perturbed(setting: Setting, value: Any, rng: np.random.Generator) -> Any:
    """A value near another: 0.8 or 1.25 times it, within the range.

    On a grid the nearest of its values, and one step away at least; of choices a neighbour in
    their order. Whichever way is drawn, an end of the range is not left: a value that stands there
    may stay.

    Args:
        setting: where it may lie.
        value: where it stands; one from outside is brought in.
        rng: one draw is taken, whatever the sort of setting.
    """
    up = bool(rng.random() < 0.5)
    if setting.choices:
        at = setting.choices.index(value) if value in setting.choices else 0
        return setting.choices[min(max(at + (1 if up else -1), 0), len(setting.choices) - 1)]
    low, high = setting.low, setting.high
    moved = float(value) * (LARGER if up else SMALLER)
    if value == 0:
        moved = _FROM_ZERO * (high - low) * (1 if up else -1)
    if _on_grid(setting):
        step = setting.step or 1.0
        at, to = round((float(value) - low) / step), round((moved - low) / step)
        to = max(to, at + 1) if up else min(to, at - 1)
        return _placed(setting, min(max(to, 0), _n_steps(setting)))
    if setting.whole:
        moved = max(round(moved), value + 1) if up else min(round(moved), value - 1)
    return _number(setting, min(max(moved, low), high))


def _on_grid(setting: Setting) -> bool:
    """Whether values lie a step apart; whole numbers of a logarithmic range only round."""
    return setting.step is not None and not setting.log


def _n_steps(setting: Setting) -> int:
    return math.floor((setting.high - setting.low) / (setting.step or 1.0) + 1e-9)


def _placed(setting: Setting, at: int) -> float | int:
    """The value at a place of a grid."""
    return _number(setting, setting.low + at * (setting.step or 1.0))


def _number(setting: Setting, value: float) -> float | int:
    if not setting.whole:
        return float(value)
    return int(min(max(round(value), math.ceil(setting.low)), math.floor(setting.high)))
