"""Beta calibration: three numbers, and the identity is one of its curves; for some hundred rows."""

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


class BetaConfig(Config):
    """Assumes that the score is wrong by a shift and by a stretch on each side of its logit."""

    kind: Literal["beta"] = "beta"


@CALIBRATORS.register(BetaConfig)
@dataclass(frozen=True)
class Beta:
    """p = 1 / (1 + exp(-(above ln(score) - below ln(1 - score) + shift))), none negative but shift.

    `above` bends the curve near a score of 0, `below` near 1; both 1 and no shift: the identity.
    """

    above: float
    below: float
    shift: float

    @classmethod
    def fit(cls, config: BetaConfig, score: Float64, hit: Bool, weight: Float64) -> "Beta":  # noqa: ARG003 (nothing to choose)
        """Fit by Newton's method; where a coefficient would be negative it is 0, and the two others
        are fitted anew: of the rising curves that is the one of least loss.

        Raises:
            DataError: a score outside [0, 1].

        Source: Kull, Silva Filho & Flach (2017), Beta calibration, AISTATS, sections 3.2 and 4;
        with the smoothed outcomes of Platt (1999), which keep a parted sample finite.
        """  # noqa: D205  what is done takes two lines
        if score.min() < 0 or score.max() > 1:
            raise DataError(
                f"beta needs probabilities in [0, 1], got {score.min():g} to {score.max():g}: "
                "use isotonic for scores of another kind"
            )
        inside, soft = np.clip(score, FLOOR, 1 - FLOOR), soft_outcomes(hit)
        columns = np.stack([np.log(inside), -np.log1p(-inside), np.ones_like(inside)])
        theta, _ = least_loss(columns, soft, weight)
        if (theta[:2] >= 0).all():
            return cls(float(theta[0]), float(theta[1]), float(theta[2]))
        rising = []
        for side in (0, 1):
            found, loss = least_loss(columns[[side, 2]], soft, weight)
            if found[0] > 0:
                rising.append((loss, side, found))
        if not rising:  # it ranks the wrong way and is worth nothing
            return cls(0.0, 0.0, float(logit(np.average(soft, weights=weight))))
        _, side, found = min(rising, key=lambda one: one[:2])
        slope, shift = float(found[0]), float(found[1])
        return cls(slope, 0.0, shift) if side == 0 else cls(0.0, slope, shift)

    def apply(self, score: Floats) -> Float64:
        """(n,) scores -> (n,) probabilities."""
        inside = np.clip(np.asarray(score, np.float64), FLOOR, 1 - FLOOR)
        line = self.above * np.log(inside) - self.below * np.log1p(-inside) + self.shift
        probability: Float64 = expit(line)
        return probability

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(
            {"kind": "beta", "above": self.above, "below": self.below, "shift": self.shift}
        )

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Beta":
        """From the content of its JSON."""
        above, below, shift = (float(content[name]) for name in ("above", "below", "shift"))
        if not (np.isfinite([above, below, shift]).all() and above >= 0 and below >= 0):
            raise ValueError("the three must be finite, above and below not negative")
        return cls(above, below, shift)
