"""Each way of explaining, from a run's restored folds to its part of `explain.json`."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.stats import spearmanr

from touchstone.arrays import Float64
from touchstone.errors import ConfigError, DataError
from touchstone.explain import Subject
from touchstone.explain import errors as err
from touchstone.explain.attribution import Attribution
from touchstone.explain.changed import evenly
from touchstone.explain.day_blocks import day_blocks
from touchstone.explain.gradients import has_gradients, why_none
from touchstone.explain.parts import (
    parts_of_features,
    parts_of_groups,
    parts_of_lags,
    relatives_of,
)
from touchstone.explain.permutation import PartImportance, importance, unmoved
from touchstone.explain.robustness import Measured, Point, attacks_on, robustness
from touchstone.explain.shap_values import shap
from touchstone.pipelines.errors import accepted_losers, false_negatives
from touchstone.pipelines.explain_folds import Reopened, Restored
from touchstone.pipelines.parts import divisions
from touchstone.pipelines.progress import Step
from touchstone.reports.explain_contents import (
    Attended,
    Attention,
    Attributed,
    ErrorsFound,
    Estimate,
    Need,
    Permutation,
    RobustnessFound,
    RobustnessPoint,
    SliceFound,
    Weight,
)

N_PERMUTATIONS: Final = 5
MOST_ATTRIBUTED: Final = 400
"""Rows whose scores are taken apart; a network looks at each of them some dozens of times."""
MOST_ATTACKED: Final = 800
_BARS: Final = 6
"""Stretches of a window whose bars are lost together."""
_GROUPS: Final = ("symbol", "group", "year", "hour", "weekday", "regime", "trend")


def thinned(subjects: Sequence[Subject], most: int) -> list[Subject]:
    """The same folds with fewer rows, evenly spaced, about `most` in all."""
    n = sum(s.rows.size for s in subjects)
    found = []
    for subject in subjects:
        size = subject.rows.size
        at = evenly(np.arange(size), max(round(most * size / n), min(size, 16)))
        columns = {
            name: getattr(subject, name)[at]
            for name in ("rows", "outcome", "realised", "instant", "day")
        }
        found.append(subject._replace(**columns))
    return found


def subjects_of(asked: Restored) -> list[Subject]:
    """The folds without their thresholds."""
    return [one.subject for one in asked.exposed]


def lending(asked: Restored) -> tuple[list[Subject], tuple[str, ...]]:
    """The folds whose days can change places, and why those of the others cannot."""
    able, notes = [], []
    for subject in subjects_of(asked):
        try:
            day_blocks(subject)
        except DataError as error:
            notes.append(f"permutation importance leaves out {error}")
        else:
            able.append(subject)
    return able, tuple(notes)


def permutation(of: Reopened, asked: Restored, step: Step) -> Permutation | None:  # noqa: ARG001  one call
    """Permutation importance of features, of groups of them, and of stretches of bars.

    None where every fold's test is too short for its days to change places.
    """
    subjects, notes = lending(asked)
    if not subjects:
        step.say(notes[0])
        return None
    names = subjects[0].names
    single = parts_of_features(names)
    groups = parts_of_groups(names, relatives_of(subjects))
    bars = parts_of_lags(names, subjects[0].windows.lookback, _BARS)
    if subjects[0].windows.lookback == 1:
        bars = ()
    still = unmoved(subjects, single)
    untested = tuple(part.name for part, stays in zip(single, still, strict=True) if stays)
    single = tuple(part for part in single if part.name not in untested)
    groups = tuple(
        part for part, stays in zip(groups, unmoved(subjects, groups), strict=True) if not stays
    )
    if not single:
        step.say(f"{', '.join(untested)} say the same on other days at the same hour")
        return None
    found = importance(subjects, (*single, *groups, *bars), "pr_auc", n_permutations=N_PERMUTATIONS)
    told = [_need(one) for one in found.found]
    n = len(single)
    return Permutation(
        metric=found.metric,
        base=found.base,
        features=_by_drop(told[:n]),
        groups=_by_drop(told[n : n + len(groups)]),
        bars=tuple(told[n + len(groups) :]),
        n_rows=found.n_rows,
        n_permutations=found.n_permutations,
        kept=found.kept,
        untested=untested,
    )


def _need(found: PartImportance) -> Need:
    return Need(
        name=found.part.name, drop=found.drop, interval=found.interval, spread=found.spread
    )  # fmt: skip


def _by_drop(needs: Sequence[Need]) -> tuple[Need, ...]:
    return tuple(sorted(needs, key=lambda n: (-(n.drop or 0.0), n.name)))


def shap_values(of: Reopened, asked: Restored, step: Step) -> Attributed | None:  # noqa: ARG001  (every part takes the same)
    """SHAP values; None for a kind of the user's own that no method here takes apart."""
    try:
        return _attributed(shap(thinned(subjects_of(asked), MOST_ATTRIBUTED)))
    except ConfigError as error:
        step.say(str(error))
        return None


def gradients(of: Reopened, asked: Restored, step: Step) -> Attributed | None:  # noqa: ARG001  (every part takes the same)
    """Integrated gradients; None for a model without gradients."""
    subjects = thinned(subjects_of(asked), MOST_ATTRIBUTED)
    if not has_gradients(subjects[0].fitted):
        step.say("none: this model has no gradients")
        return None
    from touchstone.explain.integrated_gradients import (  # noqa: PLC0415  torch
        integrated_gradients,
    )

    return _attributed(integrated_gradients(subjects))


