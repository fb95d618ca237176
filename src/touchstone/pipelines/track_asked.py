"""A campaign, a search, an ensemble as a tracking server is told it: what is the same of each."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

from touchstone.pipelines.asked import About, Asked
from touchstone.pipelines.run import who
from touchstone.pipelines.track_records import milliseconds
from touchstone.pipelines.workspace import hardware
from touchstone.registry.tracking import TrackedRun, files_of
from touchstone.reports.settings import flat

_TOLD = (".html", ".json", ".yaml")


def asked_run(
    folder: Path, asked: Asked, about: About, kind: str, data: str, pattern: str = "*"
) -> TrackedRun:
    """The run that all fits or trials of one piece of work stand below, without its measures.

    Args:
        folder: the work's.
        asked: what was asked.
        about: facts of run.json.
        kind: of the work.
        data: hash of the bars.
        pattern: finds the files that are told, of those with a page, a result or a study.
    """
    ended = milliseconds(datetime.now(UTC))  # noqa: TID251  the edge's clock
    began = milliseconds(datetime.fromisoformat(str(about["started"])))
    return TrackedRun(
        key=uuid.uuid4().hex,
        group=asked.config.name,
        name=folder.name,
        started_ms=min(began, ended),
        ended_ms=ended,
        tags={
            "touchstone.kind": kind,
            "touchstone.study": asked.study.config.name,
            f"touchstone.{kind}": folder.name,
            "touchstone.data": data,
            "touchstone.source": asked.study.source,
            "mlflow.user": who(),
            "mlflow.source.type": "LOCAL",
            "mlflow.source.name": str(about["command"]),
        },
        params=flat(json.loads(asked.config.told))
        | {f"version.{k}": v for k, v in about["versions"].items()}
        | {f"host.{k}": v for k, v in hardware().items()},
        files=files_of(
            folder, (p for p in folder.glob(pattern) if p.is_file() and p.suffix in _TOLD)
        ),
    )
