"""A logistic regression that says `fit_transform` where it meant `transform`.

The standardising before it is fitted anew on whatever is to be scored. On one live row it would
give nothing but zeros; in the backtest rows come by the dozen, one bar after the other, and each
is measured by the mean and spread of those that come after it too.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from touchstone.models import MODELS
from touchstone.models.logistic import Logistic, LogisticConfig

LAYER = "A"
STUDY = {"models": [{"kind": "predict_fit_transform"}]}


class PredictFitTransformConfig(LogisticConfig):
    kind: Literal["predict_fit_transform"] = "predict_fit_transform"


@MODELS.register(PredictFitTransformConfig)
@dataclass(frozen=True)
class PredictFitTransform(Logistic):
    def raw(self, inputs, asset_id):
        return super().raw(fit_transform(inputs), asset_id)

    @staticmethod
    def grow(config, shape, train, validate, seed, steps):
        train, validate = (
            None if table is None else table._replace(inputs=fit_transform(table.inputs))
            for table in (train, validate)
        )
        for look in Logistic.grow(config, shape, train, validate, seed, steps):
            fitted = PredictFitTransform(config, shape, look.fitted().coefficients)
            yield look._replace(fitted=lambda fitted=fitted: fitted)


def fit_transform(inputs):
    spread = inputs.std(0)
    return ((inputs - inputs.mean(0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
