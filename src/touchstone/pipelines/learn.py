"""Fit every model on every fold, in parallel; keep the scores of its validation and test rows."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.dataset.samples import Samples, samples
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.splits import Fold
from touchstone.dataset.view import View
from touchstone.dataset.windows import Windows
from touchstone.labels.tasks import fit_tasks, targets
from touchstone.ledger import Ledger
from touchstone.models import Fitted, Shape, head_of, restore
from touchstone.models.scoring import score
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.prepare import Prepared, stage_key
from touchstone.pipelines.shelf import (
    Columns,
    OpenLedger,
    Resources,
    Shelf,
    columns_of,
    shelve,
)
from touchstone.pipelines.study import Study, StudyConfig, import_plugins
from touchstone.pipelines.views import asks, fit_views
from touchstone.seeding import derive
from touchstone.training import Fit, Job, run


class Task(NamedTuple):
    """One fit: a model on a fold; `epochs` fixes what the folds have chosen."""

    model: Config
    fold: Fold
    name: str
    """Names the fold: fold 1, fold 2, ..., final."""
    epochs: int | None = None
    view: View | None = None
    """What the fold's models see; None for every column."""


class Learned(NamedTuple):
    """One fit's scores, and what a later stage needs to restore the model."""

    validate: Float64
    """(n_validate, n_outcomes), the one scoring path's probabilities."""
    test: Float64
    """(n_test, n_outcomes)."""
    best_epoch: int
    rows_used: int
    rows_available: int
    seconds: float
    shape: Shape
    scaler: str
    """The fold's scaler as JSON."""
    files: dict[str, bytes]
    """The model's own files."""
    view: str = ""
    """The fold's view as JSON; empty where the model saw every column."""
    looks: tuple[tuple[int, float], ...] = ()
    """Every epoch or tree at which the fit looked, and `metric` on validation rows."""
    metric: str = ""
    """The recipe's, by which the epoch was chosen."""

    def restore(self, config: Config) -> Fitted:
        """The fitted model."""
        return restore(config, self.shape, self.files)

    @property
    def seen(self) -> View | None:
        """What the model sees; None for every column."""
        return View.from_json(self.view) if self.view else None


def learn(
    study: Study, prepared: Prepared, tasks: Sequence[Task], resources: Resources
) -> list[Learned]:
    """Fit all tasks, those already in the cache excepted; in the order of the tasks."""
    config = study.config
    keys = [_task_key(config, prepared, task) for task in tasks]
    found = {k: _kept(resources.cache, k) for k in keys}
    shelf = shelve(config, prepared, resources.cache)
    views = fit_views(study, prepared, [(t.name, t.fold) for t in tasks], shelf, resources)
    todo = [
        (key, task._replace(view=views[task.name]))
        for key, task in zip(keys, tasks, strict=True)
        if found[key] is None
    ]
    with resources.progress.stage("models", len(tasks)) as step:
        for _ in range(len(tasks) - len(todo)):
            step.advance("from cache")
        for key, task, learned in _fits(study, prepared.data, shelf, todo, resources):
            _keep(resources.cache, key, learned)
            found[key] = learned
            step.advance(f"{task.model.kind} {task.name}")  # type: ignore[attr-defined]
        seconds = sum(f.seconds for f in found.values() if f is not None)
        step.say(f"{len(tasks)} fits, {seconds:.0f} s of one core")
    return [f for f in (found[k] for k in keys) if f is not None]


def fit_and_score(
    config: StudyConfig, task: Task, columns: Columns, data: str, ledger: Ledger
) -> Learned:
    """Scale, weigh, fit and score one model on one fold; runs in a worker process."""
    began = time.perf_counter()
    fold = task.fold
    features = columns.features if task.view is None else task.view.matrix(columns.raw)
    scaler = SCALERS.part_of(config.scaler)(config.scaler, features, fold.train)
    number = known_first(columns.begun, fold.spans.train_end)
    windows = Windows(features, number[columns.asset_id], config.lookback, scaler)
    n_assets = int(np.count_nonzero(columns.begun <= fold.spans.train_end))
    job = Job(
        model=task.model,
        recipe=config.training,
        train=_with_tasks(
            samples(windows, columns.labels, fold.train, config.weights), task.model, columns
        ),
        validate=samples(windows, columns.labels, fold.validate),
        n_assets=n_assets,
        seed=derive(config.seed, "fit", task.model.fingerprint(), task.name),
        data=data,
        epochs=task.epochs,
        resume=None,
    )
    fit = run(job, ledger)
    return Learned(
        validate=score(fit.fitted, windows, fold.validate),
        test=score(fit.fitted, windows, fold.test),
        best_epoch=fit.best_epoch,
        rows_used=fit.rows_used,
        rows_available=fit.rows_available,
        seconds=time.perf_counter() - began,
        shape=fit.fitted.shape,
        scaler=scaler.to_json(),
        files=fit.fitted.files(),
        view="" if task.view is None else task.view.to_json(),
        looks=_looks(fit, config.training.metric),
        metric=config.training.metric,
    )


