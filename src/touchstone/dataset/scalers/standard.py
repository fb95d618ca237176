"""Standard scaling: the mean to 0, one standard deviation to 1."""

from typing import Literal

from pydantic import PositiveFloat

from touchstone.arrays import Float32, Int64
from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS, Scaler, moments, settled


class StandardConfig(Config):
    """How far a scaled feature may reach."""

    kind: Literal["standard"] = "standard"
    clip: PositiveFloat = 10.0
    """Scaled values are cut at plus and minus this, in standard deviations."""


@SCALERS.register(StandardConfig)
def standard(config: StandardConfig, features: Float32, rows: Int64) -> Scaler:
    """Mean and standard deviation of each feature over the given rows.

    Args:
        config: the clip.
        features: (n_rows, n_features).
        rows: rows to fit on, (n,): a fold's train rows. Rows with a missing feature are skipped.

    Returns:
        Scaler; a constant feature has scale 1.

    Raises:
        TooFewBarsError: no row without a missing feature.
    """
    counted = moments(features, rows)
    return settled("standard", counted.mean, counted.deviation, config.clip)
