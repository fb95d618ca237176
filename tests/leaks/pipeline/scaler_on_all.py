"""The scaler is fitted on every row, before anybody splits.

`StandardScaler().fit_transform(X)` on the first line of the notebook, the split on the second. The
volatility of the years to come is in the scale of every train row.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS, moments, settled

LAYER = "B"
STUDY: dict = {"scaler": {"kind": "scaler_on_all"}}


class OnAllConfig(Config):
    kind: Literal["scaler_on_all"] = "scaler_on_all"


@SCALERS.register(OnAllConfig)
def on_all(config, features, rows):  # noqa: ARG001 (that is the mistake)
    counted = moments(features, np.arange(len(features)))
    return settled(config.kind, counted.mean, counted.deviation, 10.0)