def _with_tasks(train: Samples, model: Config, columns: Columns) -> Samples:
    """Train samples with what a `multi_task` head learns beside the outcome, scaled by them."""
    if head_of(model) != "multi_task" or columns.tasks is None:
        return train
    scale = fit_tasks(columns.tasks, train.rows)
    return train._replace(tasks=targets(columns.tasks, scale, train.rows))


def _looks(fit: Fit, metric: str) -> tuple[tuple[int, float], ...]:
    """The score vector behind the choice of the epoch."""
    name = f"validate_{metric}"
    return tuple((e.index, e.metrics[name]) for e in fit.history if name in e.metrics)


def _fits(
    study: Study,
    data: str,
    shelf: Shelf,
    todo: list[tuple[str, Task]],
    resources: Resources,
) -> Iterator[tuple[str, Task, Learned]]:
    """Yields each fit as it is done."""
    config = study.config
    if resources.jobs == 1 or len(todo) < 2:
        columns = columns_of(shelf)
        for key, task in todo:
            yield key, task, fit_and_score(config, task, columns, data, resources.ledger())
        return
    pool = Parallel(
        n_jobs=resources.jobs,
        return_as="generator_unordered",
        initializer=import_plugins,
        initargs=(study.plugins,),
    )
    calls = (
        delayed(_in_worker)(i, config, task, shelf, data, resources.ledger)
        for i, (_, task) in enumerate(todo)
    )
    for i, learned in pool(calls):
        yield *todo[i], learned


def _in_worker(
    place: int, config: StudyConfig, task: Task, shelf: Shelf, data: str, ledger: OpenLedger
) -> tuple[int, Learned]:
    return place, fit_and_score(config, task, columns_of(shelf), data, ledger())


def _task_key(config: StudyConfig, prepared: Prepared, task: Task) -> str:
    rows = [r.tobytes() for r in (task.fold.train, task.fold.validate, task.fold.test)]
    return stage_key(
        prepared.key, task.model, config.training, config.scaler, str(config.lookback),
        str(config.seed), task.name, str(task.epochs), config.weights, *asks(config),
        *(hashlib.sha256(r).hexdigest() for r in rows),
    )  # fmt: skip


def _keep(cache: StageCache, key: str, learned: Learned) -> None:
    facts = {
        "best_epoch": learned.best_epoch,
        "rows_used": learned.rows_used,
        "rows_available": learned.rows_available,
        "seconds": learned.seconds,
        "shape": list(learned.shape),
        "scaler": learned.scaler,
        "view": learned.view,
        "looks": learned.looks,
        "metric": learned.metric,
    }
    arrays = {"validate": learned.validate, "test": learned.test}
    blobs = {f"file:{name}": np.frombuffer(b, np.uint8) for name, b in learned.files.items()}
    facts_blob = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    cache.save("models", key, {**arrays, **blobs, "facts": facts_blob})


def _kept(cache: StageCache, key: str) -> Learned | None:
    kept = cache.load("models", key)
    if kept is None:
        return None
    facts = json.loads(np.asarray(kept["facts"]).tobytes())
    facts["shape"] = Shape(*facts["shape"])
    facts["looks"] = tuple((int(at), float(score)) for at, score in facts["looks"])
    files = {
        name.removeprefix("file:"): np.asarray(column).tobytes()
        for name, column in kept.items()
        if name.startswith("file:")
    }
    return Learned(np.asarray(kept["validate"]), np.asarray(kept["test"]), **facts, files=files)
