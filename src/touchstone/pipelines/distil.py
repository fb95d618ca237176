"""One small network that learns what an ensemble says: what it keeps, and how much quicker it is.

The teacher speaks of train rows, and every member was fitted to them. So the train rows are cut
into stretches of time; of each the teacher speaks through members that were fitted to the other
stretches alone, purged, and through the combination that validation rows had fitted.
"""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.dataset.regimes import begins
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.splits import Fold
from touchstone.dataset.view import Raw
from touchstone.dataset.windows import Windows
from touchstone.ensembles import Combined
from touchstone.errors import DataError
from touchstone.models.scoring import score
from touchstone.pipelines.campaign_machine import n_parameters
from touchstone.pipelines.ensemble_config import Distil, Ensembles
from touchstone.pipelines.ensemble_fit import Columns, OnFold, asked_of
from touchstone.pipelines.ensemble_members import fit_members
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study

_ROUNDS: Final = 7
_TIMED_ROWS: Final = 2_048


class Distilled(NamedTuple):
    """A student on one fold."""

    number: int
    """Of the fold, from 0."""
    student: Learned
    untaught: Learned
    """The same network from outcomes alone."""


class Timed(NamedTuple):
    """Seconds of each round over the same rows."""

    ensemble: Float64
    student: Float64
    n_rows: int


class Taught(NamedTuple):
    """Everything about one student."""

    teacher: str
    found: tuple[Distilled, ...]
    timed: Timed
    parameters: int | None
    ensemble_parameters: int | None


class Market(NamedTuple):
    """What teaching needs of a market and its fits."""

    prepared: Prepared
    learned: Sequence[Sequence[Learned]]
    """Per member, its fits of the folds."""
    columns: Columns


def distil(
    asked: Ensembles, market: Market, teacher: tuple[str, Sequence[OnFold]], resources: Resources
) -> Taught:
    """Teach a student on the folds that the settings name, and time it beside its teacher.

    Args:
        asked: with settings of the distillation.
        market: the members' fits.
        teacher: an ensemble's name and what it is on every fold.
        resources: cache, ledger, progress.
    """
    settings = asked.config.distil
    assert settings is not None  # the caller has looked
    name, on_folds = teacher
    folds = market.prepared.folds.folds
    chosen = range(len(folds)) if settings.folds == "all" else range(len(folds) - 1, len(folds))
    tasks = []
    for number in chosen:
        said = teach(asked, market, (number, on_folds[number].combined), resources)
        tasks.append(Task(settings.student, folds[number], f"fold {number + 1}", teacher=said))
    taught = learn(student_study(asked, settings), market.prepared, tasks, resources)
    plain = [task._replace(teacher=None) for task in tasks]
    untaught = learn(untaught_study(asked, settings), market.prepared, plain, resources)
    found = tuple(map(Distilled, chosen, taught, untaught))
    last = found[-1]
    with resources.progress.stage("time") as step:
        timed = alternating(asked, market, (last, on_folds[last.number]))
        step.say(f"{_ROUNDS} rounds of {timed.n_rows} rows")
    fitted = [fits[last.number] for fits in market.learned]
    kept = on_folds[last.number].kept
    counts = [n_parameters(fitted[k].restore(asked.members[k].member.model)) for k in kept]
    known = [n for n in counts if n is not None]
    return Taught(
        name,
        found,
        timed,
        n_parameters(last.student.restore(settings.student)),
        sum(known) if len(known) == len(counts) else None,
    )


def teach(
    asked: Ensembles, market: Market, on: tuple[int, Combined], resources: Resources
) -> Float64:
    """What an ensemble says of a fold's train rows, (n_train, n_outcomes), each out of block.

    Args:
        asked: with settings of the distillation.
        market: the members' fits.
        on: number of the fold, and the combination that its validation rows fitted.
        resources: cache, ledger, progress.

    Raises:
        DataError: train rows too few to be cut.
    """
    settings, prepared, (number, combined) = asked.config.distil, market.prepared, on
    assert settings is not None  # the caller has looked
    fold = prepared.folds.folds[number]
    parts = blocks(prepared, fold, settings.blocks)
    named = [
        (f"fold {number + 1} block {k + 1}", fold._replace(train=learns, test=speaks))
        for k, (learns, speaks) in enumerate(parts)
    ]
    resources.progress.note(
        f"the teacher speaks of fold {number + 1}'s train rows through members fitted to the "
        f"other of {settings.blocks} blocks"
    )
    fits = fit_members(asked, prepared, named, resources)
    said = np.full((fold.train.size, fits[0][0].test.shape[1]), np.nan)
    for k, (_, speaks) in enumerate(parts):
        told = asked_of(asked, prepared, speaks, [f[k].test for f in fits], market.columns)
        said[np.searchsorted(fold.train, speaks)] = combined.combine(told.members)
    return said


