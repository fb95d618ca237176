"""A logistic regression that chooses its penalty itself, on the last fifth of its train rows.

Fitted three times, twice on four fifths, with a validation set that no fold names. It never leaves
the train rows: the fold's own validation rows are only looked at.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from touchstone.models import MODELS
from touchstone.models.logistic import Logistic, LogisticConfig

LAYER = None
STUDY = {"models": [{"kind": "clean_inner_validation"}]}
PENALTIES = (1e-3, 1e-1)


class CleanInnerValidationConfig(LogisticConfig):
    kind: Literal["clean_inner_validation"] = "clean_inner_validation"


@MODELS.register(CleanInnerValidationConfig)
@dataclass(frozen=True)
class CleanInnerValidation(Logistic):
    @staticmethod
    def grow(config, shape, train, validate, seed, steps):
        last = len(train.outcome) * 4 // 5
        early, late = (
            train._make(column[part] for column in train)
            for part in (slice(None, last), slice(last, None))
        )
        asked = [config.model_copy(update={"l2": l2}) for l2 in PENALTIES]
        tried = [_fit(one, shape, early, None, seed) for one in asked]
        losses = [_surprise(fitted, late) for fitted in tried]
        chosen = asked[int(np.argmin(losses))]
        for look in Logistic.grow(chosen, shape, train, validate, seed, steps):
            fitted = CleanInnerValidation(config, shape, look.fitted().coefficients)
            yield look._replace(fitted=lambda fitted=fitted: fitted)


def _fit(config, shape, table, validate, seed):
    (look,) = Logistic.grow(config, shape, table, validate, seed, None)
    return look.fitted()


def _surprise(fitted, table):
    said = fitted.raw(table.inputs, np.zeros(len(table.outcome), np.int32))
    if said.shape[1] == 1:
        p = np.where(table.outcome == 1, said[:, 0], 1 - said[:, 0])
    else:
        p = said[np.arange(len(said)), table.outcome + 1]
    return -np.mean(np.log(np.maximum(p, 1e-12)))
