"""What a finished run tells MLflow: itself and its fits; put into its queue, and sent from there.

Nothing here may fail a run: its result stands before a word is said to anybody.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from touchstone.errors import ConfigError
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.market import Market
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.study import Study
from touchstone.pipelines.track_figures import figures, of_market
from touchstone.pipelines.workspace import Workspace, hardware
from touchstone.registry.tracking import (
    Batch,
    Queue,
    TrackedRun,
    TrackingError,
    files_of,
    flush,
    n_waiting,
    queues,
)
from touchstone.registry.tracking_mlflow import MlflowTracker, Place
from touchstone.reports.result import StudyResult
from touchstone.reports.settings import flat
from touchstone.reports.study import RunFacts

OFF: Final = "off"
HERE: Final = ""
"""The workspace's own SQLite file."""
_TELLS: Final = ("report.html", "result.json", "run.json", "study.json")
_FOLDERS: Final = ("figures", "artifact")


class Told(NamedTuple):
    """Everything about one run that tracking reads."""

    study: Study
    result: StudyResult
    facts: RunFacts
    about: Mapping[str, str]
    """`data`, `ledger_head`."""
    market: Market
    twin: Market | None


def place_of(workspace: Workspace, asked: str) -> Place | None:
    """Where runs are tracked; None where they are not.

    Args:
        workspace: whose SQLite file it is by default.
        asked: `off`, empty for the default, or the address of a tracking server.

    Raises:
        ConfigError: no address.
    """
    if asked == OFF:
        return None
    uri = asked or f"sqlite:///{workspace.tracking.absolute()}"
    if "://" not in uri:
        raise ConfigError(
            f"tracking {asked!r}: needs off, or an address as in http://127.0.0.1:5000 or "
            "sqlite:///path/to/mlflow.sqlite"
        )
    place = Place(uri)
    database = place.database
    if database is None:
        return place
    return place._replace(artifacts=database.with_suffix(""))


def enqueue(folder: Path, told: Told, progress: Progress, user: str) -> None:
    """Put a run and its fits into the queue beside it; a failure is a note."""
    try:
        Queue(folder).put(batch(folder, told, user))
    except Exception as error:  # noqa: BLE001  the run is finished and stays so
        progress.note(f"tracking: this run is not tracked: {type(error).__name__}: {error}")


def tell(workspace: Workspace, asked: str, progress: Progress) -> int:
    """Send what waits, of this run and of earlier ones; what cannot be sent is said and waits.

    Returns:
        How many runs and fits were sent.
    """
    place = place_of(workspace, asked)
    if place is None:
        return 0
    found = queues(workspace.runs)
    waiting, files = n_waiting(found)
    if not waiting:
        return 0
    with progress.stage("tracking") as step:
        try:
            n = flush(found, MlflowTracker(place, progress.note), place.name, workspace.locks)
        except (TrackingError, OSError) as error:
            waiting, files = n_waiting(found)
            where = str(files[0]) if len(files) == 1 else f"{len(files)} files of {workspace.runs}"
            progress.note(
                f"tracking: {error}; {waiting} events wait in {where}; "
                "touchstone track flush sends them"
            )
            step.say(f"{waiting} wait")
            return 0
        step.say(f"{n} runs and fits told to {_short(workspace, place)}")
    return n


class Standing(NamedTuple):
    """Where runs are tracked, and what waits."""

    place: str
    waiting: int
    look: str
    """The command or address at which they are looked at."""


def standing(workspace: Workspace, asked: str) -> Standing:
    """What `touchstone track status` tells."""
    place = place_of(workspace, asked)
    waiting = n_waiting(queues(workspace.runs))[0]
    if place is None:
        return Standing(OFF, waiting, "")
    look = place.name
    if place.database is not None:
        look = f"mlflow ui --backend-store-uri sqlite:///{_short(workspace, place)}"
    return Standing(_short(workspace, place), waiting, look)