def _attributed(found: Attribution) -> Attributed:
    order = np.lexsort((np.arange(found.size.size), -found.size))
    return Attributed(
        method=found.method,
        features=tuple(
            Weight(
                name=found.names[j],
                size=float(found.size[j]),
                interval=found.interval[j],
                mean=float(found.mean[j]),
                rising=_rank_correlation(found.level[:, j], found.values[:, j]),
            )
            for j in order
        ),
        parts=found.parts,
        by_part=tuple(tuple(found.by_part[:, j].tolist()) for j in order),
        gap_share=found.gap_share,
        n_rows=len(found.values),
    )


def _rank_correlation(level: Float64, share: Float64) -> float | None:
    if level.size < 3 or np.ptp(level) == 0 or np.ptp(share) == 0:
        return None
    return float(spearmanr(level, share).statistic)


def attention(of: Reopened, asked: Restored, step: Step) -> Attention:  # noqa: ARG001  one call
    """Weights of attention over the window."""
    subjects = thinned(subjects_of(asked), MOST_ATTRIBUTED)
    n = sum(s.rows.size for s in subjects)
    if not has_gradients(subjects[0].fitted):
        note = f"{of.name} has no attention: {why_none(subjects[0].fitted)}"
        return Attention(layers=(), note=note, n_rows=n)
    from touchstone.explain.attention import over_window  # noqa: PLC0415  torch

    found = over_window(subjects)
    return Attention(
        layers=tuple(
            Attended(
                name=layer.layer,
                over=layer.over,
                mean=tuple(layer.mean.tolist()),
                low=tuple(layer.low.tolist()),
                high=tuple(layer.high.tolist()),
                heads=tuple(tuple(row) for row in layer.heads.tolist()),
                between=None
                if layer.between is None
                else tuple(tuple(row) for row in layer.between.tolist()),
            )
            for layer in found.layers
        ),
        note=found.note,
        n_rows=n,
    )


def robust(of: Reopened, asked: Restored, step: Step) -> RobustnessFound:
    """The model under random noise and under attack."""
    thin = thinned(subjects_of(asked), MOST_ATTACKED)
    exposed = [one._replace(subject=s) for one, s in zip(asked.exposed, thin, strict=True)]
    costs = of.study.config.costs.round_trip
    found = robustness(exposed, costs, held=asked.held, advance=step.advance)
    return RobustnessFound(
        points=tuple(_point(p) for p in found.points),
        n_rows=found.n_rows,
        base_rate=found.base_rate,
        has_gradients=found.has_gradients,
    )


def n_attacks(asked: Restored) -> int:
    """How often `robust` tells its step."""
    return len(asked.exposed) * len(attacks_on(asked.exposed[0].subject))


def _point(p: Point) -> RobustnessPoint:
    return RobustnessPoint(
        attack=p.attack,
        share=p.share,
        accuracy=_estimate(p.accuracy),
        pr_auc=_estimate(p.pr_auc),
        net=_estimate(p.net),
        n_accepted=p.n_accepted,
        n_flipped=p.n_flipped,
        moved=p.moved,
    )


def _estimate(found: Measured) -> Estimate:
    return Estimate(value=found.value, interval=found.interval)


def errors_found(of: Reopened, asked: Restored, step: Step) -> ErrorsFound:  # noqa: ARG001  one call
    """Slices of all test rows, and the worst single ones."""
    rows, prepared, config = asked.judged, of.prepared, of.study.config
    answered = err.Answered(
        rows.p, rows.selected, rows.hit, rows.realised - config.costs.round_trip, rows.stretch
    )
    ways = [
        way._replace(part=way.part[rows.at])
        for way in divisions(prepared, asked.where)
        if way.group in _GROUPS
    ]
    found = err.slices(answered, ways, config.seed)
    entered = getattr(config.label, "entry", "open")
    taken, adjusted = answered.accepted, found.screen.adjusted
    return ErrorsFound(
        n_rows=int(rows.p.size),
        base_rate=float(rows.hit.mean()),
        gap=float((rows.p - rows.hit).mean()),
        net_bp=1e4 * float(answered.net[taken].mean()) if taken.any() else None,
        slices=tuple(
            _slice(one, adjusted[2 * i], adjusted[2 * i + 1]) for i, one in enumerate(found.found)
        ),
        n_tested=found.screen.n_tested,
        n_nominal=found.screen.n_nominal,
        expected_by_luck=found.screen.expected_by_luck,
        survivors=sum(found.screen.survives),
        false_positives=accepted_losers(prepared, asked.where, rows, entered),
        false_negatives=false_negatives(prepared, asked.where, rows, entered),
    )


def _slice(one: err.Sliced, gap: float | None, net: float | None) -> SliceFound:
    told = {
        name: getattr(one, name)
        for name in SliceFound.model_fields
        if name not in ("net_bp", "net_interval", "gap_adjusted", "net_adjusted")
    }
    ends = one.net_interval
    return SliceFound(
        **told,
        net_bp=None if one.net is None else 1e4 * one.net,
        net_interval=None if ends is None else (1e4 * ends[0], 1e4 * ends[1]),
        gap_adjusted=gap,
        net_adjusted=net,
    )
