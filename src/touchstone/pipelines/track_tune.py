"""A finished search and its trials as a tracking server is told them."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from touchstone.pipelines.asked import About
from touchstone.pipelines.track_asked import asked_run
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.tune_config import Tune
from touchstone.registry.tracking import Batch, TrackedRun
from touchstone.reports.settings import flat
from touchstone.reports.tune import SearchFound, TrialFound, TuneResult


def tune_batch(folder: Path, asked: Tune, result: TuneResult, about: About) -> Batch:
    """A search, and below it every trial with its settings, its values and what it was on the way.

    Args:
        folder: the search's.
        asked: what was searched.
        result: what was found.
        about: facts of run.json: command, versions, started.
    """
    run = asked_run(folder, asked, about, "tune", str(result.data.get("hash", "")), "**/*")
    tags = {**run.tags, "touchstone.method": result.method}
    parent = run.model_copy(update={"tags": tags, "metrics": figures(_measures(result))})
    return Batch(uuid.uuid4().hex, (parent, *_trials(result, parent, run.tags)))


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
