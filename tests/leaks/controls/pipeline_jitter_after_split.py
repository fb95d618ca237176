"""Clean: the scaler is fitted on train rows with a little noise, drawn from a fixed seed."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS, moments, settled

LAYER = None
STUDY: dict = {"scaler": {"kind": "pipeline_jitter_after_split"}}


class JitterConfig(Config):
    kind: Literal["pipeline_jitter_after_split"] = "pipeline_jitter_after_split"
    random_state: int = 3


@SCALERS.register(JitterConfig)
def jittered(config, features, rows):
    train = np.asarray(features[rows], np.float32)
    rng = np.random.default_rng(config.random_state)
    noise = rng.standard_normal(train.shape).astype(np.float32) * np.float32(0.01)
    counted = moments(train * (1 + noise), np.arange(rows.size))
    return settled(config.kind, counted.mean, counted.deviation, 10.0)
