"""Thresholds by F1 and by money: chosen on a fold's validation rows, looked at on its test rows.

They decide nothing of the study: no candidate has them but by a strategy that states its own.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.dataset.splits import Fold
from touchstone.metrics import classification as c
from touchstone.pipelines.decide import Segment, calibrate
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import StudyConfig
from touchstone.reports.folds import ChoiceScores
from touchstone.reports.thresholds import (
    FEWEST_ROWS,
    By,
    ThresholdChoice,
    Thresholds,
    ThresholdScore,
)

GRID: Final = (0.01, 0.02, 0.05, *(round(0.1 * k, 1) for k in range(1, 10)))
"""Calibrated probabilities. Where one row of thirty hits few reach 0.1, so three lie below."""
_WAYS: Final[tuple[By, ...]] = ("f1", "net")


class Outcomes(NamedTuple):
    """Rows with a calibrated probability and a known outcome, all (n,)."""

    p: Float64
    """Of the target."""
    hit: Bool
    realised: Float64
    """Before costs, a fraction."""


class Validated(NamedTuple):
    """A fit's calibrated probabilities of its validation rows: what its thresholds rest on."""

    fold: str
    rows: Int64
    """Of the panel, (n,)."""
    probability: Float64
    """(n, n_outcomes)."""


def select(rows: Outcomes, taken: Bool, round_trip: float) -> ThresholdScore:
    """What some of the rows give, (n,) of them taken; `round_trip` is a fraction of the price."""
    chosen, realised, hit = taken.astype(np.float64), rows.realised[taken], rows.hit[taken]
    return ThresholdScore(
        count=int(taken.sum()),
        precision=c.precision(chosen, rows.hit, 0.5),
        recall=c.recall(chosen, rows.hit, 0.5),
        f1=c.f1(chosen, rows.hit, 0.5),
        break_even=c.break_even_precision(round_trip, realised, hit),
        net=float(realised.mean()) - round_trip if realised.size else None,
    )


def grid_scores(rows: Outcomes, round_trip: float) -> tuple[ThresholdScore, ...]:
    """Every threshold of `GRID`, rising."""
    return tuple(
        select(rows, rows.p >= t, round_trip).model_copy(update={"threshold": t}) for t in GRID
    )


def best(scores: Sequence[ThresholdScore], by: By) -> float | None:
    """The threshold with the highest score, the lowest of equal ones; None where none is above 0.

    By money only where `FEWEST_ROWS` are selected.
    """
    able = [
        (float(value), -float(s.threshold))
        for s in scores
        if (value := getattr(s, by)) is not None and s.threshold is not None
        if by == "f1" or s.count >= FEWEST_ROWS
    ]
    top = max(able, default=(0.0, 0.0))
    return -top[1] if top[0] > 0 else None


def choices(
    name: str, config: StudyConfig, prepared: Prepared, fold: Fold, fit: Learned
) -> list[ChoiceScores]:
    """Both choices of one fit on its fold's validation rows, with their score vectors."""
    rows = _validated(config, prepared, fold, fit)[1]
    scores = grid_scores(rows, config.costs.round_trip)
    return [
        ChoiceScores(
            choice="threshold",
            model=name,
            measure=by,
            options=GRID,
            scores=tuple(getattr(s, by) for s in scores),
            chosen=best(scores, by),
        )
        for by in _WAYS
    ]


def validated(
    config: StudyConfig, prepared: Prepared, fits: Sequence[Learned]
) -> tuple[Validated, ...]:
    """What a model's fits say of their validation rows, in the order of the folds."""
    pairs = zip(prepared.folds.folds, fits, strict=True)
    return tuple(
        Validated(str(i + 1), fold.validate, _validated(config, prepared, fold, fit)[0])
        for i, (fold, fit) in enumerate(pairs)
    )


def thresholds(
    name: str, config: StudyConfig, prepared: Prepared, fits: Sequence[Learned], tested: Segment
) -> Thresholds:
    """The grid on all validation rows, and what both choices give on the folds' test rows.

    Args:
        name: of the model.
        config: the study.
        prepared: its market.
        fits: the model's, in the order of the folds.
        tested: the pooled test rows before the seal; outcomes known only after it are left out.
    """
    round_trip = config.costs.round_trip
    looked, tests = list[Outcomes](), list[Outcomes]()
    found: dict[By, list[float | None]] = {by: [] for by in _WAYS}
    for fold, fit in zip(prepared.folds.folds, fits, strict=True):
        looked.append(_validated(config, prepared, fold, fit)[1])
        scores = grid_scores(looked[-1], round_trip)
        for by in _WAYS:
            found[by].append(best(scores, by))
        tests.append(_tested(config, prepared, fold, fit, tested))
    pooled = _pooled(tests)
    told = []
    for by, levels in found.items():
        taken = [
            rows.p >= (np.inf if level is None else level)
            for rows, level in zip(tests, levels, strict=True)
        ]
        test = select(pooled, np.concatenate(taken), round_trip) if pooled.p.size else None
        told.append(ThresholdChoice(by=by, folds=tuple(levels), test=test))
    grid = grid_scores(_pooled(looked), round_trip)
    return Thresholds(model=name, on_validation=grid, choices=tuple(told))


def _validated(
    config: StudyConfig, prepared: Prepared, fold: Fold, fit: Learned
) -> tuple[Float64, Outcomes]:
    """(n_validate, n_outcomes) probabilities by the fold's own calibrator, and what came."""
    meant = calibrate(config, prepared, fold, fit)
    probability = meant.outcomes.apply(fit.validate)
    return probability, _outcomes(prepared, fold.validate, probability)


def _tested(
    config: StudyConfig, prepared: Prepared, fold: Fold, fit: Learned, tested: Segment
) -> Outcomes:
    probability = calibrate(config, prepared, fold, fit).outcomes.apply(fit.test)
    ends = prepared.labels.exit[fold.test]
    keep = (ends >= 0) & np.isin(ends, tested.rows)
    return _outcomes(prepared, fold.test[keep], probability[keep])


def _outcomes(prepared: Prepared, rows: Int64, probability: Float64) -> Outcomes:
    labels = prepared.labels
    return Outcomes(probability[:, -1], labels.outcome[rows] == 1, labels.realised[rows])


def _pooled(parts: Sequence[Outcomes]) -> Outcomes:
    columns = zip(*parts, strict=True)
    return Outcomes(*(np.concatenate(column) for column in columns))
