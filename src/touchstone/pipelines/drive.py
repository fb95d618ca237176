"""Drives a fit epoch by epoch: checkpoints to go on from, and a note for whoever watches it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from touchstone.arrays import Int32
from touchstone.errors import ArtifactError
from touchstone.ledger import Ledger
from touchstone.models import MODELS
from touchstone.pipelines.progress import Running
from touchstone.registry import checkpoints
from touchstone.registry.checkpoints import About, Checkpoint
from touchstone.training import Epoch, Fit, Job, State, checkpoint_name, driven

History: TypeAlias = tuple[tuple[int, dict[str, float]], ...]
"""(epoch, metrics) of every epoch from the first."""

FIRST_SECONDS: Final = 1.0
"""A fit that is over sooner leaves no checkpoint on its way: it is quicker begun again."""
GAP_SECONDS: Final = 5.0
"""Least time between two checkpoints."""
SHARE: Final = 0.02
"""Most of a fit's time that its checkpoints may take, once one is there."""
_SHOWN_SECONDS: Final = 0.25
_NOTE: Final = "running.json"


class HaltError(Exception):
    """Raised by whoever watches a fit: it ends here, for good."""


Watcher: TypeAlias = Callable[[str, History], None]
"""Sees a fit's history from its first epoch on as each epoch ends, with the fit's name."""


class Place(NamedTuple):
    """Where a fit's checkpoints lie, and what names it there; goes to a worker process."""

    folder: Path
    """The fit's own, `<checkpoints>/<key>`."""
    study: str
    """The study's name."""
    fit: str
    """As in "gru, fold 2"."""
    resume: Path | None = None
    """The checkpoint to go on from."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds."""

    @property
    def key(self) -> str:
        """Names the fit."""
        return self.folder.name


class Beside(NamedTuple):
    """What a model needs beside its weights."""

    scaler: str
    view: str
    number: Int32
    """The model's number of each instrument, (n_instruments,)."""


def drive(
    job: Job, ledger: Ledger, place: Place | None, beside: Beside,
    watch: Callable[[History], None] | None = None,
) -> tuple[Fit, History]:  # fmt: skip
    """Fit to the end, from the place's checkpoint if it has one; the result is the same.

    Args:
        job: without a checkpoint.
        ledger: gets the fit.
        place: where checkpoints are written; None writes none.
        beside: goes into each checkpoint.
        watch: sees the history as each epoch ends, and may end the fit by an error.

    Raises:
        TrainingError: as `training.fit`.
    """
    began = _begun(place)
    keeper = None if place is None else _Keeper(job, place, beside, began)
    history = list(began.about.history) if began is not None else []
    state = None if began is None else began.state
    with contextlib.closing(driven(job._replace(resume=state), ledger)) as epochs:
        while True:
            try:
                epoch = next(epochs)
            except StopIteration as end:
                fit: Fit = end.value
                break
            if not history or epoch.index > history[-1][0]:
                history.append((epoch.index, dict(epoch.metrics)))
            if watch is not None:
                watch(tuple(history))
            if keeper is not None:
                keeper.see(epoch, tuple(history))
    if keeper is not None:
        keeper.finish()
    return fit, tuple(history)


def newest(folder: Path, note: Callable[[str], None]) -> Path | None:
    """The latest whole checkpoint of the fit that a folder is named after; None for none.

    Those that are damaged or of another fit are told to `note` and removed.
    """
    checkpoints.sweep(folder)
    (folder / _NOTE).unlink(missing_ok=True)
    found = _whole(folder, note)
    return max(found, key=lambda one: one.about.epoch).path if found else None


def settle(folder: Path, keep_every: int | None) -> None:
    """Leave what stays of a fit that is over and kept.

    With `keep_every` its best and its periodic checkpoints; otherwise none, for the fit is kept.
    """
    if keep_every is None:
        checkpoints.remove(folder)
        return
    (folder / _NOTE).unlink(missing_ok=True)
    found = _whole(folder, lambda _: None)
    best = max((one.about.epoch for one in found if one.about.best), default=None)
    for one in found:
        if not one.about.periodic and one.about.epoch != best:
            checkpoints.remove(one.path)


def running(folders: Iterable[Path]) -> list[Running]:
    """The fits under way in these folders, as each one last said."""
    found = []
    for folder in folders:
        with contextlib.suppress(OSError, ValueError, TypeError):
            found.append(Running.from_json((folder / _NOTE).read_bytes()))
    return found


def _whole(folder: Path, note: Callable[[str], None]) -> list[Checkpoint]:
    """The checkpoints that a fit may use, without what is in them; the others are removed."""
    found: list[Checkpoint] = []
    for path in checkpoints.saved(folder):
        try:
            one = checkpoints.read(path)
            if one.about.key != folder.name:
                raise ArtifactError(f"{path}: is of another fit, {one.about.fit}")
        except ArtifactError as error:
            note(f"a checkpoint is not used, and removed: {error}")
            checkpoints.remove(path)
        else:
            found.append(one._replace(state={}))
    return found


