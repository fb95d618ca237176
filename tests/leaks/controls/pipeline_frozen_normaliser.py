"""Clean: a model with a normaliser of its own, fitted with it and frozen with it."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from touchstone.models import MODELS
from touchstone.models.logistic import Coefficients, Logistic, LogisticConfig

LAYER = None
STUDY: dict = {"models": [{"kind": "pipeline_frozen_normaliser"}]}


class FrozenConfig(LogisticConfig):
    kind: Literal["pipeline_frozen_normaliser"] = "pipeline_frozen_normaliser"


@MODELS.register(FrozenConfig)
@dataclass(frozen=True)
class Frozen:
    """A logistic regression that squashes what lies far from what it was fitted on."""

    config: FrozenConfig
    shape: object
    coefficients: Coefficients = field(repr=False)
    best_epoch: int = 0
    inputs = "tabular"

    @classmethod
    def restore(cls, config, shape, files):
        return cls(config, shape, Logistic.restore(config, shape, files).coefficients)

    def raw(self, inputs, asset_id):
        centre, scale = self.coefficients.centre, self.coefficients.scale
        near = np.clip((inputs - centre) / scale, -3, 3) * scale + centre
        return Logistic(self.config, self.shape, self.coefficients).raw(near, asset_id)

    def files(self):
        return Logistic(self.config, self.shape, self.coefficients).files()

    @staticmethod
    def grow(config, shape, train, validate, seed, steps):
        for seen in Logistic.grow(config, shape, train, validate, seed, steps):
            fitted = seen.fitted()
            yield seen._replace(fitted=lambda f=fitted: Frozen(config, shape, f.coefficients))
