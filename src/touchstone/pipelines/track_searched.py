"""A finished architecture search, and one by populations, as a tracking server is told them."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from touchstone.pipelines.run import who
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.track_records import milliseconds
from touchstone.pipelines.tune_config import Tune
from touchstone.pipelines.workspace import hardware
from touchstone.registry.tracking import Batch, TrackedRun, files_of
from touchstone.reports.architecture import ArchitectureResult, CellFound, SearchTold, wiring
from touchstone.reports.population import Life, PopulationFound, PopulationResult
from touchstone.reports.settings import flat


def architecture_batch(
    folder: Path, asked: Tune, result: ArchitectureResult, about: Mapping[str, Any]
) -> Batch:  # fmt: skip
    """An architecture search: below it every search, epoch by epoch, and every cell.

    Args:
        folder: the search's.
        asked: what was searched.
        result: what was found.
        about: facts of run.json: command, versions, started.
    """
    run = _run(folder, asked, result.data, about)
    own = {"method": "darts", "verdict": result.verdict, "winner": result.winner}
    told = {f"{one.rows}/{k}": getattr(one, k) for one in result.compared
            for k in ("found", "random", "difference")}  # fmt: skip
    told |= {f"{one.rows}/{k}": v for one in result.compared
             for k, v in zip(("low", "high"), one.interval or (), strict=False)}  # fmt: skip
    parent = _with(run, own, _known(told) | {"n_candidates": float(result.n_candidates)})
    searches = (_below(run, f"search {s.number}", "search", _search(s)) for s in result.searches)
    cells = (_below(run, cell.name, "cell", _cell(cell)) for cell in result.cells)
    return Batch(uuid.uuid4().hex, (parent, *searches, *cells))


def population_batch(
    folder: Path, asked: Tune, result: PopulationResult, about: Mapping[str, Any]
) -> Batch:  # fmt: skip
    """A search by populations: below it every member, generation by generation.

    Args:
        folder: the search's.
        asked: what was searched.
        result: what was found.
        about: facts of run.json: command, versions, started.
    """
    run = _run(folder, asked, str(result.data.get("hash", "")), about)
    told = {k: v for one in result.populations for k, v in _measures(one, result.objective)}
    parent = _with(run, {"method": "population"}, _known(told))
    members = (
        _below(run, name, "member", _member(lives, result.objective))
        for one in result.populations
        for title, every in ((one.name, one.lives), (f"{one.name} alone", one.alone))
        for name, lives in _each(title, every, result.members)
    )
    return Batch(uuid.uuid4().hex, (parent, *members))


def _run(folder: Path, asked: Tune, data: str, about: Mapping[str, Any]) -> TrackedRun:
    """The run that all others stand below, without its measures."""
    ended = milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".html", ".json", ".yaml"))
    return TrackedRun(
        key=uuid.uuid4().hex,
        group=asked.config.name,
        name=folder.name,
        started_ms=min(milliseconds(datetime.fromisoformat(str(about["started"]))), ended),
        ended_ms=ended,
        tags={
            "touchstone.kind": "tune",
            "touchstone.study": asked.study.config.name,
            "touchstone.tune": folder.name,
            "touchstone.data": data,
            "touchstone.source": asked.study.source,
            "mlflow.user": who(),
            "mlflow.source.type": "LOCAL",
            "mlflow.source.name": str(about["command"]),
        },
        params=flat(asked.config.model_dump(mode="json", serialize_as_any=True))
        | {f"version.{k}": v for k, v in about["versions"].items()}
        | {f"host.{k}": v for k, v in hardware().items()},
        files=files_of(folder, (p for p in files if p.is_file())),
    )


def _with(run: TrackedRun, own: Mapping[str, str], told: Mapping[str, float]) -> TrackedRun:
    tags = {**run.tags, **{f"touchstone.{k}": v for k, v in own.items()}}
    return run.model_copy(update={"tags": tags, "metrics": figures(told)})


def _below(
    run: TrackedRun, name: str, kind: str,
    said: tuple[Mapping[str, str], Iterable[tuple[str, float | None, int]]],
) -> TrackedRun:  # fmt: skip
    """`said`: parameters, and (metric, value, step)."""
    params, rows = said
    return TrackedRun(
        key=uuid.uuid4().hex,
        parent=run.key,
        group=run.group,
        name=name,
        started_ms=run.started_ms,
        ended_ms=run.ended_ms,
        tags={**run.tags, "touchstone.kind": kind},
        params=params,
        metrics=figures((k, v, at) for k, v, at in rows if v is not None),
    )


def _search(one: SearchTold) -> tuple[dict[str, str], list[tuple[str, float | None, int]]]:
    rows = list[tuple[str, float | None, int]]()
    for epoch in one.history:
        rows += [("train_loss", epoch.train_loss, epoch.index)]
        rows += [("held_loss", epoch.held_loss, epoch.index)]
        rows += [
            (f"share/{edge}/{name}", share, epoch.index)
            for edge, shares in epoch.shares.items()
            for name, share in shares.items()
        ]
    return {"seed": str(one.seed), "cell": one.cell}, rows


def _cell(one: CellFound) -> tuple[dict[str, str], list[tuple[str, float | None, int]]]:
    rows = [("validation_pr_auc", one.validation, 0), ("test_pr_auc", one.test, 0)]
    for rows_of, values in (("validation", one.validation_by_seed), ("test", one.test_by_seed)):
        rows += [(f"{rows_of}_pr_auc_by_seed", value, i) for i, value in enumerate(values)]
    return {"wiring": wiring(one.genotype), "parameters": str(one.parameters)}, rows


def _each(
    title: str, every: Sequence[Life], n: int
) -> Iterator[tuple[str, list[Life]]]:  # fmt: skip
    """Each member's name and its lives."""
    for member in range(n):
        yield f"{title} member {member}", [life for life in every if life.member == member]


def _member(
    lives: Sequence[Life], objective: str
) -> tuple[dict[str, str], list[tuple[str, float | None, int]]]:
    """A member's last settings; its value, its settings and whom it took over from, each time."""
    rows = list[tuple[str, float | None, int]]()
    for life in lives:
        rows.append((objective, life.value, life.generation))
        if life.source not in (None, life.member):
            rows.append(("copied_from", life.source, life.generation))
        rows += [
            (f"setting/{key}", value, life.generation)
            for key, value in life.settings.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
    return {"member": str(lives[0].member), **flat(lives[-1].settings)}, rows


def _measures(one: PopulationFound, objective: str) -> Iterator[tuple[str, float | None]]:
    yield f"{one.name}/{objective}", one.winner.value
    yield f"{one.name}/{objective}_fixed", one.fixed.value
    yield f"{one.name}/test_pr_auc", one.winner.test
    yield f"{one.name}/test_pr_auc_fixed", one.fixed.test
    yield f"{one.name}/test_difference", one.difference
    for name, end in zip(("low", "high"), one.interval or (), strict=False):
        yield f"{one.name}/test_difference_{name}", end
    for again in one.again:
        yield f"{one.name}/{objective}_anew_seed_{again.seed}", again.mean


def _known(told: Mapping[str, float | None]) -> dict[str, float]:
    return {k: v for k, v in told.items() if v is not None}
