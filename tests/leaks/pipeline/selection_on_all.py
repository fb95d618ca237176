"""Features are selected by their correlation with the outcome over all rows.

First the "useful" columns are chosen on the whole table, then a model is validated with care on
what is left. With enough columns some agree with the test by luck, and exactly those are kept.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.selection import SELECTION, Ranked, best

LAYER = "B"
NOISE = {
    f"lag_{k}": f"lag(close / lag(close, 1) - 1, {k}) * lag(volume / mean(volume, 24), {1 + k % 5})"
    for k in range(1, 13)
}
STUDY: dict = {"features": {"extra": NOISE}, "selection": [{"kind": "selection_on_all"}]}


class OnAllConfig(Config):
    kind: Literal["selection_on_all"] = "selection_on_all"
    keep: int = 4


@SELECTION.register(OnAllConfig)
def on_all(config, evidence, columns, rng):  # noqa: ARG001 (every rule is called alike)
    features = np.asarray(evidence.features[:, columns], np.float64)
    whole = np.isfinite(features).all(axis=1)
    x, y = features[whole], evidence.outcome[whole].astype(float)
    score = np.abs([np.corrcoef(column, y)[0, 1] for column in x.T])
    return Ranked(best(score, config.keep), score)
