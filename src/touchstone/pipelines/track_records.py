"""A finished run and its fits as a tracking server is told them; put into the run's queue."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from touchstone.pipelines.decide import model_names
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.market import Market
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.study import Study
from touchstone.pipelines.track_figures import figures, of_market
from touchstone.pipelines.workspace import hardware
from touchstone.registry.tracking import Batch, Queue, TrackedRun, files_of
from touchstone.reports.result import StudyResult
from touchstone.reports.settings import flat
from touchstone.reports.study import RunFacts

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


def enqueue(folder: Path, told: Callable[[], Batch], progress: Progress) -> None:
    """Put a run and its fits into the queue beside it; a failure is a note."""
    try:
        Queue(folder).put(told())
    except Exception as error:  # noqa: BLE001  the run is finished and stays so
        progress.note(f"tracking: this run is not tracked: {type(error).__name__}: {error}")


def batch(folder: Path, told: Told, user: str) -> Batch:
    """A run and its fits as MLflow is to keep them."""
    began = datetime.fromisoformat(told.facts.started)
    ended = milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
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
        started_ms=min(milliseconds(began), ended),
        ended_ms=ended,
        tags=shared | own,
        params=_params(told),
        metrics=figures(_measures(told)),
        files=files_of(folder, [p for p in paths if p.is_file()]),
    )
    fits = tuple(
        tracked_fit(parent, shared, told.study, fit)
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


class Fit(NamedTuple):
    """One fit and where it stands."""

    market: str
    """Title of the market."""
    before: str
    """Stands before the fit's name where the market is not the study's own."""
    model: Any
    name: str
    fold: str
    learned: Learned


def _fits(study: Study, market: Market, before: str) -> Iterator[Fit]:
    """Every fit of a market, the refit before its sealed rows last."""
    title, models = market.result.title, study.config.models
    for model, name, fits in zip(models, model_names(study.config), market.learned, strict=True):
        for i, learned in enumerate(fits):
            yield Fit(title, before, model, name, f"fold {i + 1}", learned)
    winner = market.comparison.winner
    if market.looked is not None and winner is not None:
        place = winner.place
        name = model_names(study.config)[place]
        yield Fit(title, before, models[place], name, "final", market.looked.sealed.learned)


def tracked_fit(
    parent: TrackedRun, shared: Mapping[str, str], study: Study, fit: Fit
) -> TrackedRun:
    """One fit below its run, with its curves."""
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


def milliseconds(at: datetime) -> int:
    """An instant as tracking servers count it."""
    return round(1000 * at.timestamp())
