"""Platt scaling: a logistic function of the score's logit; two numbers, for few rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logit

from touchstone.arrays import Bool, Float64, Floats
from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.models.calibrators import CALIBRATORS
from touchstone.models.likelihood import FLOOR, least_loss, soft_outcomes


class PlattConfig(Config):
    """Assumes that the score is wrong only by a shift and a stretch of its logit."""

    kind: Literal["platt"] = "platt"


@CALIBRATORS.register(PlattConfig)
@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + exp(-(slope logit(score) + shift))), slope >= 0."""

    slope: float
    shift: float

    @classmethod
    def fit(cls, config: PlattConfig, score: Float64, hit: Bool, weight: Float64) -> "Platt":  # noqa: ARG003 (nothing to choose)
        """Fit by Newton's method; a score that ranks the wrong way is worth nothing: slope 0.

        Raises:
            DataError: a score outside [0, 1].

        Source: Platt (1999), Probabilistic Outputs for Support Vector Machines, with its
        smoothed outcomes; Lin, Lin & Weng (2007), for the damped steps.
        """
        if score.min() < 0 or score.max() > 1:
            raise DataError(
                f"platt needs probabilities in [0, 1], got {score.min():g} to {score.max():g}: "
                "use isotonic for scores of another kind"
            )
        x, soft = logit(np.clip(score, FLOOR, 1 - FLOOR)), soft_outcomes(hit)
        slope, shift = least_loss(np.stack([x, np.ones_like(x)]), soft, weight)[0].tolist()
        if slope <= 0:
            return cls(0.0, float(logit(np.average(soft, weights=weight))))
        return cls(slope, shift)

    def apply(self, score: Floats) -> Float64:
        """(n,) scores -> (n,) probabilities."""
        x = logit(np.clip(np.asarray(score, np.float64), FLOOR, 1 - FLOOR))
        probability: Float64 = expit(self.slope * x + self.shift)
        return probability

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps({"kind": "platt", "slope": self.slope, "shift": self.shift})

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Platt":
        """From the content of its JSON."""
        slope, shift = float(content["slope"]), float(content["shift"])
        if not (np.isfinite(slope) and np.isfinite(shift) and slope >= 0):
            raise ValueError("slope and shift must be finite, the slope not negative")
        return cls(slope, shift)
