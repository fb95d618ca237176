"""Centre and scale of each feature, fitted on train rows only, kept as JSON."""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float32, Float64, Int64
from touchstone.errors import ArtifactError, TooFewBarsError
from touchstone.registration import Family


class Scaler(NamedTuple):
    """What maps a feature to about unit size: (x - centre) / scale, cut at +-clip."""

    kind: str
    centre: Float32
    """In units of the feature, (n_features,)."""
    scale: Float32
    """In units of the feature, positive, (n_features,)."""
    clip: float
    """Largest absolute value that is let through; inf for no limit."""

    @property
    def inverse(self) -> Float32:
        """1 / scale in float32: every path multiplies by it, so that all agree bit for bit."""
        return np.asarray(np.float32(1) / self.scale, np.float32)

    def transform(self, features: Float32) -> Float32:
        """Scaled features, float32, the shape of `features` (..., n_features); NaN stays NaN."""
        scaled = (features - self.centre) * self.inverse
        return np.asarray(np.clip(scaled, np.float32(-self.clip), np.float32(self.clip)))

    def to_json(self) -> str:
        """The scaler as text, exact: each float32 is written in the digits that restore it."""
        numbers = {"centre": self.centre.tolist(), "scale": self.scale.tolist()}
        return json.dumps({"kind": self.kind, "clip": self.clip, **numbers}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Scaler":
        """The scaler that `to_json` wrote.

        Raises:
            ArtifactError: not such a text, or numbers that no fit gives.
        """
        try:
            saved = json.loads(text)
            centre, scale = (np.asarray(saved[k], np.float32) for k in ("centre", "scale"))
            scaler = cls(str(saved["kind"]), centre, scale, float(saved["clip"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"a scaler's JSON cannot be read: {error!r}") from error
        if centre.ndim != 1 or centre.shape != scale.shape:
            raise ArtifactError(f"a scaler needs two equal rows, got {centre.shape}, {scale.shape}")
        if not (np.isfinite(centre).all() and (scale > 0).all() and scaler.clip > 0):
            raise ArtifactError(
                "a scaler needs finite centres, positive scales and a positive clip"
            )
        return scaler


Fit = Callable[[Any, Float32, Int64], Scaler]
"""(config, features (n_rows, n_features), rows (n,)) -> Scaler."""

SCALERS: Final[Family[Fit]] = Family("scaler", __name__)


class Moments(NamedTuple):
    """What is counted over some rows, each (n_features,) but n."""

    n: int
    """Rows without a missing value."""
    mean: Float64
    deviation: Float64
    """Square root of the mean squared distance from the mean; 0 for a constant."""


def moments(features: Float32, rows: Int64) -> Moments:
    """Mean and deviation over the rows that are finite in every feature, in float64.

    Raises:
        TooFewBarsError: no such row.
    """
    counted = Moments(*_moments(np.asarray(features), rows))
    if counted.n == 0:
        raise TooFewBarsError(
            f"a scaler needs at least 1 row without missing features, got 0 of {rows.size}: "
            f"lengthen `train` or leave out the feature with the longest warm-up"
        )
    return counted


def settled(kind: str, centre: Float64, scale: Float64, clip: float) -> Scaler:
    """A scaler in float32 whose scale is 1 where the feature is constant."""
    small = scale.astype(np.float32)
    usable = (small > 0) & np.isfinite(np.float32(1) / np.where(small > 0, small, np.float32(1)))
    return Scaler(
        kind, centre.astype(np.float32), np.where(usable, small, np.float32(1)), float(clip)
    )


@njit(cache=True)
def _moments(features: Float32, rows: Int64) -> tuple[int, Float64, Float64]:
    n_features = features.shape[1]
    origin, total, squares = np.zeros(n_features), np.zeros(n_features), np.zeros(n_features)
    n = 0
    for row in rows:
        finite = True
        for j in range(n_features):
            finite &= np.isfinite(features[row, j])
        if not finite:
            continue
        if n == 0:  # sums of distances from the first row: exactly 0 for a constant
            for j in range(n_features):
                origin[j] = features[row, j]
        n += 1
        for j in range(n_features):
            distance = np.float64(features[row, j]) - origin[j]
            total[j] += distance
            squares[j] += distance * distance
    mean = total / max(n, 1)
    variance = np.maximum(squares / max(n, 1) - mean * mean, 0.0)
    return n, origin + mean, np.sqrt(variance)
