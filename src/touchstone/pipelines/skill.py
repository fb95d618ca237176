"""Is it skill? The probabilities of one model on rows with a known outcome, measured once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.config import Config
from touchstone.metrics import classification as c
from touchstone.pipelines.aucs import Ranks, aucs, shows
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.naive import Yardstick
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import StudyConfig
from touchstone.reports.result import (
    CalibrationPoint,
    ClassicFigures,
    ClassicLabel,
    PrPoint,
    Rows,
    Skill,
    SkillBaseline,
    ThresholdPoint,
)
from touchstone.validation.calibrated import calibrated
from touchstone.validation.stretches import stretches

_N_CURVE = 60
_STEPS = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Between the thresholds that are told: the widest that has `_ENOUGH` below all probabilities."""
_ENOUGH = 8
# Test figures as the predecessor's authors reported them; its base rate is not known, and of
# ROC-AUC and PR-AUC only ranges over its models are (0.83-0.87, 0.20-0.24).
_PREDECESSOR = (
    ClassicFigures(name="MLP", precision=0.242, recall=0.415, f1=0.306),
    ClassicFigures(name="LSTM", precision=0.256, recall=0.333, f1=0.289),
    ClassicFigures(name="GRU", precision=0.200, recall=0.411, f1=0.269),
)


class Judged(NamedTuple):
    """Rows with a probability and a known outcome; all (n,)."""

    probability: Float64
    """(n, n_outcomes)."""
    outcome: Int8
    symmetric: Int8
    """The barrier met first of two as far up as down; 0 neither, or both in one bar."""
    realised: Float64
    volatility: Float64
    stretch: Int64
    """Of days that share outcomes, see `validation.stretches`."""
    up: Float64
    """Width of the target, fraction of the entry price."""
    down: Float64
    """Width of the stop."""
    selected: Bool
    """The strategy wished to enter."""
    at: Int64
    """The row's place in the segment."""

    @property
    def hit(self) -> Bool:
        """Ended at the target."""
        return np.asarray(self.outcome == 1)

    @property
    def p(self) -> Float64:
        """Probability of the target."""
        return self.probability[:, -1]


def judged(prepared: Prepared, where: Segment, probability: Float64, selected: Bool) -> Judged:
    """The rows of a segment that can be judged: scored, and their label ends inside the segment."""
    labels, panel = prepared.labels, prepared.panel
    rows = where.rows
    ends_inside = (labels.exit[rows] >= 0) & np.isin(labels.exit[rows], rows)
    keep = ~np.isnan(probability[:, -1]) & ends_inside
    at = rows[keep]
    symmetric = prepared.symmetric
    # The symmetric barriers may be met after the segment, which nobody has seen yet; and of both in
    # one bar nobody knows the first. The label's stop is the careful guess there and here would
    # make a score that knows the wild bars look wrong about direction.
    met = np.isin(symmetric.exit[at], rows) & ~symmetric.ambiguous[at]
    day = panel.calendar.day(panel.time)
    return Judged(
        probability[keep],
        labels.outcome[at],
        np.where(met, symmetric.outcome[at], 0).astype(np.int8),
        labels.realised[at],
        prepared.volatility[at],
        stretches(day[at], day[labels.exit[at]]),
        labels.up[at],
        labels.down[at],
        selected[keep],
        np.flatnonzero(keep),
    )


def skill(
    config: StudyConfig,
    rows: Judged,
    measured_on: Rows,
    rng: np.random.Generator,
    beside: Sequence[Yardstick] = (),
) -> Skill:
    """Every figure of "Is it skill?"; None where one is not defined.

    Args:
        config: the study.
        rows: what is judged.
        measured_on: which rows these are.
        rng: of the intervals.
        beside: yardsticks on the same segment, judged on the same rows.
    """
    p, hit = rows.p, rows.hit
    own, *others, for_calibration = rng.spawn(2 + len(beside))
    areas = aucs(Ranks(rows.probability, rows.outcome, rows.symmetric, rows.stretch), own)
    meant = calibrated(p, hit, rows.stretch, for_calibration)
    round_trip = config.costs.round_trip
    chosen = rows.selected
    return Skill(
        rows=measured_on,
        n_rows=int(p.size),
        direction_auc=areas.direction.value,
        direction_auc_interval=areas.direction.interval,
        touch_auc=areas.touch.value,
        touch_auc_interval=areas.touch.interval,
        shows=shows(areas.direction, areas.touch),
        baselines=tuple(_beside(rows, b, r) for b, r in zip(beside, others, strict=True)),
        volatility_only_auc=_volatility_only(rows),
        base_rate=float(hit.mean()) if hit.size else None,
        precision=float(hit[chosen].mean()) if chosen.any() else None,
        n_selected=int(chosen.sum()),
        break_even_precision=c.break_even_precision(round_trip, rows.realised[chosen], hit[chosen]),
        classic_break_even=_classic_break_even(rows, round_trip),
        pr_auc=areas.pr.value,
        pr_auc_interval=areas.pr.interval,
        roc_auc=c.roc_auc(p, hit),
        brier=c.brier(p, hit),
        brier_skill=c.brier_skill(p, hit),
        ece=meant.ece,
        ece_interval=meant.ece_interval,
        calibration_slope=meant.slope,
        calibration_slope_interval=meant.slope_interval,
        n_positives=meant.n_positives,
        largest_ece=meant.largest_ece,
        is_calibrated=meant.word,
        calibration=_calibration(rows),
        pr_curve=_pr_curve(rows),
        thresholds=_by_threshold(rows, round_trip),
    )


