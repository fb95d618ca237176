"""Clean: columns chosen by their correlation with the outcome on train rows alone."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.selection import SELECTION, Ranked, best

LAYER = None
NOISE = {f"lag_{k}": f"lag(close / lag(close, 1) - 1, {k})" for k in range(1, 9)}
STUDY: dict = {"features": {"extra": NOISE}, "selection": [{"kind": "pipeline_selection_on_train"}]}


class OnTrainConfig(Config):
    kind: Literal["pipeline_selection_on_train"] = "pipeline_selection_on_train"
    keep: int = 4


@SELECTION.register(OnTrainConfig)
def on_train(config, evidence, columns, rng):  # noqa: ARG001 (every rule is called alike)
    x = evidence.features[evidence.train][:, columns].astype(float)
    y = evidence.outcome[evidence.train].astype(float)
    score = np.abs([np.corrcoef(column, y)[0, 1] for column in x.T])
    return Ranked(best(score, config.keep), score)