def _begun(place: Place | None) -> Checkpoint | None:
    if place is None or place.resume is None:
        return None
    try:
        return checkpoints.read(place.resume)
    except ArtifactError:  # gone since it was looked at
        return None


class _Keeper:
    """Writes checkpoints now and then: the last, the best, and those that the recipe keeps."""

    def __init__(self, job: Job, place: Place, beside: Beside, began: Checkpoint | None) -> None:
        self._job, self._place, self._beside = job, place, beside
        self._start = self._shown = place.clock()
        self._from = 0 if began is None else began.about.epoch
        self._best = None if began is None else began.about.best_epoch
        self._score: float | None = None
        self._last: Path | None = None
        self._best_path: Path | None = None
        if began is not None:
            self._score = began.about.score_at(self._best)
            self._last = began.path
            self._best_path = _best_of(place.folder, self._best)
        self._pending: tuple[Epoch, State, History] | None = None
        """The best epoch since the last write: its state can be had only while it is the latest."""
        self._wrote: float | None = None
        self._spent = 0.0
        network = MODELS.part_of(job.model).inputs == "window"
        self._holds = network
        """Trees as text at each look would cost more than the looks."""
        self._most = job.epochs or (job.recipe.epochs if network else None)

    def see(self, epoch: Epoch, history: History) -> None:
        """An epoch is over: save it if it is time, and note it."""
        began = self._place.clock()
        if epoch.best:
            self._best, self._score = epoch.index, self._scored(epoch)
        due = self._due(began)
        if due or epoch.periodic or (epoch.best and self._holds):
            one = (epoch, epoch.state(), history)
            self._pending = one if epoch.best else self._pending
            if due or epoch.periodic:
                self._write(one)
        now = self._place.clock()
        self._spent += now - began
        if now - self._shown >= _SHOWN_SECONDS or epoch.index <= self._from + 1:
            self._shown = now
            self._note(epoch, now - self._start)

    def finish(self) -> None:
        """The fit is over: where checkpoints stay, the best is among them."""
        if self._job.recipe.keep_every is not None:
            self._flush()

    def _due(self, now: float) -> bool:
        if self._wrote is None:
            return now - self._start >= FIRST_SECONDS
        affordable = self._spent <= SHARE * (now - self._start)
        return affordable and now - self._wrote >= GAP_SECONDS

    def _write(self, one: tuple[Epoch, State, History]) -> None:
        self._flush()
        before, self._last = self._last, self._save(one)
        self._drop(before)
        self._wrote = self._place.clock()

    def _flush(self) -> None:
        """Write the best epoch, if it is not written yet."""
        if self._pending is not None:
            one, self._pending = self._pending, None
            before, self._best_path = self._best_path, self._save(one)
            self._drop(before)

    def _drop(self, path: Path | None) -> None:
        """Remove what is neither the last nor the best any more; periodic ones stay."""
        if path is None or path in (self._last, self._best_path):
            return
        with contextlib.suppress(ArtifactError):
            if not checkpoints.read(path).about.periodic:
                checkpoints.remove(path)

    def _save(self, one: tuple[Epoch, State, History]) -> Path:
        epoch, state, history = one
        job, place = self._job, self._place
        best = self._best if epoch.index >= (self._best or 0) else None
        about = About(
            key=place.key,
            study=place.study,
            fit=place.fit,
            kind=getattr(job.model, "kind", "?"),
            epoch=epoch.index,
            best=epoch.best,
            best_epoch=best,
            periodic=epoch.periodic,
            metric=job.recipe.metric,
            model=job.model.model_dump(mode="json", serialize_as_any=True),
            shape=tuple(job.shape),
            scaler=self._beside.scaler,
            view=self._beside.view,
            number=tuple(self._beside.number.tolist()),
            history=history,
        )
        return checkpoints.save(place.folder, checkpoint_name(job, epoch), state, about)

    def _scored(self, epoch: Epoch) -> float | None:
        return epoch.metrics.get(f"validate_{self._job.recipe.metric}")

    def _note(self, epoch: Epoch, seconds: float) -> None:
        """Tell whoever watches; nobody needs it, so that a full disk is no reason to stop."""
        said = Running(
            self._place.fit,
            epoch.index,
            self._most,
            epoch.metrics.get("train_loss"),
            self._job.recipe.metric,
            self._scored(epoch),
            self._score,
            self._best,
            (epoch.index - self._from) / seconds if seconds > 0 else None,
        )
        path = self._place.folder / _NOTE
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{_NOTE}.{os.getpid()}")
            fresh.write_bytes(said.to_json())
            fresh.replace(path)


def _best_of(folder: Path, epoch: int | None) -> Path | None:
    """Where the checkpoint of the best epoch lies, if it does."""
    for path in checkpoints.saved(folder):
        with contextlib.suppress(ArtifactError):
            about = checkpoints.read(path).about
            if about.best and about.epoch == epoch:
                return path
    return None
