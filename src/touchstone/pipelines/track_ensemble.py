"""A finished ensemble and its members' fits as a tracking server is told them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from touchstone.pipelines.ensemble_config import Ensembles
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.run import who
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.track_records import Fit, milliseconds, tracked_fit
from touchstone.pipelines.workspace import hardware
from touchstone.registry.tracking import Batch, TrackedRun, files_of
from touchstone.reports.ensemble import EnsembleResult
from touchstone.reports.settings import flat

_TOLD = ("validation_pr_auc", "validation_sharpe", "pr_auc", "log_loss", "roc_auc", "sharpe",
         "net_return", "max_drawdown")  # fmt: skip


def ensemble_batch(
    folder: Path, asked: Ensembles, learned: Sequence[Sequence[Learned]], result: EnsembleResult,
    about: Mapping[str, Any],
) -> Batch:  # fmt: skip
    """An ensemble, and below it every fit of every member with its curves."""
    ended = milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
    tags = {
        "touchstone.study": asked.study.config.name,
        "touchstone.ensemble": folder.name,
        "touchstone.data": result.data,
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
        tags=tags
        | {"touchstone.kind": "ensemble", "touchstone.best_member": result.best,
           "touchstone.better": ", ".join(result.better) or "none"},
        params=flat(asked.config.model_dump(mode="json", serialize_as_any=True))
        | {f"version.{k}": v for k, v in about["versions"].items()}
        | {f"host.{k}": v for k, v in hardware().items()},
        metrics=figures(_measures(result)),
        files=files_of(folder, [*folder.glob("*.html"), *folder.glob("*.json"),
                                *folder.glob("*.yaml")]),
    )  # fmt: skip
    return Batch(uuid.uuid4().hex, (parent, *_fits(asked, learned, parent, tags)))


def _fits(
    asked: Ensembles, learned: Sequence[Sequence[Learned]], parent: TrackedRun,
    tags: Mapping[str, str],
) -> Iterator[TrackedRun]:  # fmt: skip
    for named, fits in zip(asked.members, learned, strict=True):
        for i, one in enumerate(fits, start=1):
            market = asked.study.config.name
            fit = Fit(market, "", named.member.model, named.name, f"fold {i}", one)
            yield tracked_fit(parent, tags, asked.study, fit)


def _measures(result: EnsembleResult) -> dict[str, float]:
    found = dict[str, float | None]()
    for row in (*result.members, *(e.figures for e in result.ensembles)):
        found |= {f"{row.name}/{k}": getattr(row, k) for k in _TOLD}
    for one in result.ensembles:
        found[f"{one.figures.name}/difference"] = one.versus.difference
        found[f"{one.figures.name}/adjusted_p"] = one.versus.adjusted
    if result.student is not None:
        found["student/kept"] = result.student.kept
    return {k: v for k, v in found.items() if v is not None}
