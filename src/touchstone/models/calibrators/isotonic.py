"""Isotonic regression: the best rising step function, drawn through by straight lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import PositiveInt
from scipy.optimize import isotonic_regression

from touchstone.arrays import Bool, Float64, Floats, Int64
from touchstone.config import Config
from touchstone.models.calibrators import CALIBRATORS


class IsotonicConfig(Config):
    """Assumes only that a higher score is no worse; wants some thousand rows."""

    kind: Literal["isotonic"] = "isotonic"
    min_rows: PositiveInt = 50
    """Fewest rows that one value rests on. The highest score of the validation rows may have hit:
    with 1 that alone is called certain, and a strategy buys exactly there."""


@CALIBRATORS.register(IsotonicConfig)
@dataclass(frozen=True)
class Isotonic:
    """Knots of a rising, piecewise linear function, constant beyond its ends."""

    score: tuple[float, ...]
    value: tuple[float, ...]

    @classmethod
    def fit(cls, config: IsotonicConfig, score: Float64, hit: Bool, weight: Float64) -> "Isotonic":
        """Fit to hits and misses.

        Source: Zadrozny & Elkan (2002), section 3; pool adjacent violators, Barlow et al. (1972).
        """
        return cls.rising(score, hit.astype(np.float64), weight, config.min_rows)

    @classmethod
    def rising(cls, score: Float64, value: Float64, weight: Float64, min_rows: int) -> "Isotonic":
        """Fit to any values: bins of `min_rows` consecutive scores, made to rise by pooling."""
        order = np.argsort(score, kind="stable")
        rising, weights = score[order], weight[order]
        starts = _starts(rising, min_rows)
        mass = np.add.reduceat(weights, starts)
        mean = np.add.reduceat(weights * value[order], starts) / mass
        # A mean may round beyond what it is the mean of; bins do not overlap, so knots rise.
        centre = np.clip(
            np.add.reduceat(weights * rising, starts) / mass,
            rising[starts],
            rising[np.r_[starts[1:], rising.size] - 1],
        )
        level = np.maximum.accumulate(isotonic_regression(mean, weights=mass).x)
        flat = np.zeros(level.size, np.bool_)
        flat[1:-1] = (level[1:-1] == level[:-2]) & (level[1:-1] == level[2:])
        return cls(tuple(centre[~flat].tolist()), tuple(level[~flat].tolist()))

    def apply(self, score: Floats) -> Float64:
        """(n,) scores -> (n,) values."""
        column = np.asarray(score, np.float64)
        levels = np.interp(column, self.score, self.value)
        # Interpolation may round beyond the knot that it meets.
        place = np.searchsorted(self.score, column, side="right")
        low = np.asarray(self.value)[np.maximum(place - 1, 0)]
        high = np.asarray(self.value)[np.minimum(place, len(self.value) - 1)]
        return np.where(np.isnan(column), np.nan, np.clip(levels, low, high))

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps({"kind": "isotonic", "score": self.score, "value": self.value})

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Isotonic":
        """From the content of its JSON."""
        score = tuple(float(x) for x in content["score"])
        value = tuple(float(x) for x in content["value"])
        rising = all(np.diff(score) > 0) and all(np.diff(value) >= 0)
        if len(score) != len(value) or not score or not rising:
            raise ValueError("scores and values of an isotonic calibrator must rise, one for one")
        return cls(score, value)


def _starts(rising: Float64, min_rows: int) -> Int64:
    """First row of each bin; equal scores share a bin, no bin is short but an only one."""
    groups = np.flatnonzero(np.r_[True, np.diff(rising) > 0])
    starts = [0]
    for start in groups[1:].tolist():
        if start - starts[-1] >= min_rows and rising.size - start >= min_rows:
            starts.append(start)
    return np.array(starts)