def is_classic(label: Config) -> bool:
    """Whether a label is "+5 % before -2 % within 8 bars"."""
    told = label.model_dump()
    classic = {"take_profit": 0.05, "stop_loss": 0.02, "horizon": 8, "width": None}
    return {key: told.get(key) for key in classic} == classic


def classic_label(rows: dict[str, Judged]) -> ClassicLabel:
    """Our figures on the classic label beside the predecessor's.

    Args:
        rows: model -> its test rows; `selected` where its score reached the F1 threshold of the
            row's own fold.
    """
    ours = []
    for name, r in rows.items():
        taken = r.selected.astype(np.float64)
        ours.append(
            ClassicFigures(
                name=name,
                base_rate=float(r.hit.mean()) if r.hit.size else None,
                precision=c.precision(taken, r.hit, 0.5),
                recall=c.recall(taken, r.hit, 0.5),
                f1=c.f1(taken, r.hit, 0.5),
                roc_auc=c.roc_auc(r.p, r.hit),
                pr_auc=c.pr_auc(r.p, r.hit),
                log_loss=c.log_loss(r.p, r.hit),
            )
        )
    return ClassicLabel(
        label="+5 % before -2 % within 8 bars", ours=tuple(ours), predecessor=_PREDECESSOR
    )


def _volatility_only(rows: Judged) -> float | None:
    """ROC-AUC of the row's volatility alone, on rows old enough to have one."""
    known = np.isfinite(rows.volatility)
    return c.roc_auc(rows.volatility[known], rows.hit[known])


def _classic_break_even(rows: Judged, round_trip: float) -> float | None:
    """Precision that pays for bets that end on a barrier, at the median widths of the rows."""
    finite = np.isfinite(rows.up) & np.isfinite(rows.down)
    if not finite.any():
        return None
    up, down = float(np.median(rows.up[finite])), float(np.median(rows.down[finite]))
    return c.classic_break_even(up, down, round_trip)


def best_f1_threshold(probability: Float64, hit: Bool) -> float:
    """The threshold with the highest F1, 0.5 where no row is positive: there all have F1 0."""
    if not np.any(hit):
        return 0.5
    curve = c.pr_curve(probability, hit)
    total = np.maximum(curve.precision + curve.recall, 1e-12)
    return float(curve.threshold[np.argmax(2 * curve.precision * curve.recall / total)])


def _beside(rows: Judged, yardstick: Yardstick, rng: np.random.Generator) -> SkillBaseline:
    """What a yardstick is worth on the rows that the model is judged on."""
    said = yardstick.probability[rows.at]
    areas = aucs(Ranks(said, rows.outcome, rows.symmetric, rows.stretch), rng)
    return SkillBaseline(
        name=yardstick.name,
        direction_auc=areas.direction.value,
        direction_auc_interval=areas.direction.interval,
        touch_auc=areas.touch.value,
        touch_auc_interval=areas.touch.interval,
        pr_auc=areas.pr.value,
        pr_auc_interval=areas.pr.interval,
    )


def _calibration(rows: Judged) -> tuple[CalibrationPoint, ...]:
    if not rows.p.size:
        return ()
    curve = c.calibration_curve(rows.p, rows.hit)
    return tuple(
        CalibrationPoint(probability=float(p), frequency=float(f), count=int(n))
        for p, f, n in zip(*curve, strict=True)
    )


def _pr_curve(rows: Judged) -> tuple[PrPoint, ...]:
    if not rows.hit.any():
        return ()
    curve = c.pr_curve(rows.p, rows.hit)
    at = np.unique(
        np.searchsorted(curve.recall, np.linspace(0, 1, _N_CURVE)).clip(0, curve.recall.size - 1)
    )
    return tuple(
        PrPoint(recall=float(curve.recall[i]), precision=float(curve.precision[i])) for i in at
    )


def _thresholds(p: Float64) -> Float64:
    """Even steps up to the highest probability, which is low where hits are rare."""
    highest = float(p.max(initial=0.0))
    counts = [int(highest / step + 1e-9) for step in _STEPS]
    step, n = next(
        ((s, n) for s, n in zip(_STEPS, counts, strict=True) if n >= _ENOUGH),
        (_STEPS[-1], counts[-1]),
    )
    return np.round(step * np.arange(1, n + 1), 3)


def _by_threshold(rows: Judged, round_trip: float) -> tuple[ThresholdPoint, ...]:
    points = []
    for threshold in _thresholds(rows.p):
        taken = rows.p >= threshold
        points.append(
            ThresholdPoint(
                threshold=float(threshold),
                precision=float(rows.hit[taken].mean()),
                break_even=c.break_even_precision(
                    round_trip, rows.realised[taken], rows.hit[taken]
                ),
                count=int(taken.sum()),
            )
        )
    return tuple(points)