def blocks(prepared: Prepared, fold: Fold, n: int) -> tuple[tuple[Int64, Int64], ...]:
    """(rows to fit, rows to speak of) of each block of a fold's train rows, in time.

    A row is fitted only where its outcome and the block's reach into no common time.

    Raises:
        DataError: fewer than two instants a block, or a block without rows to fit.
    """
    panel, rows = prepared.panel, fold.train
    instant = panel.available_at[rows]
    known = panel.available_at[prepared.labels.exit[rows]]
    instants = np.unique(instant)
    if instants.size < 2 * n:
        raise DataError(
            f"distil.blocks: {instants.size} instants of train rows cannot be cut into {n} blocks: "
            "lower blocks, or lengthen folds.train"
        )
    edges = instants[(np.arange(n) * instants.size) // n]
    block = np.searchsorted(edges, instant, side="right") - 1
    found = []
    for k in range(n):
        inside = block == k
        begins, ends = int(instant[inside].min()), int(known[inside].max())
        learns = ~inside & ((known < begins) | (instant > ends))
        if not learns.any():
            raise DataError(
                f"distil.blocks: block {k + 1} of {n} leaves no train row: lower the label's "
                "horizon or lengthen folds.train"
            )
        found.append((rows[learns], rows[inside]))
    return tuple(found)


def student_study(asked: Ensembles, settings: Distil) -> Study:
    """The study under which students are fitted."""
    return asked.alone(settings.student, _recipe(settings) | {"loss": settings.loss})


def untaught_study(asked: Ensembles, settings: Distil) -> Study:
    """The same without a teacher: outcomes alone, by the study's own loss."""
    return asked.alone(settings.student, _recipe(settings))


def _recipe(settings: Distil) -> dict[str, object]:
    spent = {"rows": settings.rows, "epochs": settings.epochs}
    return {k: v for k, v in spent.items() if v is not None}


def alternating(asked: Ensembles, market: Market, on: tuple[Distilled, OnFold]) -> Timed:
    """Seconds to score the same rows, by the ensemble and by the student in turn.

    Both go through the one scoring path: batches of 64 on one thread. The ensemble's time is that
    of the members which count, and of the combination.
    """
    (found, on_fold), prepared = on, market.prepared
    fold = prepared.folds.folds[found.number]
    rows = fold.test[-_TIMED_ROWS:]
    settings = asked.config.distil
    assert settings is not None  # the caller has looked
    members = []
    for k in on_fold.kept:
        member, fit = asked.members[k].member, market.learned[k][found.number]
        members.append((fit.restore(member.model), _windows(prepared, fold, fit)))
    student = found.student.restore(settings.student)
    windows = _windows(prepared, fold, found.student)
    # Of members that do not count nothing is computed: any finite score may stand for them.
    scores = [fits[found.number].test[-_TIMED_ROWS:].copy() for fits in market.learned]
    took: list[list[float]] = [[], []]
    for turn in range(_ROUNDS + 1):
        began = time.perf_counter()
        for k, (fitted, seen) in zip(on_fold.kept, members, strict=True):
            scores[k] = score(fitted, seen, rows)
        told = asked_of(asked, prepared, rows, scores, market.columns)
        on_fold.combined.combine(told.members)
        between = time.perf_counter()
        score(student, windows, rows)
        if turn:  # the first round warms up
            took[0].append(between - began)
            took[1].append(time.perf_counter() - between)
    return Timed(np.array(took[0]), np.array(took[1]), int(rows.size))


def _windows(prepared: Prepared, fold: Fold, fit: Learned) -> Windows:
    """Windows as a fit saw them, its own scaler within."""
    number = known_first(prepared.begun, fold.spans.train_end)
    features, seen = prepared.features, fit.seen
    if seen is not None:
        raw = Raw(features, prepared.plan.names, prepared.inputs, begins(prepared.panel))
        features = seen.matrix(raw)
    ids = number[prepared.asset_id]
    return Windows(features, ids, fit.shape.lookback, Scaler.from_json(fit.scaler))
