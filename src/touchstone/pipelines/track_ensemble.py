"""A finished ensemble and its members' fits as a tracking server is told them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from touchstone.pipelines.asked import About
from touchstone.pipelines.ensemble_config import Ensembles
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.track_asked import asked_run
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.track_records import Fit, tracked_fit
from touchstone.registry.tracking import Batch, TrackedRun
from touchstone.reports.ensemble import EnsembleResult

_TOLD = ("validation_pr_auc", "validation_sharpe", "pr_auc", "log_loss", "roc_auc", "sharpe",
         "net_return", "max_drawdown")  # fmt: skip


def ensemble_batch(
    folder: Path, asked: Ensembles, learned: Sequence[Sequence[Learned]], result: EnsembleResult,
    about: About,
) -> Batch:  # fmt: skip
    """An ensemble, and below it every fit of every member with its curves."""
    run = asked_run(folder, asked, about, "ensemble", result.data)
    tags = {
        **run.tags,
        "touchstone.best_member": result.best,
        "touchstone.better": ", ".join(result.better) or "none",
    }
    parent = run.model_copy(update={"tags": tags, "metrics": figures(_measures(result))})
    return Batch(uuid.uuid4().hex, (parent, *_fits(asked, learned, parent, run.tags)))


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
