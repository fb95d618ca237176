"""Settings as a function of (seed, trial number): which process draws them, and when, is no matter.

A grid is walked along a pseudo-random permutation of its points that is computed point by point,
so that a grid of any size costs nothing to hold.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from optuna import Study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from touchstone.errors import ConfigError
from touchstone.seeding import generator

_ROUNDS: Final = 4


class ByNumber(BaseSampler):
    """Gives one trial the settings that it was made with, whatever other trials there are."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Nothing: no key depends on another."""
        del study, trial
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing."""
        del study, trial, search_space
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        """The value of a key."""
        del study, trial, param_distribution
        return self._settings[param_name]


def drawn(seed: int, number: int, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Every key drawn by itself, uniformly on its scale: key -> value."""
    return {
        key: _quantile(values, float(generator(seed, "random", number, key).random()))
        for key, values in space.items()
    }


def point(
    seed: int, number: int, space: Mapping[str, BaseDistribution], points: int
) -> dict[str, Any]:
    """The point of a shuffled grid at place `number` modulo the grid's size: key -> value.

    Args:
        seed: shuffles.
        number: of the trial.
        space: key -> its values.
        points: of a range without a step.
    """
    axes = {key: marks(values, points) for key, values in space.items()}
    place = shuffled(number % size(space, points), size(space, points), seed)
    found = {}
    for key, axis in axes.items():
        place, at = divmod(place, len(axis))
        found[key] = axis[at]
    return found


def size(space: Mapping[str, BaseDistribution], points: int) -> int:
    """Points of a grid."""
    return math.prod(len(marks(values, points)) for values in space.values())


def marks(values: BaseDistribution, points: int) -> list[Any]:
    """The values of one key that a grid holds, rising."""
    if isinstance(values, CategoricalDistribution):
        return list(values.choices)
    low, high, step = _ends(values)
    if step is not None and not _is_log(values):
        return [_value(values, low + i * step) for i in range(_n_steps(low, high, step))]
    spread = np.geomspace if _is_log(values) else np.linspace
    return sorted({_value(values, float(v)) for v in spread(low, high, points)})


def shuffled(place: int, n: int, seed: int) -> int:
    """Where a permutation of 0 ... n - 1 that the seed chooses sends a place.

    Source: Black & Rogaway (2002), Ciphers with Arbitrary Finite Domains: a Feistel network on the
    next power of four, walked on until it lands inside.
    """
    half = max(1, -(-max(n - 1, 1).bit_length() // 2))
    mask = (1 << half) - 1
    while True:
        left, right = place >> half, place & mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ (_mixed(seed, turn, right) & mask)
        place = (left << half) | right
        if place < n:
            return place


def _mixed(*numbers: int) -> int:
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _quantile(values: BaseDistribution, share: float) -> Any:
    """The value below which a share in [0, 1) of a key's values lies."""
    if isinstance(values, CategoricalDistribution):
        return values.choices[int(share * len(values.choices))]
    low, high, step = _ends(values)
    if step is not None and not _is_log(values):
        return _value(values, low + step * int(share * _n_steps(low, high, step)))
    if _is_log(values):
        if step is not None:  # whole numbers: each owns half a step either side
            low, high = low - step / 2, high + step / 2
        return _value(values, math.exp(math.log(low) + share * (math.log(high) - math.log(low))))
    return _value(values, low + share * (high - low))


def _ends(values: BaseDistribution) -> tuple[float, float, float | None]:
    if not isinstance(values, IntDistribution | FloatDistribution):
        raise ConfigError(f"{values}: neither choices nor a range")
    step = values.step
    if isinstance(values, IntDistribution) and values.log:
        step = 1
    return values.low, values.high, step


def _is_log(values: BaseDistribution) -> bool:
    return bool(getattr(values, "log", False))


def _n_steps(low: float, high: float, step: float) -> int:
    return int((high - low) / step + 1e-9) + 1


def _value(values: BaseDistribution, number: float) -> float | int:
    low, high, _ = _ends(values)
    inside = min(max(number, low), high)
    return round(inside) if isinstance(values, IntDistribution) else inside
