"""The models of a run again, fold by fold, with the test rows that each of them never saw."""

import difflib
import json
import re
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.config import Config
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError, ConfigError, DataError
from touchstone.explain import Subject, plus
from touchstone.explain.changed import scored
from touchstone.explain.robustness import Exposed
from touchstone.features.catalogue import groups
from touchstone.pipelines.decide import (
    Segment,
    calibrate,
    hold_bars,
    model_names,
    outlook,
    segment,
)
from touchstone.pipelines.finished import Finished, find, finished_runs, reopened
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.refit import epochs_of
from touchstone.pipelines.shelf import Columns, Resources, columns_of, shelve
from touchstone.pipelines.skill import Judged, best_f1_threshold, judged
from touchstone.pipelines.study import Study
from touchstone.pipelines.walk import chosen_place
from touchstone.registry import manifest as listing
from touchstone.seeding import generator

_CHECKED: Final = 256
"""Rows of a fold that are scored again to see that the model is the one that the run had."""
_WORD: Final = re.compile(r"[a-z_]+")


class Which(NamedTuple):
    """Which model of a run is asked, and how."""

    model: str | None = None
    """As the study calls it; None: that of the chosen candidate, or of the closest."""
    rows: int = 1500
    """Test rows drawn, all folds together."""
    threshold: float | None = None
    """p(+1) from which on a row counts as accepted; None: each fold's best F1 on validation."""


class Reopened(NamedTuple):
    """A run whose bars, features and labels stand ready again."""

    run: Finished
    study: Study
    prepared: Prepared
    place: int
    """Of the model among the study's."""
    is_chosen: bool

    @property
    def model(self) -> Config:
        """Its config."""
        return self.study.config.models[self.place]

    @property
    def name(self) -> str:
        """As the study calls it."""
        return model_names(self.study.config)[self.place]


class Restored(NamedTuple):
    """Everything that the methods ask of."""

    exposed: tuple[Exposed, ...]
    """The folds' models with the rows drawn, and their thresholds."""
    where: Segment
    """The pooled tests before the seal."""
    judged: Judged
    """All test rows with a known outcome, calibrated; selected: accepted by the threshold."""
    n_test: tuple[int, ...]
    """Of them, in each of `exposed`."""
    tests: tuple[tuple[int, int], ...]
    """Bounds of the test of each of `exposed`, ns UTC."""
    held: tuple[str, ...]
    """Features that only say what time it is."""
    notes: tuple[str, ...]


def run_of(name: str, runs: Path) -> tuple[Finished, str | None]:
    """The run of a name, a folder, or an artifact's folder; and the model that an artifact holds.

    Raises:
        DataError: no such run, or none that made the artifact.
        ArtifactError: a manifest that cannot be read.
    """
    folder = Path(name)
    if not name or (folder / "result.json").is_file() or not (folder / listing.NAME).is_file():
        return find(runs, name), None
    manifest = listing.parse((folder / listing.NAME).read_bytes(), f"{folder}: {listing.NAME}")
    parents = [find(runs, str(folder.resolve().parent))] if _is_run(folder) else []
    for run in (*parents, *finished_runs(runs)):
        origin = manifest.origin
        if run.result.fingerprint == origin.study and _about(run)["data"] == origin.data:
            return run, _named(run, manifest.model)
    raise DataError(
        f"{folder}: an artifact of study {manifest.origin.study}, and no run of that study on the "
        f"same bars stands under {runs}: explain needs the run's test rows; give --out the "
        "workspace that made it, or run the study again"
    )


def _is_run(artifact: Path) -> bool:
    return (artifact.resolve().parent / "result.json").is_file()


def _about(run: Finished) -> dict[str, str]:
    try:
        told: dict[str, str] = json.loads((run.folder / "run.json").read_text())
    except (OSError, ValueError):
        return {"data": ""}
    return told