def batch(folder: Path, told: Told, user: str) -> Batch:
    """A run and its fits as MLflow is to keep them."""
    began = datetime.fromisoformat(told.facts.started)
    ended = _milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
    shared = _tags(folder, told, user)
    own = {
        "touchstone.kind": "run",
        "touchstone.ledger_head": told.about["ledger_head"],
        "mlflow.note.content": told.result.market.verdict.sentence,
    }
    if told.result.null_twin is not None:
        own["touchstone.null_twin_verdict"] = told.result.null_twin.verdict.word
    paths = [folder / n for n in _TELLS]
    paths += [p for n in _FOLDERS for p in (folder / n).rglob("*")]
    parent = TrackedRun(
        key=uuid.uuid4().hex,
        group=told.study.config.name,
        name=folder.name,
        started_ms=min(_milliseconds(began), ended),
        ended_ms=ended,
        tags=shared | own,
        params=_params(told),
        metrics=figures(_measures(told)),
        files=files_of(folder, [p for p in paths if p.is_file()]),
    )
    fits = tuple(
        _fit(parent, shared, told.study, fit)
        for one, before in ((told.market, ""), (told.twin, "null twin: "))
        if one is not None
        for fit in _fits(told.study, one, before)
    )
    return Batch(uuid.uuid4().hex, (parent, *fits))


def _tags(folder: Path, told: Told, user: str) -> dict[str, str]:
    """What a run and its fits are found by."""
    git, result = told.facts.git, told.result
    tags = {
        "touchstone.study": told.study.config.name,
        "touchstone.study_fingerprint": result.fingerprint,
        "touchstone.run": folder.name,
        "touchstone.run_fingerprint": folder.name.rpartition("-")[2],
        "touchstone.data": told.about["data"],
        "touchstone.git": git,
        "touchstone.source": told.study.source,
        "touchstone.verdict": result.market.verdict.word,
        "mlflow.user": user,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": told.facts.command,
    }
    return tags if git == "none" else tags | {"mlflow.source.git.commit": git}


def _params(told: Told) -> dict[str, str]:
    """The study as parsed, what computed it, and on what."""
    return {
        **flat(told.result.config),
        **{f"version.{k}": v for k, v in told.facts.versions.items()},
        **{f"host.{k}": v for k, v in hardware().items()},
    }


def _measures(told: Told) -> dict[str, float]:
    """Figures of the run: its market's under their own names, the null twin's under its."""
    found = dict(of_market(told.result.market))
    if told.result.null_twin is not None:
        found |= {f"null_twin/{k}": v for k, v in of_market(told.result.null_twin)}
    for stage, seconds in told.facts.stages:
        found[f"seconds/{stage}"] = found.get(f"seconds/{stage}", 0.0) + seconds
    return found


class _Fit(NamedTuple):
    """One fit and where it stands."""

    market: str
    """Title of the market."""
    before: str
    """Stands before the fit's name where the market is not the study's own."""
    model: Any
    name: str
    fold: str
    learned: Learned


def _fits(study: Study, market: Market, before: str) -> Iterator[_Fit]:
    """Every fit of a market, the refit before its sealed rows last."""
    title, models = market.result.title, study.config.models
    for model, name, fits in zip(models, model_names(study.config), market.learned, strict=True):
        for i, learned in enumerate(fits):
            yield _Fit(title, before, model, name, f"fold {i + 1}", learned)
    winner = market.comparison.winner
    if market.looked is not None and winner is not None:
        place = winner.place
        name = model_names(study.config)[place]
        yield _Fit(title, before, models[place], name, "final", market.looked.sealed.learned)


def _fit(parent: TrackedRun, shared: Mapping[str, str], study: Study, fit: _Fit) -> TrackedRun:
    learned = fit.learned
    once = {
        "best_epoch": float(learned.best_epoch),
        "rows_used": float(learned.rows_used),
        "rows_available": float(learned.rows_available),
        "seconds": learned.seconds,
    }
    steps = [(k, v, at) for at, told in learned.history for k, v in told.items()]
    return TrackedRun(
        key=uuid.uuid4().hex,
        parent=parent.key,
        group=parent.group,
        name=f"{fit.before}{fit.name} {fit.fold}",
        # A fit from the cache was made earlier: its length is right, its hour is the run's.
        started_ms=parent.ended_ms - round(1000 * learned.seconds),
        ended_ms=parent.ended_ms,
        tags={**shared, "touchstone.kind": "fit"},
        params={
            "market": fit.market,
            "fold": fit.fold,
            **flat({"model": fit.model.model_dump(mode="json")}),
            **flat({"training": study.config.training.model_dump(mode="json")}),
        },
        metrics=(*figures(once), *figures(steps)),
    )


def _milliseconds(at: datetime) -> int:
    return round(1000 * at.timestamp())


def _short(workspace: Workspace, place: Place) -> str:
    """The place, relative where it lies in the workspace."""
    own = place.database == workspace.tracking.absolute()
    return str(workspace.tracking) if own else str(place.database or place.name)
