"""The JSON half of a checkpoint: its name, which fit it is of, and how far that was."""

import json
from collections.abc import Mapping
from typing import Any, Final

from touchstone.errors import TrainingError
from touchstone.training.job import Epoch, Job, State

FACTS: Final = "checkpoint.json"


def watched(job: Job, metrics: Mapping[str, float]) -> tuple[str, float]:
    """Name and value of what the schedule, the choice of the epoch and its checkpoint go by."""
    if job.validate is None:
        return "loss", metrics["train_loss"]
    metric = job.recipe.metric
    if f"validate_{metric}" in metrics:
        return metric, metrics[f"validate_{metric}"]
    # Only with `epochs` fixed may validation rows be of one kind, and then nothing is chosen.
    return "loss", metrics["validate_loss"]


def watched_name(job: Job) -> str:
    """What the choice of the epoch is made by: of a fit that chooses none, all the same."""
    return "loss" if job.validate is None else job.recipe.metric


def checkpoint_name(job: Job, epoch: Epoch) -> str:
    """Names an epoch's checkpoint, without an ending: epoch0012_gru_pr_auc_0.23451.

    Epoch, kind of model and metric; names of one fit sort by epoch.
    """
    metric, value = watched(job, epoch.metrics)
    return f"epoch{epoch.index:04d}_{getattr(job.model, 'kind', '?')}_{metric}_{value:.5f}"


def facts(job: Job, epoch: int, metrics: Mapping[str, float], **more: object) -> dict[str, bytes]:
    """The file that says what a checkpoint is: its kind, epoch and metric name the folder."""
    content = {
        "kind": getattr(job.model, "kind", "?"),
        "epoch": epoch,
        "metric": job.recipe.metric,
        "metrics": dict(metrics),
        **identity(job),
        **more,
    }
    return {FACTS: json.dumps(content).encode()}


def read_facts(job: Job, state: State) -> dict[str, Any]:
    """The content of that file.

    Raises:
        TrainingError: it is missing or unreadable, or of another fit than `job`.
    """
    try:
        content: dict[str, Any] = json.loads(state[FACTS])
        found = {name: content[name] for name in identity(job)}
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(f"{FACTS} of the checkpoint cannot be read: {error!r}") from None
    for name, value in identity(job).items():
        if found[name] != value:
            raise TrainingError(
                f"the checkpoint is of another fit: its {name} is {found[name]!r}, this one's "
                f"{value!r}; start without it"
            )
    return content


def identity(job: Job) -> dict[str, object]:
    """What a checkpoint must be of for a job to go on from it."""
    return {
        "fit": job.fingerprint,
        "seed": job.seed,
        "data": job.data,
        "n_rows": int(job.train.rows.size),
        "epochs": job.epochs,
        "phases": [int(phase.train.rows.size) for phase in job.phases],
        "round_trip": job.round_trip,
    }