def _named(run: Finished, settings: dict[str, object]) -> str:
    """The name of an artifact's model among those of its run."""
    models = run.result.config.get("models", [])
    kinds = [str(model.get("kind")) for model in models]
    for i, model in enumerate(models):
        if json.loads(json.dumps(settings)) == model:
            before = kinds[:i].count(kinds[i])
            return kinds[i] if not before else f"{kinds[i]} {before + 1}"
    raise ArtifactError(f"{run.name}: no model of this run is the artifact's {settings}")


def reopen(run: Finished, model: str | None, resources: Resources) -> Reopened:
    """The study of a run on its bars, and which of its models is asked.

    Raises:
        DataError: files of the run are gone, or the bars have changed.
        ConfigError: a model that the run does not have.
    """
    missing = [f for f in ("run.json", "study.json") if not (run.folder / f).is_file()]
    if missing:
        raise DataError(
            f"{run.name}: no {' and no '.join(missing)}, so its models cannot be restored: run the "
            "study again"
        )
    study, loaded, data = reopened(run, resources.cache, resources.progress)
    prepared = prepare(study, loaded, data, resources.cache, resources.progress)
    _, chosen, _ = chosen_place(study.config, run.result.market.candidates)
    names = model_names(study.config)
    if model is not None and model not in names:
        near = difflib.get_close_matches(model, names, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"--model {model!r}: {run.name} has {', '.join(names)}{meant}")
    place = chosen if model is None else names.index(model)
    return Reopened(run, study, prepared, place, place == chosen)


def restored(of: Reopened, which: Which, resources: Resources) -> Restored:
    """The folds' models from the cache, and the test rows that each of them is asked about.

    A fit that is no longer in the cache is made again, the same to the bit, and counted by the
    ledger as a fit. A fold's rows are those of its purged test whose outcome was known before the
    seal; no sealed row is scored.

    Raises:
        DataError: no test row, or a model that scores otherwise than the run did.
    """
    study, prepared, config = of.study, of.prepared, of.study.config
    folds = prepared.folds.folds
    tasks = [
        Task(of.model, fold, f"fold {i + 1}", epochs_of(config.refit, i))
        for i, fold in enumerate(folds)
    ]
    learned = learn(study, prepared, tasks, resources)
    where = segment(prepared.panel, folds[0].spans.test_start, prepared.folds.seal)
    thresholds = [
        _threshold(prepared, t, fit, which) for t, fit in zip(tasks, learned, strict=True)
    ]
    rows = _judged(of, where, learned, thresholds)
    known, stretch = where.rows[rows.at], rows.stretch
    columns = columns_of(shelve(config, prepared, resources.cache))
    exposed, n_test, tests, notes = [], [], [], []
    for task, fit, threshold in zip(tasks, learned, thresholds, strict=True):
        mine = np.isin(task.fold.test, known)
        if not mine.any():
            notes.append(f"{task.name}: no test row with an outcome before the seal")
            continue
        share = max(round(which.rows * int(mine.sum()) / known.size), min(which.rows, 32))
        drawn = _drawn(task.fold.test[mine], share, config.seed, task.name)
        own = stretch[np.searchsorted(known, drawn)]
        subject = _subject(of, (task, fit), columns, (drawn, own, task.fold.test[mine]))
        _check(subject, fit, task)
        exposed.append(Exposed(subject, threshold))
        n_test.append(int(mine.sum()))
        tests.append((task.fold.spans.test_start, task.fold.spans.test_end))
    if not exposed:
        raise DataError(f"{of.run.name}: no fold has a test row with an outcome before the seal")
    keep = _same_columns(exposed, notes)
    held = calendar_of(dict(prepared.plan.expressions))
    return Restored(
        tuple(exposed[i] for i in keep), where, rows, tuple(n_test[i] for i in keep),
        tuple(tests[i] for i in keep),
        tuple(name for name in exposed[-1].subject.names if name in held), tuple(notes),
    )  # fmt: skip


