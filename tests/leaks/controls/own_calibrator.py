"""A calibrator of one's own: two steps, at the median score of the validation rows."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.models.calibrators import CALIBRATORS

LAYER = None
STUDY = {"calibrator": {"kind": "own_calibrator"}}


class OwnCalibratorConfig(Config):
    kind: Literal["own_calibrator"] = "own_calibrator"


@CALIBRATORS.register(OwnCalibratorConfig)
@dataclass(frozen=True)
class OwnCalibrator:
    at: float
    below: float
    above: float

    @classmethod
    def fit(cls, _config, score, hit, weight):
        at = float(np.median(score))
        low = score < at
        rates = [
            np.average(hit[side], weights=weight[side]) if side.any() else hit.mean()
            for side in (low, ~low)
        ]
        return cls(at, float(min(rates)), float(max(rates)))

    def apply(self, score):
        steps = np.where(np.asarray(score) < self.at, self.below, self.above)
        return np.where(np.isnan(score), np.nan, steps)

    def to_json(self):
        return json.dumps({"kind": "own_calibrator", **asdict(self)})

    @classmethod
    def read(cls, content):
        return cls(*(float(content[name]) for name in ("at", "below", "above")))
