"""Permutation importance: how much worse is a model whose feature tells of other days?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import ConfigError
from touchstone.explain import Subject, agreed_names, in_order, plus
from touchstone.explain.day_blocks import DayBlocks, day_blocks, lenders, test_rows
from touchstone.explain.parts import Part, exchanged, inputs_of
from touchstone.metrics import MEASURES
from touchstone.metrics.ranked import ranked, ranked_pr_auc, ranked_roc_auc
from touchstone.models.scoring import score_inputs
from touchstone.seeding import generator
from touchstone.validation.day_bootstrap import counted_interval, days_of

Metric: TypeAlias = Literal["pr_auc", "roc_auc", "log_loss", "brier"]
Weighted: TypeAlias = Callable[[Float64], float | None]
"""A measure of all rows, given how often each day counts, (n_days,)."""

_CHUNK: Final = 4096
"""Rows whose windows are held at a time."""
_LOG_FLOOR: Final = 1e-15


class PartImportance(NamedTuple):
    """What it costs to lose a part."""

    part: Part
    drop: float | None
    """How much worse the metric is, in its own unit, positive where the model needs the part; the
    mean over permutations; None where the metric has no value."""
    interval: tuple[float, float] | None
    """95 % over days, of the mean over the same permutations; None with too few days."""
    spread: float
    """Standard deviation of the drop from permutation to permutation: what chance of the shuffle
    leaves in `drop` is this over the square root of their number."""
    each: tuple[float, ...]
    """The drop of each permutation."""


class Importance(NamedTuple):
    """Permutation importance of some parts."""

    metric: str
    base: float | None
    """The metric of the untouched rows, all folds pooled; None where it has no value."""
    found: tuple[PartImportance, ...]
    """In the order asked."""
    n_rows: int
    n_days: int
    """Days (stretches) that intervals draw from."""
    n_permutations: int
    block_days: tuple[int, ...]
    """Days of a block, for each fold."""
    kept: int
    """Rows that have no other block to borrow from, and keep their values: importances are too
    small by about their share."""


class _Fold(NamedTuple):
    subject: Subject
    blocks: DayBlocks
    lenders: tuple[Int64, ...]
    """Rows, for each permutation, (n_rows,)."""


def importance(
    subjects: Sequence[Subject],
    parts: Sequence[Part],
    metric: Metric = "pr_auc",
    *,
    n_permutations: int = 5,
    n_resamples: int = 999,
) -> Importance:
    """Permutation importance over the rows of purged tests, on which no weight was fitted.

    Within each fold the values of a part, all its bars of a row's window together, are replaced
    by those of the same instrument on other days (`lenders`): whole blocks of days change places,
    so that a feature's own course through the day and over its window stays as it is. Outcomes and
    all other features stay. All parts see the same permutations and the same resamples of days, so
    what no weight can see is exactly 0. p(+1) of the rows of all folds is judged together.

    A correlated feature stands in for the one that is lost: see `parts_of_groups`.

    Args:
        subjects: folds, their models of one architecture.
        parts: what is lost, one after the other.
        metric: of p(+1) against the outcome +1.
        n_permutations: how many; the drop is their mean.
        n_resamples: of days, for intervals.

    Raises:
        ConfigError: an unknown metric, no fold, no part, or a part of features that are not there.
        DataError: fewer than two blocks of days in a fold.

    Source: Breiman (2001), Random Forests, section 10; Fisher, Rudin & Dominici (2019), All models
    are wrong, but many are useful, JMLR 20, section 3 (e_switch: no row keeps its own values).
    """
    _check(subjects, parts, metric, n_permutations)
    folds = [_fold(in_order(subject), n_permutations) for subject in subjects]
    hit = np.concatenate([fold.subject.outcome == 1 for fold in folds])
    days = days_of(np.concatenate([fold.subject.day for fold in folds]))
    once, higher = np.ones(days.n), MEASURES[metric].better == "higher"
    base = _weighted(metric, _scores(folds), hit, days.at, days.n)
    found = []
    for part in parts:
        lost = [
            _weighted(metric, _scores(folds, (part, k)), hit, days.at, days.n)
            for k in range(n_permutations)
        ]
        drops = _drops(base, lost, once, higher=higher)
        interval = counted_interval(
            partial(_mean_drop, base, lost, higher=higher),
            days.n,
            generator(folds[0].subject.seed, "importance", "days"),
            n_resamples=n_resamples,
        )
        spread = float(np.std(drops, ddof=1)) if drops is not None and len(drops) > 1 else 0.0
        found.append(PartImportance(part, _mean(drops), interval, spread, tuple(drops or ())))
    kept = sum(int(np.sum(fold.lenders[0] == fold.subject.rows)) for fold in folds)
    return Importance(
        metric, base(once), tuple(found), int(hit.size), days.n, n_permutations,
        tuple(fold.blocks.n_days for fold in folds), kept,
    )  # fmt: skip


def unmoved(subjects: Sequence[Subject], parts: Sequence[Part]) -> tuple[bool, ...]:
    """Which parts say the same on other days, so that `importance` can tell nothing of them.

    Whole days change places and rows keep their hour: a feature of the hour alone stays what it
    was, and its fall is that of the few rows that found no lender at their own hour. Only rows
    that did are looked at, and any one that changes is enough: a flag is seldom up.

    Args:
        subjects: folds, as given to `importance`.
        parts: what is lost.

    Raises:
        DataError: fewer than two blocks of days in a fold.
    """
    changed, n_rows = np.zeros(len(parts), bool), 0
    for subject, blocks, drawn in [_fold(in_order(subject), 1) for subject in subjects]:
        test, lender = test_rows(subject)[0], drawn[0]
        of_row, of_lender = (
            blocks.clock[np.searchsorted(test, at)] for at in (subject.rows, lender)
        )
        alike = np.flatnonzero((of_row == of_lender) & (lender != subject.rows))
        for start in range(0, alike.size, _CHUNK):
            rows = alike[start : start + _CHUNK]
            own, lent = (subject.windows.gather(of[rows]) for of in (subject.rows, lender))
            differs = (own != lent).any((0, 1))
            for i, part in enumerate(parts):
                changed[i] |= differs[list(part.features)].any()
        n_rows += alike.size
    return tuple((~changed).tolist()) if n_rows else (False,) * len(parts)


def _check(
    subjects: Sequence[Subject], parts: Sequence[Part], metric: str, n_permutations: int
) -> None:
    names = agreed_names(subjects)
    known = Metric.__args__  # type: ignore[attr-defined]  # of the Literal
    if metric not in known:
        raise ConfigError(f"metric {metric!r}: needs one of {', '.join(known)}")
    if not parts or n_permutations < 1:
        raise ConfigError(
            f"{len(parts)} parts and {n_permutations} permutations: needs at least one of each"
        )
    lookback = subjects[0].windows.lookback
    for part in parts:
        oldest, newest = part.lags or (lookback - 1, 0)
        inside = part.features and all(0 <= j < len(names) for j in part.features)
        if not (inside and lookback > oldest >= newest >= 0):
            raise ConfigError(
                f"part {part.name!r}: features {part.features} of {len(names)}, bars "
                f"{part.lags} of {lookback}"
            )


def _fold(subject: Subject, n_permutations: int) -> _Fold:
    blocks, (rows, _) = day_blocks(subject), test_rows(subject)
    ids, at = subject.windows.ids(rows), np.searchsorted(rows, subject.rows)
    streams = [
        generator(subject.seed, "importance", subject.name, k) for k in range(n_permutations)
    ]
    drawn = tuple(rows[lenders(blocks, ids, rng)[at]] for rng in streams)
    return _Fold(subject, blocks, drawn)


def _scores(folds: Sequence[_Fold], lost: tuple[Part, int] | None = None) -> Float64:
    """p(+1) of all rows, untouched or with a part of permutation number k, (n_rows,)."""
    found = []
    for subject, _, drawn in folds:
        for start in range(0, subject.rows.size, _CHUNK):
            rows = subject.rows[start : start + _CHUNK]
            if lost is None:
                inputs = inputs_of(subject, rows)
            else:
                part, k = lost
                inputs = exchanged(subject, rows, drawn[k][start : start + _CHUNK], part)
            found.append(plus(score_inputs(subject.fitted, inputs, subject.windows.ids(rows))))
    return np.concatenate(found)


def _weighted(metric: str, score: Float64, hit: Bool, day: Int64, n_days: int) -> Weighted:
    """The metric as a function of how often each day counts; sorted or summed once."""
    if metric in ("pr_auc", "roc_auc"):
        rows = ranked(score, hit, day)
        area = ranked_pr_auc if metric == "pr_auc" else ranked_roc_auc
        return lambda counts: area(rows, counts)
    if metric == "log_loss":
        said = np.clip(np.where(hit, score, 1 - score), _LOG_FLOOR, 1 - _LOG_FLOOR)
        loss = -np.log(said)
    else:
        loss = (score - hit) ** 2
    total, size = np.bincount(day, loss, n_days), np.bincount(day, minlength=n_days)
    return lambda counts: float(counts @ total) / float(counts @ size)


def _drops(
    base: Weighted, lost: Sequence[Weighted], counts: Float64, *, higher: bool
) -> list[float] | None:
    whole, sign = base(counts), 1.0 if higher else -1.0
    found = [measure(counts) for measure in lost]
    if whole is None or any(value is None for value in found):
        return None
    return [sign * (whole - value) for value in found if value is not None]


def _mean_drop(
    base: Weighted, lost: Sequence[Weighted], counts: Float64, *, higher: bool
) -> float | None:
    return _mean(_drops(base, lost, counts, higher=higher))


def _mean(drops: Sequence[float] | None) -> float | None:
    return None if drops is None else float(np.mean(drops))