def calendar_of(expressions: dict[str, str]) -> tuple[str, ...]:
    """Features that are made of nothing but the clock: they cannot be otherwise at that time."""
    clock = {w for e in groups()["calendar"].entries.values() for w in _WORD.findall(e.text)}
    return tuple(
        name
        for name, text in expressions.items()
        if _WORD.findall(text) and set(_WORD.findall(text)) <= clock
    )


def _threshold(prepared: Prepared, task: Task, fit: Learned, which: Which) -> float:
    if which.threshold is not None:
        return which.threshold
    hit = prepared.labels.outcome[task.fold.validate] == 1
    return best_f1_threshold(fit.validate[:, -1], np.asarray(hit, np.bool_))


def _judged(
    of: Reopened, where: Segment, learned: list[Learned], thresholds: list[float]
) -> Judged:
    """All test rows, calibrated by their fold, accepted by its threshold on the raw score."""
    prepared, folds = of.prepared, of.prepared.folds.folds
    pieces = [
        (fold.test, fit.test, calibrate(of.study.config, prepared, fold, fit))
        for fold, fit in zip(folds, learned, strict=True)
    ]
    view = outlook(of.study.config, prepared, where, pieces)
    taken: Bool = np.zeros(where.rows.size, np.bool_)
    for fold, fit, threshold in zip(folds, learned, thresholds, strict=True):
        at, inside = where.place(fold.test)
        taken[at[inside]] = fit.test[inside, -1] >= threshold
    return judged(prepared, where, view.probability, taken)


def _drawn(rows: Int64, n: int, seed: int, fold: str) -> Int64:
    if rows.size <= n:
        return rows
    return np.sort(generator(seed, "explain", "rows", fold).choice(rows, n, replace=False))


def _subject(
    of: Reopened, fitted: tuple[Task, Learned], columns: Columns,
    drawn: tuple[Int64, Int64, Int64],
) -> Subject:  # fmt: skip
    """One fold's model with its windows, scaled as in its fit.

    Args:
        of: the run.
        fitted: the fold and its fit.
        columns: of the panel.
        drawn: rows asked about, the stretch of days of each, and all rows of the test.
    """
    (task, fit), prepared, config = fitted, of.prepared, of.study.config
    (rows, stretch, test), known = drawn, prepared.panel.available_at
    view = fit.seen
    features = columns.features if view is None else view.matrix(columns.raw)
    number = known_first(columns.begun, task.fold.spans.train_end)
    scaler = Scaler.from_json(fit.scaler)
    return Subject(
        name=task.name,
        fitted=fit.restore(of.model),
        windows=Windows(features, number[columns.asset_id], config.lookback, scaler),
        names=columns.names if view is None else view.names,
        rows=rows,
        train=task.fold.train,
        outcome=prepared.labels.outcome[rows],
        realised=prepared.labels.realised[rows],
        instant=known[rows],
        day=stretch,
        horizon=hold_bars(config.label),
        seed=config.seed,
        test=test,
        test_instant=known[test],
    )


def _check(subject: Subject, fit: Learned, task: Task) -> None:
    """The model as restored scores the fold's test rows to the bit."""
    rows = subject.rows[:_CHECKED]
    again: Float64 = scored(subject.fitted, subject.windows.gather(rows), subject.windows.ids(rows))
    at = np.searchsorted(task.fold.test, rows)
    if not np.array_equal(again, plus(fit.test[at])):
        raise DataError(f"{task.told}: the restored model does not score its test rows as it did")


def _same_columns(exposed: list[Exposed], notes: list[str]) -> list[int]:
    """Folds that see the columns of the newest one; what is left out is told."""
    names = exposed[-1].subject.names
    keep = [i for i, one in enumerate(exposed) if one.subject.names == names]
    left = [one.subject.name for i, one in enumerate(exposed) if i not in keep]
    if left:
        notes.append(
            f"{', '.join(left)} chose other columns than {exposed[-1].subject.name} and "
            f"{'is' if len(left) == 1 else 'are'} left out of everything but the error slices"
        )
    return keep
