"""One setting of a population: drawn at random, or moved a little from where it stands."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

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
    low: float | None = None
    """Lowest value; None for choices."""
    high: float | None = None
    """Highest value; None for choices."""
    step: float | None = None
    """Between values, counted from the lowest; None where any between is possible."""
    log: bool = False
    """Whether the range is logarithmic."""
    whole: bool = False
    """Whether values are integers."""
    choices: tuple[Any, ...] = ()
    """The values, in their order; empty for a range."""


def setting_of(key: str, values: BaseDistribution) -> Setting:
    """A key of a search's space."""
    if isinstance(values, CategoricalDistribution):
        return Setting(key, choices=tuple(values.choices))
    assert isinstance(values, IntDistribution | FloatDistribution), f"{key}: {values}"
    whole = isinstance(values, IntDistribution)
    step = None if whole and (values.log or values.step == 1) else values.step
    return Setting(key, values.low, values.high, step, values.log, whole)


def drawn(setting: Setting, rng: np.random.Generator) -> Any:
    """A value from the whole of a setting's space, uniform on its scale."""
    if setting.choices:
        return setting.choices[int(rng.integers(len(setting.choices)))]
    low, high = _ends(setting)
    if setting.step is not None:
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
    low, high = _ends(setting)
    moved = float(value) * (LARGER if up else SMALLER)
    if value == 0:
        moved = _FROM_ZERO * (high - low) * (1 if up else -1)
    if setting.step is not None:
        at = round((float(value) - low) / setting.step)
        to = round((moved - low) / setting.step)
        to = max(to, at + 1) if up else min(to, at - 1)
        return _placed(setting, min(max(to, 0), _n_steps(setting)))
    if setting.whole:
        moved = max(round(moved), value + 1) if up else min(round(moved), value - 1)
    return _number(setting, min(max(moved, low), high))


def _ends(setting: Setting) -> tuple[float, float]:
    assert setting.low is not None, f"{setting.key}: a range has ends"
    assert setting.high is not None, f"{setting.key}: a range has ends"
    return setting.low, setting.high


def _n_steps(setting: Setting) -> int:
    low, high = _ends(setting)
    assert setting.step is not None, f"{setting.key}: a grid has steps"
    return math.floor((high - low) / setting.step + 1e-9)


def _placed(setting: Setting, at: int) -> float | int:
    """The value at a place of a grid."""
    assert setting.low is not None, f"{setting.key}: a range has ends"
    assert setting.step is not None, f"{setting.key}: a grid has steps"
    return _number(setting, setting.low + at * setting.step)


def _number(setting: Setting, value: float) -> float | int:
    if not setting.whole:
        return float(value)
    low, high = _ends(setting)
    return int(min(max(round(value), math.ceil(low)), math.floor(high)))
