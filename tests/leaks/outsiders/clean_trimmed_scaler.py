"""A scaler fitted twice, the second time without what the first found too far out.

Its clip is the largest value that it saw, which smells of a maximum over everything. It saw train
rows, both times.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS, moments, settled

LAYER = None
STUDY = {"scaler": {"kind": "clean_trimmed_scaler"}}


class CleanTrimmedScalerConfig(Config):
    kind: Literal["clean_trimmed_scaler"] = "clean_trimmed_scaler"


@SCALERS.register(CleanTrimmedScalerConfig)
def clean_trimmed_scaler(_config, features, rows):
    kept = rows[np.isfinite(features[rows]).all(1)]
    first = moments(features, kept)
    width = np.where(first.deviation > 0, first.deviation, 1)
    inside = (np.abs(features[kept] - first.mean) < 4 * width).all(1)
    second = moments(features, kept[inside])
    width = np.where(second.deviation > 0, second.deviation, 1)
    largest = float(np.abs((features[kept] - second.mean) / width).max())
    return settled("clean_trimmed_scaler", second.mean, second.deviation, largest)
