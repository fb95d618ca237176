"""Scores into probabilities that mean what they say, fitted on validation rows. Numpy and scipy.

Every calibrator is a rising function of one score and goes to JSON and back without losing a bit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np

from touchstone.arrays import Bool, Float64, Floats, Int8
from touchstone.config import Config
from touchstone.errors import ArtifactError, DataError
from touchstone.models import OUTCOMES
from touchstone.registration import Family

_COLUMNS: Final = {len(columns): columns for columns in OUTCOMES.values()}


class Calibrator(Protocol):
    """A rising function of a score, fitted."""

    def apply(self, score: Floats) -> Float64:
        """(n,) scores -> (n,) values; never falls as the score rises; NaN stays NaN."""

    def to_json(self) -> str:
        """Text for `from_json`, with every digit."""


class Part(Protocol):
    """What the family registers: a class of calibrators."""

    def fit(self, config: Any, score: Float64, hit: Bool, weight: Float64, /) -> Calibrator:
        """Fit to checked rows; `hit` holds both kinds and `score` at least two values."""

    def read(self, content: Mapping[str, Any], /) -> Calibrator:
        """From the content of its JSON."""


CALIBRATORS: Family[Part] = Family("calibrator", __name__)


@dataclass(frozen=True)
class Constant:
    """What is said where validation rows teach nothing about the score: the same for every one."""

    value: float

    def apply(self, score: Floats) -> Float64:
        """`value` for every score that is a number."""
        return np.where(np.isnan(score), np.nan, self.value)

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps({"kind": "constant", "value": self.value})


def fit(config: Config, score: Floats, hit: Bool, weight: Floats | None = None) -> Calibrator:
    """A calibrator of the kind that `config` chooses.

    Args:
        config: of a part of `CALIBRATORS`.
        score: (n,) finite, of validation rows.
        hit: (n,) whether what the score is about came true.
        weight: (n,) positive; default 1.

    Returns:
        A constant where nothing can be learned: for one score throughout the share of hits; where
        all or none are hits (k + 1) / (n + 2), since no finite sample proves a certainty.

    Raises:
        DataError: no rows, lengths that differ, or a value that is not finite.
    """
    scores, hits, weights = _rows(score, hit, weight)
    if hits.all() or not hits.any():
        return Constant(float((hits.sum() + 1) / (hits.size + 2)))
    if scores.min() == scores.max():
        return Constant(float(np.average(hits, weights=weights)))
    return CALIBRATORS.part_of(config).fit(config, scores, hits, weights)


def from_json(text: str) -> Calibrator:
    """The calibrator that wrote this text.

    Raises:
        ArtifactError: it is no calibrator's text.
    """
    try:
        content = json.loads(text)
        if content["kind"] == "constant":
            return Constant(float(content["value"]))
        return CALIBRATORS.part(content["kind"]).read(content)
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"not the text of a calibrator: {error!r}") from None


@dataclass(frozen=True)
class OutcomeCalibrator:
    """One calibrator per column of a score, and for three columns a sum of one."""

    columns: tuple[Calibrator, ...]
    rate: tuple[float, ...]
    """Share of each outcome in the rows it was fitted on: said where all columns say zero."""

    def apply(self, probability: Floats) -> Float64:
        """(n, n_outcomes) scores -> (n, n_outcomes) calibrated; a row with a NaN is NaN."""
        if probability.ndim != 2 or probability.shape[1] != len(self.columns):
            raise DataError(
                f"scores of shape {probability.shape}, the calibrator needs "
                f"(n, {len(self.columns)})"
            )
        pairs = zip(self.columns, probability.T, strict=True)
        out = np.stack([calibrator.apply(column) for calibrator, column in pairs], axis=1)
        if out.shape[1] == 1:
            return out
        total = out.sum(1, keepdims=True)
        silent = total[:, 0] <= 0
        out[silent], total[silent] = self.rate, sum(self.rate)
        calibrated: Float64 = out / total
        return calibrated

    def to_json(self) -> str:
        """As JSON."""
        columns = [json.loads(column.to_json()) for column in self.columns]
        return json.dumps({"columns": columns, "rate": self.rate})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibrator that wrote this text.

        Raises:
            ArtifactError: it is no such text.
        """
        try:
            content = json.loads(text)
            columns = tuple(from_json(json.dumps(column)) for column in content["columns"])
            rate = tuple(float(share) for share in content["rate"])
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"not the text of an outcome calibrator: {error!r}") from None
        if len(columns) not in _COLUMNS or len(rate) != len(columns):
            raise ArtifactError(f"{len(columns)} columns and {len(rate)} rates: 1 or 3 of each")
        return cls(columns, rate)


def calibrate_outcomes(
    config: Config, probability: Floats, outcome: Int8, weight: Floats | None = None
) -> OutcomeCalibrator:
    """Calibrate each column against its own outcome, one against the rest.

    Args:
        config: of a part of `CALIBRATORS`.
        probability: (n, n_outcomes) scores of validation rows, columns as in `models.OUTCOMES`.
        outcome: (n,) +1, 0 or -1.
        weight: (n,) positive; default 1.

    Source: Zadrozny & Elkan (2002), Transforming Classifier Scores into Accurate Multiclass
    Probability Estimates, section 4.
    """
    if probability.ndim != 2 or probability.shape[1] not in _COLUMNS:
        raise DataError(f"scores of shape {probability.shape}: needs (n, 1) or (n, 3)")
    outcomes = _COLUMNS[probability.shape[1]]
    hits = [outcome == value for value in outcomes]
    pairs = zip(probability.T, hits, strict=True)
    columns = tuple(fit(config, column, hit, weight) for column, hit in pairs)
    return OutcomeCalibrator(columns, tuple(float(hit.mean()) for hit in hits))


def expected_return(
    score: Floats, realised: Floats, weight: Floats | None = None, min_rows: int = 50
) -> Calibrator:
    """E[realised | score] as a rising function of the score: isotonic regression.

    Args:
        score: (n,) any finite score of validation rows.
        realised: (n,) return of each row before costs, a fraction.
        weight: (n,) positive; default 1.
        min_rows: fewest rows that a step of the function rests on.

    Returns:
        A calibrator whose values are returns; one score throughout gives the mean.
    """
    scores, _, weights = _rows(score, np.zeros(len(score), np.bool_), weight)
    returns = np.asarray(realised, np.float64)
    if returns.shape != scores.shape or not np.isfinite(returns).all():
        raise DataError(
            f"realised {returns.shape} needs the scores' shape {scores.shape} and finite values: "
            "leave rows with an unknown exit out"
        )
    if scores.min() == scores.max():
        return Constant(float(np.average(returns, weights=weights)))
    isotonic: Any = CALIBRATORS.part("isotonic")
    steps: Calibrator = isotonic.rising(scores, returns, weights, min_rows)
    return steps


def _rows(score: Floats, hit: Bool, weight: Floats | None) -> tuple[Float64, Bool, Float64]:
    scores, hits = np.asarray(score, np.float64), np.asarray(hit, np.bool_)
    weights = np.ones(scores.shape) if weight is None else np.asarray(weight, np.float64)
    if scores.ndim != 1 or not scores.size or {hits.shape, weights.shape} != {scores.shape}:
        raise DataError(
            f"score {scores.shape}, hit {hits.shape} and weight {weights.shape} need one "
            "dimension, one length and a row at least"
        )
    if not np.isfinite(scores).all() or not (np.isfinite(weights) & (weights > 0)).all():
        raise DataError("scores and weights need to be finite, weights positive: drop such rows")
    return scores, hits, weights
