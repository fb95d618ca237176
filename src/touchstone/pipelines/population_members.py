"""The members of a population on a market: a network a fold each, trained on by worker processes.

A state is named by its path: which member, with which settings, generation by generation. What a
path leads to follows from it alone, so nothing else is kept of a search: whoever asks for a path
again gets its scores from the cache, and what is missing is trained from the nearest checkpoint.
Scores are shared by all searches. Checkpoints are each search's own: it removes those that it needs
no longer.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from joblib import delayed

from touchstone import training
from touchstone.config import Config
from touchstone.errors import ArtifactError, ConfigError, TrainingError
from touchstone.ledger import Ledger
from touchstone.models import MODELS
from touchstone.pipelines.drive import Beside, History
from touchstone.pipelines.learn import Learned, Task, fit_and_score, keep, kept
from touchstone.pipelines.prepare import Prepared, stage_key
from touchstone.pipelines.progress import Step
from touchstone.pipelines.shelf import Columns, OpenLedger, Resources, Shelf, columns_of, shelve
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.views import asks, fit_views
from touchstone.pipelines.workers import workers
from touchstone.registration import kind_of
from touchstone.registry import checkpoints
from touchstone.registry.checkpoints import About
from touchstone.seeding import derive
from touchstone.training import Fit, Job, State, TrainingConfig
from touchstone.tuning.population import Ended, Turn
from touchstone.tuning.space import Space

_STAGE: Final = "population"


class Stride(NamedTuple):
    """A generation of a path."""

    member: int
    """Whose seed drew."""
    settings: str
    """As JSON, keys sorted."""


Walked: TypeAlias = tuple[Stride, ...]
"""A path: what led to a state, from generation 0 on. Copies share what they have in common."""
Values: TypeAlias = Callable[[Study, Sequence[Learned]], tuple[float | None, ...]]
"""What a member's fits are worth, fold by fold."""


class Ground(NamedTuple):
    """What all turns of a population share; goes to worker processes."""

    config: StudyConfig
    """With the recipe's `epochs` as long as the whole fit, by which schedules go."""
    space: Space
    """Its model and recipe hold what is not searched."""
    epochs: int
    """Of a generation."""
    shelf: Shelf
    data: str
    """Hash of the data."""


class Going(NamedTuple):
    """One fold of one turn."""

    path: Walked
    task: Task
    key: str
    """Names what comes of it."""
    folder: Path
    """Of the fold's checkpoints."""


def told(settings: Mapping[str, Any]) -> str:
    """Settings as text, equal where they are equal."""
    return json.dumps(dict(settings), sort_keys=True)


