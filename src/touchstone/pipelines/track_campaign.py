"""A finished campaign and its fits as a tracking server is told them."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from touchstone.pipelines.campaign_board import Raced
from touchstone.pipelines.campaign_config import Campaign
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.run import who
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.track_records import Fit, milliseconds, tracked_fit
from touchstone.pipelines.workspace import hardware
from touchstone.registry.tracking import Batch, TrackedRun, files_of
from touchstone.reports.campaign import Architecture, CampaignResult, Spread
from touchstone.reports.settings import flat


def campaign_batch(
    folder: Path, asked: Campaign, raced: Raced, result: CampaignResult, about: Mapping[str, Any]
) -> Batch:
    """A campaign, and below it every fit of every seed with its curves."""
    ended = milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
    tags = {
        "touchstone.study": asked.study.config.name,
        "touchstone.campaign": folder.name,
        "touchstone.data": result.data,
        "touchstone.source": asked.study.source,
        "mlflow.user": who(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": str(about["command"]),
    }
    rows = {row.name: row for row in result.architectures}
    measures = {f"{n}/{k}": v for n, row in rows.items() for k, v in _measures(row).items()}
    parent = TrackedRun(
        key=uuid.uuid4().hex,
        group=asked.config.name,
        name=folder.name,
        started_ms=min(milliseconds(datetime.fromisoformat(str(about["started"]))), ended),
        ended_ms=ended,
        tags=tags | {"touchstone.kind": "campaign", "touchstone.leader": result.leader.name},
        params=flat(asked.config.model_dump(mode="json", serialize_as_any=True))
        | {f"version.{k}": v for k, v in about["versions"].items()}
        | {f"host.{k}": v for k, v in hardware().items()},
        metrics=figures(measures),
        files=files_of(folder, [*folder.glob("*.html"), *folder.glob("*.json"),
                                *folder.glob("*.yaml")]),
    )  # fmt: skip
    fits = tuple(_fits(asked, raced, result, parent, tags))
    return Batch(uuid.uuid4().hex, (parent, *fits))


def _fits(
    asked: Campaign, raced: Raced, result: CampaignResult, parent: TrackedRun,
    tags: Mapping[str, str],
) -> Iterator[TrackedRun]:  # fmt: skip
    """Every seed, architecture and fold, with curves from its history and figures of its test."""
    config = asked.study.config
    tests = {(a.name, f.seed, f.fold): f.on_test for a in result.architectures for f in a.fits}
    for seed, of_seed in zip(asked.seeds, raced.learned, strict=True):
        for model, name, found in zip(config.models, model_names(config), of_seed, strict=True):
            for i, learned in enumerate(found, start=1):
                fit = Fit(config.name, f"seed {seed}: ", model, name, f"fold {i}", learned)
                run = tracked_fit(parent, tags, asked.study, fit)
                on_test = {f"test_{k}": v for k, v in tests[name, seed, i].items() if v is not None}
                more = {"params": {**run.params, "seed": str(seed)},
                        "metrics": (*run.metrics, *figures(on_test))}  # fmt: skip
                yield run.model_copy(update=more)


def _measures(row: Architecture) -> dict[str, float]:
    """The figures of an architecture: means over the seeds on pooled test rows."""
    spreads = [(k, getattr(row, k)) for k in Architecture.model_fields]
    found = {k: s.mean for k, s in spreads if isinstance(s, Spread)}
    sharpe = None if row.net is None else row.net.sharpe
    found |= {"validation": row.validation, "sharpe": sharpe}
    return {k: v for k, v in found.items() if v is not None}
