"""Platt scaling: a logistic function of the score's logit; two numbers, for few rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from scipy.special import expit, logit

from touchstone.arrays import Bool, Float64, Floats
from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.models.calibrators import CALIBRATORS

_FLOOR: Final = 1e-6
"""Scores are rounded to 1e-6, so nothing finer is known about their logit."""
_STEPS: Final = 100


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
        x = logit(np.clip(score, _FLOOR, 1 - _FLOOR))
        # The smoothing is that of a uniform prior on the rate of each kind.
        n_hit, n_miss = hit.sum(), (~hit).sum()
        soft = np.where(hit, (n_hit + 1) / (n_hit + 2), 1 / (n_miss + 2))
        slope, shift = _newton(x, soft, weight)
        if slope <= 0:
            return cls(0.0, float(logit(np.average(soft, weights=weight))))
        return cls(slope, shift)

    def apply(self, score: Floats) -> Float64:
        """(n,) scores -> (n,) probabilities."""
        x = logit(np.clip(np.asarray(score, np.float64), _FLOOR, 1 - _FLOOR))
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


def _newton(x: Float64, soft: Float64, weight: Float64) -> tuple[float, float]:
    """Slope and shift of least weighted log-loss against soft outcomes."""
    columns = np.stack([x, np.ones_like(x)])
    weights = weight / weight.sum()

    def loss(theta: Float64) -> float:
        z = theta @ columns
        return float(np.sum(weights * (np.logaddexp(0, z) - soft * z)))

    theta = np.array([0.0, float(logit(np.sum(weights * soft)))])
    now = loss(theta)
    for _ in range(_STEPS):
        p = expit(theta @ columns)
        gradient = columns @ (weights * (p - soft))
        hessian = (columns * (weights * p * (1 - p))) @ columns.T + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while (then := loss(theta - step)) > now and np.abs(step).max() > 1e-12:
            step /= 2
        if then > now or np.abs(gradient).max() < 1e-10:
            break
        theta, now = theta - step, then
    return float(theta[0]), float(theta[1])
