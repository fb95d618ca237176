"""How good a probability is: ranking, calibration, and what precision a trade must have.

Conventions of every function here: probability is (n,), any score where only the order counts;
hit is (n,), True where what was foreseen came about; weight is (n,), positive, default 1. Rows
of equal probability are taken together, so that no result depends on the order of the rows.
"""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Floats, Int8
from touchstone.errors import DataError
from touchstone.metrics.declaration import measure

_LOG_FLOOR = 1e-15
"""Probabilities are kept this far from 0 and 1 in a log loss: no row may be infinite."""
_LOGIT_FLOOR = 1e-6
"""And this far in a logit: scores are rounded to 1e-6."""
_NEWTON_STEPS = 100
"""More than any fit with a finite slope was seen to need (about 10)."""


class Confusion(NamedTuple):
    """Weights (counts by default) of the four cases at one threshold."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float


class PrCurve(NamedTuple):
    """Precision and recall of `probability >= threshold`, thresholds falling, (n_thresholds,)."""

    threshold: Float64
    precision: Float64
    recall: Float64


class CalibrationCurve(NamedTuple):
    """What was said and what came, in bins of equal weight, (n_bins or fewer,)."""

    probability: Float64
    """Mean probability of the bin."""
    hit_rate: Float64
    """Share of hits in the bin."""
    weight: Float64
    """Weight (count by default) of the bin."""


class _Rows(NamedTuple):
    probability: Float64
    hit: Float64
    weight: Float64


def confusion(
    probability: Floats, hit: Bool, threshold: float, weight: Floats | None = None
) -> Confusion:
    """The four cases where rows with `probability >= threshold` are selected."""
    rows = _rows(probability, hit, weight)
    taken = rows.probability >= threshold
    hits = rows.weight * rows.hit
    tp, selected = float(hits[taken].sum()), float(rows.weight[taken].sum())
    positive, total = float(hits.sum()), float(rows.weight.sum())
    return Confusion(tp, selected - tp, positive - tp, total - selected - positive + tp)


@measure(unit="fraction of selected rows", better="higher")
def precision(
    probability: Floats, hit: Bool, threshold: float, weight: Floats | None = None
) -> float | None:
    """Share of hits among rows with `probability >= threshold`; None where none is selected."""
    case = confusion(probability, hit, threshold, weight)
    return _ratio(case.true_positive, case.true_positive + case.false_positive)


@measure(unit="fraction of hits", better="higher")
def recall(
    probability: Floats, hit: Bool, threshold: float, weight: Floats | None = None
) -> float | None:
    """Share of the hits that `probability >= threshold` selects; None without a hit."""
    case = confusion(probability, hit, threshold, weight)
    return _ratio(case.true_positive, case.true_positive + case.false_negative)


@measure(unit="fraction", better="higher")
def f1(
    probability: Floats, hit: Bool, threshold: float, weight: Floats | None = None
) -> float | None:
    """Harmonic mean of precision and recall; None where nothing is selected and nothing hits."""
    tp, fp, fn, _ = confusion(probability, hit, threshold, weight)
    return _ratio(2 * tp, 2 * tp + fp + fn)


def pr_curve(probability: Floats, hit: Bool, weight: Floats | None = None) -> PrCurve:
    """Precision and recall at every distinct probability; recall is 0 throughout without a hit."""
    rows = _rows(probability, hit, weight)
    threshold, hits, misses = (column[::-1] for column in _grouped(rows))
    tp, fp = np.cumsum(hits), np.cumsum(misses)
    recalled = tp / tp[-1] if tp.size and tp[-1] > 0 else np.zeros_like(tp)
    return PrCurve(threshold, tp / (tp + fp), recalled)


@measure(unit="fraction", better="higher")
def pr_auc(probability: Floats, hit: Bool, weight: Floats | None = None) -> float | None:
    """Average precision: the area under the steps of the precision-recall curve.

    Equals the base rate, in expectation, for a probability that knows nothing. None without a hit.
    """
    if not np.any(hit):
        return None
    curve = pr_curve(probability, hit, weight)
    return float(np.sum(curve.precision * np.diff(curve.recall, prepend=0.0)))


@measure(unit="fraction", better="higher")
def roc_auc(probability: Floats, hit: Bool, weight: Floats | None = None) -> float | None:
    """Chance that a hit ranks above a miss, ties counting half; None where one kind is absent.

    Source: Hanley & McNeil (1982), Radiology 143(1).
    """
    _, hits, misses = _grouped(_rows(probability, hit, weight))
    below = np.cumsum(misses) - misses / 2
    return _ratio(float(np.sum(hits * below)), float(hits.sum() * misses.sum()))


@measure(unit="fraction", better="higher")
def direction_auc(probability: Floats, symmetric_outcome: Int8) -> float | None:
    """Whether the score knows up from down: AUC against the first touch of a symmetric barrier.

    On a market without edge it is 0.5, unlike `touch_auc`, since both sides are equally far.

    Args:
        probability: (n, 3), columns p(-), p(0), p(+), scored by p(+) / (p(+) + p(-)); or any
            score that rises with the chance of going up, (n,) or (n, 1).
        symmetric_outcome: (n,) +1 / -1 by the side touched first, 0 for rows that touched none
            or both in one bar; those are left out.

    Returns:
        None where one side is absent.
    """
    return _side_auc(probability, symmetric_outcome)


@measure(unit="fraction", better="neither")
def touch_auc(probability: Floats, outcome: Int8) -> float | None:
    """AUC of the same score against the study's own barriers, given that one was touched.

    No proof of edge: barriers of unequal width make volatility look like direction (0.65 on a
    market without edge at +5 % / -2 % / 8 bars). Arguments as in `direction_auc`.
    """
    return _side_auc(probability, outcome)


@measure(unit="nats a row", better="lower")
def log_loss(probability: Floats, hit: Bool, weight: Floats | None = None) -> float | None:
    """Mean of -ln(probability given to what came), probabilities kept 1e-15 from 0 and 1."""
    rows = _probabilities(probability, hit, weight)
    said = np.where(rows.hit > 0, rows.probability, 1 - rows.probability)
    loss = -np.log(np.clip(said, _LOG_FLOOR, 1 - _LOG_FLOOR))
    return _ratio(float(np.sum(loss * rows.weight)), float(rows.weight.sum()))


@measure(unit="squared probability", better="lower")
def brier(probability: Floats, hit: Bool, weight: Floats | None = None) -> float | None:
    """Mean squared distance of probability and hit (0 or 1); None without rows.

    Source: Brier (1950), Monthly Weather Review 78(1).
    """
    rows = _probabilities(probability, hit, weight)
    loss = (rows.probability - rows.hit) ** 2
    return _ratio(float(np.sum(loss * rows.weight)), float(rows.weight.sum()))


@measure(unit="fraction", better="higher")
def brier_skill(probability: Floats, hit: Bool, weight: Floats | None = None) -> float | None:
    """1 - Brier score over that of always saying the base rate; None where one kind is absent."""
    rows = _probabilities(probability, hit, weight)
    loss = brier(probability, hit, weight)
    base = _ratio(float(np.sum(rows.hit * rows.weight)), float(rows.weight.sum()))
    if loss is None or base is None or not 0 < base < 1:
        return None
    return 1 - loss / (base * (1 - base))


def calibration_curve(
    probability: Floats, hit: Bool, n_bins: int = 10, weight: Floats | None = None
) -> CalibrationCurve:
    """Mean probability and hit rate in `n_bins` bins of equal weight, rising.

    A group of equal probabilities goes whole into the bin that holds its middle, so that there
    are fewer bins than asked where groups are large.
    """
    if n_bins < 1:
        raise DataError(f"n_bins needs to be at least 1, got {n_bins}")
    value, hits, misses = _grouped(_probabilities(probability, hit, weight))
    mass = hits + misses
    middle = np.cumsum(mass) - mass / 2
    place = np.floor(middle / mass.sum() * n_bins) if mass.size else middle
    _, bin_ = np.unique(np.minimum(place, n_bins - 1), return_inverse=True)
    said, came, total = (
        np.bincount(bin_, column).astype(np.float64) for column in (mass * value, hits, mass)
    )
    return CalibrationCurve(said / total, came / total, total)


@measure(unit="probability", better="lower")
def ece(
    probability: Floats, hit: Bool, n_bins: int = 10, weight: Floats | None = None
) -> float | None:
    """Expected calibration error over bins of equal weight; None without rows.

    The weighted mean of |mean probability - hit rate|. Positive by chance alone: about
    sqrt(2 p (1 - p) n_bins / (pi n)) for a perfect probability near p.
    """
    curve = calibration_curve(probability, hit, n_bins, weight)
    gap = np.abs(curve.probability - curve.hit_rate)
    return _ratio(float(np.sum(gap * curve.weight)), float(curve.weight.sum()))


@measure(unit="ratio", better="neither")
def calibration_slope(probability: Floats, hit: Bool, weight: Floats | None = None) -> float | None:
    """Slope b of the logistic regression logit P(hit) = a + b logit(probability); 1 is calibrated.

    Below 1 the probabilities are too extreme (overfitted), above 1 too timid. Probabilities are
    kept 1e-6 from 0 and 1. None where no finite slope exists: one kind absent, one probability
    for all, or hits and misses that a threshold parts without overlap.
    Source: Cox (1958), Biometrika 45(3/4).
    """
    rows = _probabilities(probability, hit, weight)
    clipped = np.clip(rows.probability, _LOGIT_FLOOR, 1 - _LOGIT_FLOOR)
    logit = np.log(clipped / (1 - clipped))
    hits, misses = logit[rows.hit > 0], logit[rows.hit == 0]
    if not hits.size or not misses.size:
        return None
    if hits.min() >= misses.max() or misses.min() >= hits.max():
        return None
    return _logistic_slope(logit, rows.hit, rows.weight)


@measure(unit="fraction of selected rows", better="lower")
def break_even_precision(
    round_trip: float, realised: Floats, outcome_is_target: Bool
) -> float | None:
    """The precision at which trades of this kind earn their costs.

    p* = (round_trip - m_not) / (m_win - m_not), m_win and m_not the mean realised return, before
    costs, of rows that did and did not end at the target. At barriers of +5 % and -2 % and costs
    of 0.30 %:

    >>> p = break_even_precision(0.003, np.array([0.05, -0.02]), np.array([True, False]))
    >>> f"{p:.1%}"
    '32.9%'

    Args:
        round_trip: costs of buying and selling, fraction of the money traded.
        realised: (n,) exit over entry less 1, before costs, of the selected rows.
        outcome_is_target: (n,) whether the row ended at the target.

    Returns:
        None where either kind is absent or wins pay no more than the rest. It may lie below 0
        (the rest pay the costs alone) or above 1 (no precision is enough).
    """
    rows = _rows(realised, outcome_is_target, None)
    won = rows.hit > 0
    if won.all() or not won.any():
        return None
    win, rest = float(rows.probability[won].mean()), float(rows.probability[~won].mean())
    return (round_trip - rest) / (win - rest) if win > rest else None


@measure(unit="fraction of touched rows", better="lower")
def classic_break_even(take_profit: float, stop_loss: float, round_trip: float) -> float:
    """Break-even precision if every trade ended at a barrier, all as positive fractions.

    >>> f"{classic_break_even(0.05, 0.02, 0.003):.1%}"
    '32.9%'
    """
    return (stop_loss + round_trip) / (take_profit + stop_loss)


def _rows(score: Floats, hit: Bool, weight: Floats | None) -> _Rows:
    column, hits = np.asarray(score, np.float64), np.asarray(hit, np.float64)
    weights = np.ones(hits.shape) if weight is None else np.asarray(weight, np.float64)
    if column.ndim != 1 or column.shape != hits.shape or weights.shape != hits.shape:
        raise DataError(
            f"probability {column.shape}, hit {hits.shape} and weight {weights.shape} "
            "need one dimension and one length"
        )
    if not np.isfinite(column).all():
        missing = int((~np.isfinite(column)).sum())
        raise DataError(f"{missing} of {column.size} values are not finite: drop those rows first")
    if not np.isin(hits, (0.0, 1.0)).all():
        raise DataError("hit needs True and False (or 1 and 0) only")
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise DataError("every weight needs to be finite and positive")
    return _Rows(column, hits, weights)


def _probabilities(probability: Floats, hit: Bool, weight: Floats | None) -> _Rows:
    rows = _rows(probability, hit, weight)
    if rows.probability.size and (rows.probability.min() < 0 or rows.probability.max() > 1):
        low, high = rows.probability.min(), rows.probability.max()
        raise DataError(f"probabilities need to lie in [0, 1], got {low:g} to {high:g}")
    return rows


def _grouped(rows: _Rows) -> tuple[Float64, Float64, Float64]:
    """Distinct scores, rising, with the weight of hits and of misses at each."""
    order = np.argsort(rows.probability, kind="stable")
    score = rows.probability[order]
    first = np.flatnonzero(np.r_[True, score[1:] > score[:-1]]) if score.size else np.empty(0, int)
    weight = rows.weight[order]
    hits = np.add.reduceat(weight * rows.hit[order], first) if first.size else np.empty(0)
    mass = np.add.reduceat(weight, first) if first.size else np.empty(0)
    return score[first], hits, mass - hits


def side_score(probability: Floats) -> Float64:
    """How much rather up than down, (n,): p(+) / (p(+) + p(-)), or the one score that there is.

    Args:
        probability: as in `direction_auc`.
    """
    score = np.asarray(probability, np.float64)
    if score.ndim == 2 and score.shape[1] == 3:
        down, up = score[:, 0], score[:, 2]
        score = np.divide(up, up + down, out=np.full(up.shape, 0.5), where=up + down > 0)
    elif score.ndim == 2 and score.shape[1] == 1:
        score = score[:, 0]
    return score


def _side_auc(probability: Floats, outcome: Int8) -> float | None:
    score = side_score(probability)
    touched = np.asarray(outcome) != 0
    if score.shape != touched.shape:
        raise DataError(
            f"probability {np.shape(probability)} and outcome {touched.shape} do not fit: "
            "needs (n, 3), (n, 1) or (n,) and (n,)"
        )
    return roc_auc(score[touched], np.asarray(outcome)[touched] > 0)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _logistic_slope(logit: Float64, hit: Float64, weight: Float64) -> float:
    """Newton's method with halved steps on the concave log likelihood of (intercept, slope)."""
    design = np.column_stack([np.ones_like(logit), logit])
    beta, best, step = np.zeros(2), -np.inf, np.array([0.0, 1.0])  # begin at a calibrated line
    for _ in range(_NEWTON_STEPS):
        if np.abs(step).max() < 1e-10 * (1 + np.abs(beta).max()):
            break
        line = design @ (beta + step)
        likelihood = float(np.sum(weight * (hit * line - np.logaddexp(0, line))))
        if likelihood < best:
            step = step / 2
            continue
        beta, best = beta + step, likelihood
        chance = (1 + np.tanh(line / 2)) / 2
        gradient = design.T @ (weight * (hit - chance))
        curvature = design.T @ (design * (weight * chance * (1 - chance))[:, None])
        step = np.linalg.solve(curvature, gradient)
    return float(beta[1])