class Population:
    """Trains members of one architecture; see `tuning.population.Members`."""

    def __init__(
        self, study: Study, prepared: Prepared, space: Space, epochs: tuple[int, int],
        by: tuple[Resources, str], values: Values,
    ) -> None:  # fmt: skip
        """Prepare what all turns share.

        Args:
            study: of the one architecture.
            prepared: its market.
            space: what is moved, and the rest.
            epochs: of a generation, and of all generations together.
            by: where checkpoints go and how many processes there are, and the search's name.
            values: what a member's fits are worth; the member, their mean.
        """
        recipe = space.training.model_copy(update={"epochs": epochs[1], "keep_every": None})
        self.space = space._replace(training=recipe)
        changed = {"models": (space.model,), "training": recipe}
        self.study = study._replace(config=study.config.model_copy(update=changed))
        resources, search = by
        self.prepared, self.resources, self.values = prepared, resources, values
        config = self.study.config
        shelf = shelve(config, prepared, resources.cache)
        self.ground = Ground(config, self.space, epochs[0], shelf, prepared.data)
        folds = prepared.folds.folds
        names = [f"fold {i + 1}" for i in range(len(folds))]
        pairs = list(zip(names, folds, strict=True))
        views = fit_views(self.study, prepared, pairs, shelf, resources)
        self.tasks = [Task(space.model, f, name, view=views[name]) for name, f in pairs]
        self.keys = [_fold_key(self.ground, prepared, task) for task in self.tasks]
        self.step: Step | None = None
        root = (resources.checkpoints or resources.cache.root / "population").absolute()
        self.folders = [root / stage_key(key, search) for key in self.keys]

    def advance(self, turns: Sequence[Turn[Walked]]) -> list[Ended[Walked]]:
        """Train each on by a generation, on all folds."""
        paths = [(*(t.state or ()), Stride(t.member, told(t.settings))) for t in turns]
        going = {(i, f): one for i, path in enumerate(paths) for f, one in self._folds(path)}
        reasons, fits = dict[tuple[int, int], str](), dict[tuple[int, int], Learned]()
        todo = []
        for place, one in going.items():
            reason, fit = self._known(one)
            if reason is not None:
                reasons[place] = reason
            elif fit is not None:
                fits[place] = fit
            else:
                todo.append(place)
                continue
            self._shown("from the cache")
        for at, (fit, reason) in self._trained([going[place] for place in todo]):
            place = todo[at]
            if fit is None:
                reasons[place] = reason
                self.resources.cache.save_bytes(_STAGE, going[place].key, reason.encode())
            else:
                fits[place] = fit
                keep(self.resources.cache, going[place].key, fit)
            self._shown(f"member {turns[place[0]].member}, {going[place].task.name}")
        return [self._ended(i, path, reasons, fits) for i, path in enumerate(paths)]

    def fits(self, path: Walked) -> list[Learned]:
        """The scores of a path's networks, fold by fold.

        Raises:
            TrainingError: it was never walked, or failed.
        """
        found = [kept(self.resources.cache, one.key) for _, one in self._folds(path)]
        fits = [fit for fit in found if fit is not None]
        if len(fits) < len(found):
            raise TrainingError(
                "the cache was cleared while a search was using it: the same command goes on"
            )
        return fits

    def study_of(self, path: Walked) -> Study:
        """The study with the settings that a path ends with."""
        model, recipe = self.space.configs(json.loads(path[-1].settings))
        changed = {"models": (model,), "training": recipe}
        return self.study._replace(config=self.study.config.model_copy(update=changed))

    def forget(self, needed: Sequence[Walked]) -> None:
        """Remove every checkpoint but those of these paths."""
        names = {_name(path) for path in needed}
        for folder in self.folders:
            checkpoints.sweep(folder)
            for path in checkpoints.saved(folder):
                if path.name not in names:
                    checkpoints.remove(path)

    def _folds(self, path: Walked) -> Iterator[tuple[int, Going]]:
        each = zip(self.tasks, self.keys, self.folders, strict=True)
        for f, (task, key, folder) in enumerate(each):
            yield f, Going(path, task, stage_key(key, repr(path)), folder)

    def _known(self, one: Going) -> tuple[str | None, Learned | None]:
        """Why it failed, or what came of it; both None where that is not known."""
        reason = self.resources.cache.load_bytes(_STAGE, one.key)
        if reason is not None:
            return reason.decode(), None
        return None, kept(self.resources.cache, one.key)

    def _trained(self, todo: Sequence[Going]) -> Iterator[tuple[int, tuple[Learned | None, str]]]:
        """Yields each, by its place, as it is done."""
        resources = self.resources
        if resources.jobs == 1 or len(todo) < 2:
            columns = columns_of(self.ground.shelf)
            for i, one in enumerate(todo):
                yield i, _tried(self.ground, one, columns, resources.ledger())
            return
        pool = workers(resources.jobs, self.study.plugins)
        calls = (
            delayed(_in_worker)(i, self.ground, one, resources.ledger) for i, one in enumerate(todo)
        )
        yield from pool(calls)

    def _ended(
        self, turn: int, path: Walked, reasons: Mapping[tuple[int, int], str],
        fits: Mapping[tuple[int, int], Learned],
    ) -> Ended[Walked]:  # fmt: skip
        places = [(turn, f) for f in range(len(self.tasks))]
        failed = [f"{self.tasks[f].name}: {reasons[t, f]}" for t, f in places if (t, f) in reasons]
        if failed:
            return Ended(None, None, failed[0])
        values = self.values(self.study_of(path), [fits[place] for place in places])
        unknown = [task.name for task, v in zip(self.tasks, values, strict=True) if v is None]
        if unknown:
            return Ended(
                path, None, f"{unknown[0]}: its validation rows give the objective no value"
            )
        return Ended(path, float(np.mean([v for v in values if v is not None])))

    def _shown(self, note: str) -> None:
        if self.step is not None:
            self.step.advance(note)


