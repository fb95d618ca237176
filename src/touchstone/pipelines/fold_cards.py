"""The card of every fold: where it lies, on which rows, what was chosen there and from what."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.dataset.folds import Fold, Folds
from touchstone.dataset.paths import tested_by
from touchstone.dataset.view import View
from touchstone.market import Panel
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.seal import Looked
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.thresholds import choices
from touchstone.reports.result import ChoiceScores, FoldResult, iso_moment

Range = tuple[int, int]


class Laid(NamedTuple):
    """Where the rows of a fold's panel went; with `Fold.train`, ... they are all rows."""

    unusable: int
    outside: int
    n_sealed: int
    kept_away: tuple[Range, ...]
    """ns UTC."""


def fold_cards(
    study: Study, prepared: Prepared, learned: Sequence[Sequence[Learned]], looked: Looked | None
) -> tuple[FoldResult, ...]:
    """Every fold, the final one last, with the fits of each model; its rows add up to all rows."""
    config, panel = study.config, prepared.panel
    kinds, plan = model_names(config), prepared.folds
    paths = path_numbers(plan, len(panel))
    found = []
    for i, fold in enumerate(plan.folds):
        fits = {k: f[i] for k, f in zip(kinds, learned, strict=True)}
        found.append(card(str(i + 1), fold, panel, plan.seal, paths[i]))
        found[-1] = _learned(found[-1], fits, config, prepared, fold)
    fits = {} if looked is None else {"chosen": looked.sealed.learned}
    final = card("final", plan.final, panel, plan.seal)
    return (*found, _learned(final, fits, config, prepared, plan.final))


def card(name: str, fold: Fold, panel: Panel, seal: int, paths: tuple[int, ...] = ()) -> FoldResult:
    """A fold as cut, before anything was fitted on it.

    Args:
        name: 1, 2, ... or final.
        fold: rows of the panel.
        panel: all bars.
        seal: ns UTC.
        paths: of combinatorial folds, see `path_numbers`.
    """
    laid, spans = lay(fold, panel, seal), [iso_moment(ns) for ns in fold.spans]
    held = {
        part: np.unique(panel.asset_id[getattr(fold, part)])
        for part in ("train", "validate", "test")
    }
    strangers = np.setdiff1d(held["test"], held["train"])
    return FoldResult(
        name=name,
        train_span=(spans[0], spans[1]),
        validate_span=(spans[2], spans[3]),
        test_span=(spans[4], spans[5]),
        n_train=fold.train.size,
        n_validate=fold.validate.size,
        n_test=fold.test.size,
        purged_train=fold.purged_train - fold.embargoed,
        purged_validate=fold.purged_validate,
        embargoed=fold.embargoed,
        unusable=laid.unusable,
        outside=laid.outside,
        n_sealed=laid.n_sealed,
        train_stretches=_moments(fold.stretches.train),
        validate_stretches=_moments(fold.stretches.validate),
        test_stretches=_moments(fold.stretches.test),
        kept_away=_moments(laid.kept_away),
        n_symbols={part: ids.size for part, ids in held.items()},
        unseen=tuple(panel.symbols[i] for i in strangers),
        paths=paths,
    )


def lay(fold: Fold, panel: Panel, seal: int) -> Laid:
    """Where the rows are that neither fit, choose nor compare."""
    known = panel.available_at
    stretches = fold.stretches
    inside = _in_any(known, (*stretches.train, *stretches.validate, *stretches.test))
    kept = fold.train.size + fold.validate.size + fold.test.size
    dropped = fold.purged_train + fold.purged_validate
    behind = (known > seal) & ~inside
    return Laid(
        unusable=int(inside.sum()) - kept - dropped,
        outside=int((~inside & ~behind).sum()),
        n_sealed=int(behind.sum()),
        kept_away=(
            *_edges(stretches.train, known[fold.train], stretches.test),
            *_edges(stretches.validate, known[fold.validate], stretches.test),
        ),
    )


def path_numbers(plan: Folds, n_rows: int) -> list[tuple[int, ...]]:
    """The paths that each fold's tests join, as `paths.recombined` counts them, from 1.

    Path p takes of each row the p-th fold that tests it. Empty where no row is tested twice: then
    there is but one path.
    """
    if int(tested_by(plan, n_rows).max(initial=0)) < 2:
        return [()] * len(plan.folds)
    taken = np.zeros(n_rows, np.int64)
    found = []
    for fold in plan.folds:
        taken[fold.test] += 1
        found.append(tuple(int(p) for p in np.unique(taken[fold.test])))
    return found


def _in_any(known: Int64, ranges: Iterable[Range]) -> Bool:
    inside = np.zeros(known.size, np.bool_)
    for start, end in ranges:
        inside |= (known > start) & (known <= end)
    return inside


def _edges(ranges: tuple[Range, ...], kept: Int64, tests: tuple[Range, ...]) -> tuple[Range, ...]:
    """What lies between the ends of ranges and the rows that were kept in them.

    A range's end is always looked at, its start where a test block ends there: at the start of
    history windows are short, and nothing was purged.
    """
    found = []
    after = {end for _, end in tests}
    for start, end in ranges:
        mine = kept[(kept > start) & (kept <= end)]
        if not mine.size:
            continue
        if start in after and mine.min() > start:
            found.append((start, int(mine.min())))
        if mine.max() < end:
            found.append((int(mine.max()), end))
    return tuple(found)


def _moments(ranges: Iterable[Range]) -> tuple[tuple[str, str], ...]:
    return tuple((iso_moment(start), iso_moment(end)) for start, end in ranges)


def _learned(
    found: FoldResult,
    fits: Mapping[str, Learned],
    config: StudyConfig,
    prepared: Prepared,
    fold: Fold,
) -> FoldResult:
    """The card with what was fitted on the fold, and what was chosen there."""
    view = next((f.seen for f in fits.values()), None)
    told = []
    for name, fit in fits.items():
        if found.name != "final":  # whose epochs are the folds' median
            told += _epochs(name, fit)
        told += choices(name, config, prepared, fold, fit)
    return FoldResult.model_validate(
        found.model_dump()
        | {
            "rows_available": fold.train.size,
            "rows_used": {k: f.rows_used for k, f in fits.items()},
            "best_epoch": {k: f.best_epoch for k, f in fits.items()},
            "selected": dict(view.scores) if view is not None and view.scores else None,
            "regimes": _regimes(view),
            "choices": [x.model_dump() for x in told],
        }
    )


def _epochs(name: str, fit: Learned) -> list[ChoiceScores]:
    if len(fit.looks) < 2:  # nothing to choose from
        return []
    return [
        ChoiceScores(
            choice="epoch",
            model=name,
            measure=fit.metric,
            options=tuple(at for at, _ in fit.looks),
            scores=tuple(score for _, score in fit.looks),
            chosen=fit.best_epoch,
        )
    ]


def _regimes(view: View | None) -> dict[str, float] | None:
    """The mean probability of each regime on a fold's train rows."""
    if view is None or view.regimes is None:
        return None
    return dict(zip(view.regimes.names, view.shares, strict=True))
