"""Clean: a scaler of one's own, from the train rows' deciles."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS, settled

LAYER = None
STUDY: dict = {"scaler": {"kind": "pipeline_scaler_by_deciles"}}


class DecilesConfig(Config):
    kind: Literal["pipeline_scaler_by_deciles"] = "pipeline_scaler_by_deciles"


@SCALERS.register(DecilesConfig)
def by_deciles(config, features, rows):
    low, middle, high = np.nanquantile(features[rows].astype(float), (0.1, 0.5, 0.9), axis=0)
    return settled(config.kind, middle, (high - low) / 2.56, 10.0)
