"""A finished campaign and its fits as a tracking server is told them."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from touchstone.pipelines.asked import About
from touchstone.pipelines.campaign_board import Raced
from touchstone.pipelines.campaign_config import Campaign
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.track_asked import asked_run
from touchstone.pipelines.track_figures import figures
from touchstone.pipelines.track_records import Fit, tracked_fit
from touchstone.registry.tracking import Batch, TrackedRun
from touchstone.reports.campaign import Architecture, CampaignResult, Spread


def campaign_batch(
    folder: Path, asked: Campaign, raced: Raced, result: CampaignResult, about: About
) -> Batch:
    """A campaign, and below it every fit of every seed with its curves."""
    run = asked_run(folder, asked, about, "campaign", result.data)
    rows = {row.name: row for row in result.architectures}
    measures = {f"{n}/{k}": v for n, row in rows.items() for k, v in _measures(row).items()}
    tags = {**run.tags, "touchstone.leader": result.leader.name}
    parent = run.model_copy(update={"tags": tags, "metrics": figures(measures)})
    fits = tuple(_fits(asked, raced, result, parent, run.tags))
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
