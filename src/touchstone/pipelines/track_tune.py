"""A finished search and its trials as a tracking server is told them."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from touchstone.pipelines.run import who
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.track_records import milliseconds
from touchstone.pipelines.tune_config import Tune
from touchstone.pipelines.workspace import hardware
from touchstone.registry.tracking import Batch, TrackedRun, files_of
from touchstone.reports.settings import flat
from touchstone.reports.tune import SearchFound, TrialFound, TuneResult


def tune_batch(
    folder: Path, asked: Tune, result: TuneResult, about: Mapping[str, Any]
) -> Batch:  # fmt: skip
    """A search, and below it every trial with its settings, its values and what it was on the way.

    Args:
        folder: the search's.
        asked: what was searched.
        result: what was found.
        about: facts of run.json: command, versions, started.
    """
    ended = milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
    tags = {
        "touchstone.study": asked.study.config.name,
        "touchstone.tune": folder.name,
        "touchstone.data": str(result.data.get("hash", "")),
        "touchstone.source": asked.study.source,
        "mlflow.user": who(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": str(about["command"]),
    }
    parent = TrackedRun(
        key=uuid.uuid4().hex,
        group=asked.config.name,
        name=folder.name,
        started_ms=min(milliseconds(datetime.fromisoformat(str(about["started"]))), ended),
        ended_ms=ended,
        tags=tags | {"touchstone.kind": "tune", "touchstone.method": result.method},
        params=flat(asked.config.model_copy(update={"storage": None}).model_dump(
            mode="json", serialize_as_any=True))
        | {f"version.{k}": v for k, v in about["versions"].items()}
        | {f"host.{k}": v for k, v in hardware().items()},
        metrics=figures(_measures(result)),
        files=files_of(folder, sorted(p for p in folder.rglob("*")
                                      if p.is_file() and p.suffix in (".html", ".json", ".yaml"))),
    )  # fmt: skip
    return Batch(uuid.uuid4().hex, (parent, *_trials(result, parent, tags)))


def _measures(result: TuneResult) -> dict[str, float]:
    """What each architecture came to, and what matters in it."""
    found = dict[str, float]()
    for search in result.searches:
        best = {t.number: t for t in search.trials}.get(search.best[0]) if search.best else None
        values = best.values if best is not None else ()
        told = dict(zip(result.objectives, values, strict=False))
        found |= {f"{search.name}/{k}": v for k, v in told.items() if v is not None}
        for version in search.winner.versions if search.winner is not None else ():
            if version.mean is not None:
                found[f"{search.name}/{version.name.replace(', ', ' ')}"] = version.mean
        shares = search.importance or {}
        found |= {f"{search.name}/importance/{k}": v for k, v in shares.items() if v is not None}
    return found | {"n_candidates": float(result.n_candidates)}


def _trials(
    result: TuneResult, parent: TrackedRun, tags: Mapping[str, str]
) -> Iterator[TrackedRun]:  # fmt: skip
    for search in result.searches:
        for trial in search.trials:
            yield _trial(result, parent, tags, (search, trial))


def _trial(
    result: TuneResult, parent: TrackedRun, tags: Mapping[str, str],
    which: tuple[SearchFound, TrialFound],
) -> TrackedRun:  # fmt: skip
    search, trial = which
    once = dict(zip(result.objectives, trial.values, strict=False))
    once |= {f"constraint/{name}": v for name, v in trial.constraints.items()}
    steps = [(f"{result.objectives[0]}_so_far", s.value, s.step) for s in trial.steps]
    own = {"touchstone.kind": "trial", "touchstone.state": trial.state}
    if trial.reason:
        own["touchstone.reason"] = trial.reason
    if search.winner is not None and search.winner.number == trial.number:
        own["touchstone.winner"] = search.winner.kept
    return TrackedRun(
        key=uuid.uuid4().hex,
        parent=parent.key,
        group=parent.group,
        name=f"{search.name} trial {trial.number}",
        started_ms=parent.started_ms,
        ended_ms=parent.ended_ms,
        tags={**tags, **own},
        params={"architecture": search.name, "trial": str(trial.number), **flat(trial.params)},
        metrics=(*figures({k: v for k, v in once.items() if v is not None}), *figures(steps)),
    )
