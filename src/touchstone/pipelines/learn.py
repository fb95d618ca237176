"""Fit every model on every fold, in parallel; keep the scores of its validation and test rows."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from joblib import delayed

from touchstone.config import Config
from touchstone.dataset.samples import Samples, samples
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.windows import Windows
from touchstone.labels.tasks import fit_tasks, targets
from touchstone.models import MODELS, head_of, members_of
from touchstone.models.scoring import score
from touchstone.pipelines import learn_ensemble
from touchstone.pipelines import learned as learned_fits
from touchstone.pipelines.drive import (
    Beside,
    HaltError,
    History,
    Place,
    Watcher,
    drive,
    newest,
    running,
    settle,
)
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.phases import phase_rows
from touchstone.pipelines.prepare import Prepared, stage_key
from touchstone.pipelines.refit import seed_of
from touchstone.pipelines.shelf import (
    Columns,
    OpenLedger,
    Resources,
    Shelf,
    columns_of,
    shelve,
)
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.views import asks, fit_views
from touchstone.pipelines.workers import workers
from touchstone.registry.checkpoints import saved
from touchstone.seeding import derive
from touchstone.training import Fit, Job, PhaseSamples

Task: TypeAlias = learned_fits.Task
Learned: TypeAlias = learned_fits.Learned
keep, kept = learned_fits.keep, learned_fits.kept

Driver: TypeAlias = Callable[[Job, Beside], tuple[Fit, History]]
"""Fits a job, and gives its metrics of every epoch from the first."""

Todo: TypeAlias = tuple[str, Task, Place | None]
"""A fit to be made: its key, itself, where it leaves checkpoints."""


def learn(
    study: Study, prepared: Prepared, tasks: Sequence[Task], resources: Resources,
    watch: Watcher | None = None,
) -> list[Learned]:  # fmt: skip
    """Fit all tasks, those already in the cache excepted; in the order of the tasks.

    An ensemble's members are fitted first, each as it would be alone, then their combination.

    Args:
        study: whose models are fitted.
        prepared: its market.
        tasks: the fits.
        resources: what the machine lends.
        watch: sees each epoch of those that are fitted now, and may end one by a `HaltError`, which
            is raised; with one process only.

    Raises:
        ConfigError: an ensemble whose combination reads what the study's models do not see.
    """
    parts = [learn_ensemble.parts_of(task) for task in tasks]
    fits = iter(_learn_each(study, prepared, [one for p in parts for one in p], resources, watch))
    found = [[next(fits) for _ in some] for some in parts]
    asked = [
        learn_ensemble.Asked(_task_key(study.config, prepared, task), task, tuple(some))
        for task, some in zip(tasks, found, strict=True)
        if members_of(task.model)
    ]
    combined = iter(learn_ensemble.combine(study.config, prepared, asked, resources))
    return [
        next(combined) if members_of(task.model) else some[0]
        for task, some in zip(tasks, found, strict=True)
    ]


def _learn_each(
    study: Study, prepared: Prepared, tasks: Sequence[Task], resources: Resources,
    watch: Watcher | None,
) -> list[Learned]:  # fmt: skip
    """Fit tasks of models that are fitted to samples, each that comes twice once."""
    config = study.config
    keys = [_task_key(config, prepared, task) for task in tasks]
    found = {k: kept(resources.cache, k) for k in keys}
    shelf = shelve(config, prepared, resources.cache)
    views = fit_views(study, prepared, [(t.name, t.fold) for t in tasks], shelf, resources)
    rows = phase_rows(config, prepared, resources.cache)
    todo = [
        (
            key,
            task._replace(view=views[task.name], phases=rows(task.fold)),
            _place(config, key, task, resources),
        )
        for key, task in dict(zip(keys, tasks, strict=True)).items()
        if found[key] is None
    ]
    with resources.progress.stage("models", len(found)) as step:
        for _ in range(len(found) - len(todo)):
            step.advance("from cache")
        places = [place for _, _, place in todo if place is not None]
        step.watch(lambda: running(place.folder for place in places))
        try:
            for (key, task, place), learned in _fits(
                study, (prepared.data, shelf), todo, resources, watch
            ):
                keep(resources.cache, key, learned)
                if place is not None:
                    settle(place.folder, config.training.keep_every)
                found[key] = learned
                step.done(_ended(task, learned, place))
        except KeyboardInterrupt:
            _tell_left(places, resources)
            raise
        seconds = sum(f.seconds for f in found.values() if f is not None)
        step.say(f"{len(found)} fits, {seconds:.0f} s of one core")
    return [f for f in (found[k] for k in keys) if f is not None]


def fit_and_score(
    config: StudyConfig, task: Task, columns: Columns, data: str, fit_by: Driver
) -> Learned:  # fmt: skip
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
        train=with_tasks(
            samples(windows, columns.labels, fold.train, config.weights), task.model, columns
        )._replace(teacher=task.teacher),
        validate=samples(windows, columns.labels, fold.validate),
        n_assets=n_assets,
        seed=derive(seed_of(config.refit, config.seed), "fit", task.model.fingerprint(), task.name),
        data=data,
        epochs=task.epochs,
        resume=None,
        phases=_phases(config, task, windows, columns),
        round_trip=config.costs.round_trip if config.training.metric == "net" else 0.0,
    )
    view = "" if task.view is None else task.view.to_json()
    fit, history = fit_by(job, Beside(scaler.to_json(), view, number))
    history = _told(history, config.training.metric)
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
        view=view,
        looks=_looks(history, config.training.metric),
        metric=config.training.metric,
        history=history,
    )


def with_tasks(train: Samples, model: Config, columns: Columns) -> Samples:
    """Train samples with what a `multi_task` head learns beside the outcome, scaled by them."""
    if head_of(model) != "multi_task" or columns.tasks is None:
        return train
    scale = fit_tasks(columns.tasks, train.rows)
    return train._replace(tasks=targets(columns.tasks, scale, train.rows))


def _phases(
    config: StudyConfig, task: Task, windows: Windows, columns: Columns
) -> tuple[PhaseSamples, ...]:
    """What a network learns first: the same windows, another label."""
    if MODELS.part_of(task.model).inputs != "window":
        return ()
    recipe = config.training
    return tuple(
        PhaseSamples(
            with_tasks(samples(windows, labels, rows, config.weights), task.model, columns),
            phase.epochs,
        )
        for phase, labels, rows in zip(recipe.curriculum, columns.phases, task.phases, strict=True)
    )


def _looks(history: History, metric: str) -> tuple[tuple[int, float], ...]:
    """The score vector behind the choice of the epoch."""
    name = f"validate_{metric}"
    return tuple((at, told[name]) for at, told in history if name in told)


def _told(history: History, metric: str) -> History:
    """A fit knows the costs only if it chooses by them, so that other costs need no other fit."""
    if metric == "net":
        return history
    return tuple(
        (at, {name: v for name, v in told.items() if not name.endswith("_net")})
        for at, told in history
    )


def _place(config: StudyConfig, key: str, task: Task, resources: Resources) -> Place | None:
    """Where a fit leaves its checkpoints, and the one that it goes on from."""
    if resources.checkpoints is None:
        return None
    folder = resources.checkpoints.absolute() / key
    resume = newest(folder, resources.progress.note)
    return Place(folder, config.name, task.told, resume)


def _ended(task: Task, learned: Learned, place: Place | None) -> str:
    """One line about a fit that was made."""
    told = dict(learned.looks)
    score = told.get(learned.best_epoch)
    best = "" if score is None else f", {learned.metric} {score:.4f}"
    epoch = f", epoch {learned.best_epoch} of {learned.history[-1][0]}" * bool(learned.best_epoch)
    again = "" if place is None or place.resume is None else ", went on from a checkpoint"
    return f"{task.told}{epoch}{best}, {learned.seconds:.1f} s{again}"


def _tell_left(places: Sequence[Place], resources: Resources) -> None:
    """Say where those who stopped a run find what its fits had come to."""
    n = sum(bool(saved(place.folder)) for place in places)
    if n:
        resources.progress.note(
            f"{n} fits under way left checkpoints in {resources.checkpoints}: the same command "
            "goes on from them, and touchstone runs checkpoints lists them"
        )


def _fits(
    study: Study, on: tuple[str, Shelf], todo: Sequence[Todo], resources: Resources,
    watch: Watcher | None,
) -> Iterator[tuple[Todo, Learned]]:  # fmt: skip
    """Yields each fit as it is done."""
    config, (data, shelf) = study.config, on
    assert watch is None or resources.jobs == 1, "whoever watches is in this process"
    if resources.jobs == 1 or len(todo) < 2:
        columns = columns_of(shelf)
        for one in todo:
            yield one, _watched(config, one, (columns, data), resources, watch)
        return
    pool = workers(resources.jobs, study.plugins)
    calls = (
        delayed(_in_worker)(i, (config, task, shelf, data), resources.ledger, place)
        for i, (_, task, place) in enumerate(todo)
    )
    for i, learned in pool(calls):
        yield todo[i], learned


def _watched(
    config: StudyConfig, todo: Todo, on: tuple[Columns, str], resources: Resources,
    watch: Watcher | None,
) -> Learned:  # fmt: skip
    """A fit in this process; of one that whoever watches has ended nothing stays."""
    (_, task, place), (columns, data) = todo, on
    see = None if watch is None else partial(watch, task.name)

    def driven(job: Job, beside: Beside) -> tuple[Fit, History]:
        return drive(job, resources.ledger(), place, beside, see)

    try:
        return fit_and_score(config, task, columns, data, driven)
    except HaltError:
        if place is not None:
            settle(place.folder, None)
        raise


def _in_worker(
    number: int, asked: tuple[StudyConfig, Task, Shelf, str], ledger: OpenLedger,
    place: Place | None,
) -> tuple[int, Learned]:  # fmt: skip
    config, task, shelf, data = asked

    def driven(job: Job, beside: Beside) -> tuple[Fit, History]:
        return drive(job, ledger(), place, beside)

    return number, fit_and_score(config, task, columns_of(shelf), data, driven)


def _task_key(config: StudyConfig, prepared: Prepared, task: Task) -> str:
    rows = [r.tobytes() for r in (task.fold.train, task.fold.validate, task.fold.test)]
    return stage_key(
        prepared.key, task.model, config.training, config.scaler, str(config.lookback),
        str(config.seed), task.name, str(task.epochs), config.weights, *asks(config),
        *_paid(config), *_redrawn(config), *_taught(task), *_lasting(task),
        *(hashlib.sha256(r).hexdigest() for r in rows),
    )  # fmt: skip


def _paid(config: StudyConfig) -> list[str]:
    """The costs, where the fit depends on them."""
    return [str(config.costs.round_trip)] if config.training.metric == "net" else []


def _redrawn(config: StudyConfig) -> list[str]:
    """The seed of the fits, where it is not the study's."""
    seed = seed_of(config.refit, config.seed)
    return [] if seed == config.seed else [f"refit {seed}"]


def _lasting(task: Task) -> list[str]:
    """The epochs of an ensemble's members, where they are fixed."""
    return [str(task.members_epochs)] if task.members_epochs else []


def _taught(task: Task) -> list[str]:
    """The teacher, where there is one."""
    if task.teacher is None:
        return []
    return [hashlib.sha256(np.ascontiguousarray(task.teacher).tobytes()).hexdigest()]
