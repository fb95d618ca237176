"""The model's normaliser keeps learning while it is evaluated.

Batch normalisation left in train mode, a running mean that is updated in `transform`: what a row is
scored depends on the rows that were scored before it and beside it, which may be later ones.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from touchstone.models import MODELS
from touchstone.models.logistic import Coefficients, Logistic, LogisticConfig

LAYER = "B"
STUDY: dict = {"models": [{"kind": "evaluation_updates_normaliser"}]}
MOMENTUM = 0.2


class RunningConfig(LogisticConfig):
    kind: Literal["evaluation_updates_normaliser"] = "evaluation_updates_normaliser"


@MODELS.register(RunningConfig)
@dataclass(frozen=True)
class Running:
    """A logistic regression whose centre and scale follow whatever it is shown."""

    config: RunningConfig
    shape: object
    coefficients: Coefficients = field(repr=False)
    running: dict = field(default_factory=dict, repr=False, compare=False)
    best_epoch: int = 0
    inputs = "tabular"

    @classmethod
    def restore(cls, config, shape, files):
        return cls(config, shape, Logistic.restore(config, shape, files).coefficients)

    def raw(self, inputs, asset_id):
        fitted = self.coefficients
        centre = self.running.get("centre", fitted.centre)
        scale = self.running.get("scale", fitted.scale)
        self.running["centre"] = (1 - MOMENTUM) * centre + MOMENTUM * inputs.mean(0)
        self.running["scale"] = np.maximum((1 - MOMENTUM) * scale + MOMENTUM * inputs.std(0), 1e-6)
        now = fitted._replace(centre=self.running["centre"], scale=self.running["scale"])
        return Logistic(self.config, self.shape, now).raw(inputs, asset_id)

    def files(self):
        return Logistic(self.config, self.shape, self.coefficients).files()

    @staticmethod
    def grow(config, shape, train, validate, seed, steps):
        for seen in Logistic.grow(config, shape, train, validate, seed, steps):
            fitted = seen.fitted()
            yield seen._replace(fitted=lambda f=fitted: Running(config, shape, f.coefficients))