def _fold_key(ground: Ground, prepared: Prepared, task: Task) -> str:
    """All that a path on a fold depends on beside itself."""
    fold, config, space = task.fold, ground.config, ground.space
    rows = [r.tobytes() for r in (fold.train, fold.validate, fold.test)]
    return stage_key(
        _STAGE, prepared.key, space.model, space.training, config.scaler, str(config.lookback),
        str(config.seed), task.name, str(ground.epochs), config.weights, *asks(config),
        str(config.costs.round_trip), *(hashlib.sha256(r).hexdigest() for r in rows),
    )  # fmt: skip


def _name(path: Walked) -> str:
    """Of a path's checkpoint; those of a generation stand together."""
    digest = hashlib.sha256(repr(path).encode()).hexdigest()[:16]
    return f"generation{len(path) - 1:04d}_member{path[-1].member:03d}_{digest}"


def _in_worker(
    place: int, ground: Ground, one: Going, ledger: OpenLedger
) -> tuple[int, tuple[Learned | None, str]]:
    return place, _tried(ground, one, columns_of(ground.shelf), ledger())


def _tried(
    ground: Ground, one: Going, columns: Columns, ledger: Ledger
) -> tuple[Learned | None, str]:
    """What came of a fold's turn, or why nothing did."""

    def fit_by(job: Job, beside: Beside) -> tuple[Fit, History]:
        return _walked(ground, one, job, (beside, ledger))

    try:
        model, recipe = _configs(ground, one.path[-1])
        config = ground.config.model_copy(update={"models": (model,), "training": recipe})
        task = one.task._replace(model=model)
        return fit_and_score(config, task, columns, ground.data, fit_by), ""
    except (TrainingError, ConfigError) as error:  # values that do not go together
        return None, str(error)


def _configs(ground: Ground, stride: Stride) -> tuple[Config, TrainingConfig]:
    return ground.space.configs(json.loads(stride.settings))


def _walked(ground: Ground, one: Going, job: Job, by: tuple[Beside, Ledger]) -> tuple[Fit, History]:
    """Go on from the nearest checkpoint of a path to its end."""
    done, state, history = _nearest(one)
    beside, ledger = by
    for n in range(done + 1, len(one.path) + 1):
        stride = one.path[n - 1]
        model, recipe = _configs(ground, stride)
        seed = derive(ground.config.seed, _STAGE, stride.member, one.task.name)
        this = job._replace(model=model, recipe=recipe, seed=seed, epochs=n * ground.epochs)
        if state is not None:
            this = this._replace(resume=training.adopted(this, state))
        fit, state, told_by = _driven(this, ledger)
        history = (*history, *told_by)
        _saved(ground, one, n, (this, state, history), beside)
    return fit, history


def _nearest(one: Going) -> tuple[int, State | None, History]:
    """Generations that a checkpoint has done already, itself, and its history.

    That of the whole path is not taken: whoever asks for it wants the model as well.
    """
    for n in range(len(one.path) - 1, 0, -1):
        with contextlib.suppress(ArtifactError):
            found = checkpoints.read(one.folder / _name(one.path[:n]))
            return n, found.state, found.about.history
    return 0, None, ()


def _driven(job: Job, ledger: Ledger) -> tuple[Fit, State, History]:
    """A job to its fixed end: the fit, the last epoch's checkpoint, and the metrics."""
    state: State = {}
    history: list[tuple[int, dict[str, float]]] = []
    epochs = training.driven(job, ledger)
    while True:
        try:
            epoch = next(epochs)
        except StopIteration as end:
            fit: Fit = end.value
            return fit, state, tuple(history)
        history.append((epoch.index, dict(epoch.metrics)))
        if epoch.index == job.epochs:
            state = epoch.state()


def _saved(
    ground: Ground, one: Going, n: int, made: tuple[Job, State, History], beside: Beside
) -> None:
    job, state, history = made
    path = one.path[:n]
    kind = kind_of(job.model)
    about = About(
        key=one.folder.name,
        study=ground.config.name,
        fit=f"{kind} {one.task.name}, member {path[-1].member}, generation {n - 1}",
        kind=kind,
        epoch=n * ground.epochs,
        best=True,
        best_epoch=n * ground.epochs,
        periodic=False,
        metric=job.recipe.metric,
        model=job.model.model_dump(mode="json", serialize_as_any=True),
        shape=tuple(job.shape),
        scaler=beside.scaler,
        view=beside.view,
        number=tuple(beside.number.tolist()),
        history=history,
    )
    checkpoints.save(one.folder, _name(path), state, about)


def is_network(model: Config) -> bool:
    """Whether a model has weights that can be copied."""
    return MODELS.part_of(model).inputs == "window"
