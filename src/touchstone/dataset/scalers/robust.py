"""Robust scaling: the median to 0, the interquartile range of a normal to its deviation."""

from typing import Final, Literal

import numpy as np
from pydantic import PositiveFloat

from touchstone.arrays import Float32, Int64
from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS, Scaler, moments, settled

_NORMAL_RANGE: Final = 1.3489795003921634
"""Interquartile range of a standard normal."""


class RobustConfig(Config):
    """How far a scaled feature may reach."""

    kind: Literal["robust"] = "robust"
    clip: PositiveFloat = 10.0
    """Scaled values are cut at plus and minus this, in (robust) standard deviations."""


@SCALERS.register(RobustConfig)
def robust(config: RobustConfig, features: Float32, rows: Int64) -> Scaler:
    """Median and interquartile range / 1.349 of each feature over the given rows.

    A feature that stands still on half of the rows and more has no range: its standard deviation
    takes the place, and 1 where it is constant.

    Args:
        config: the clip.
        features: (n_rows, n_features).
        rows: rows to fit on, (n,): a fold's train rows. Rows with a missing feature are skipped.

    Raises:
        TooFewBarsError: no row without a missing feature.
    """
    deviation = moments(features, rows).deviation
    taken = features[rows]
    taken = taken[np.isfinite(taken).all(axis=1)].astype(np.float64)
    low, median, high = np.quantile(taken, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / _NORMAL_RANGE
    return settled("robust", median, np.where(spread > 0, spread, deviation), config.clip)
