"""Fits that cannot come to anything, refused before they cost time, with the way out."""

from collections.abc import Collection

import numpy as np

from touchstone.arrays import Floats, Int64
from touchstone.config import Config
from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.errors import TrainingError
from touchstone.models import head_of, members_of
from touchstone.training.job import Job, TrainingConfig
from touchstone.training.losses import wants

_CHUNK = 4096
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "std::bad_alloc")


def check(job: Job) -> None:
    """Look at the rows of a job.

    Raises:
        TrainingError: an ensemble, no rows, no +1 among them, only +1, weights that are not
            positive, or validation rows of one kind where they have to choose the epoch.
    """
    if members_of(job.model):
        raise TrainingError(
            "an ensemble is fitted to what its members say, and not to samples: fit its members, "
            "or run a study that has it among its models"
        )
    for name, samples in (("train", job.train), ("validation", job.validate)):
        if samples is not None:
            _weights(name, samples)
    _both_kinds("train", job.train)
    if job.validate is not None and job.epochs is None:
        _both_kinds("validation", job.validate)
    if job.n_assets < 1:
        raise TrainingError(f"n_assets={job.n_assets}: a market has an instrument at least")


def needs_an_end(job: Job) -> None:
    """A fit that goes in epochs has to know when to stop.

    Raises:
        TrainingError: neither validation rows nor a fixed number, or a number below 1.
    """
    if job.epochs is None and job.validate is None:
        raise TrainingError(
            "no validation rows to choose the epoch by: give a fold a validation range, or fix the "
            "number of epochs"
        )
    if job.epochs is not None and job.epochs < 1:
        raise TrainingError(f"epochs fixed at {job.epochs}: at least 1 is needed")


def phases_agree(job: Job) -> None:
    """A curriculum needs samples of its own labels, and a fixed number of epochs more than its.

    Raises:
        TrainingError: phases that are not the recipe's, rows that `check` would refuse, or too
            few epochs.
    """
    asked = tuple(phase.epochs for phase in job.recipe.curriculum)
    given = tuple(phase.epochs for phase in job.phases)
    if asked != given:
        raise TrainingError(
            f"the curriculum has phases of {asked} epochs, the job samples for {given}: give every "
            "phase the samples of its own label"
        )
    for number, phase in enumerate(job.phases, 1):
        try:
            _weights("train", phase.train)
            _both_kinds("train", phase.train)
        except TrainingError as error:
            raise TrainingError(f"phase {number} of the curriculum: {error}") from None
    if job.epochs is not None and job.epochs <= sum(asked):
        raise TrainingError(
            f"epochs fixed at {job.epochs}, and the curriculum alone takes {sum(asked)}: fix more, "
            "or shorten its phases"
        )


def answers_there(model: Config, recipe: TrainingConfig, there: Collection[str]) -> None:
    """A head of several tasks needs its loss, a loss what it wants beside the outcome.

    Args:
        model: config of a network.
        recipe: of its fit.
        there: what train rows have beside the outcome, names of `Beside`.

    Raises:
        TrainingError: one of them is missing.
    """
    head, wanted, kind = head_of(model), wants(recipe.loss), getattr(recipe.loss, "kind", "?")
    if head == "multi_task" and "tasks" not in wanted:
        raise TrainingError(
            f"head multi_task learns its tasks by the loss multi_task, the loss is {kind}: set "
            f"training.loss to {{kind: multi_task, base: {kind}}}, or head: barrier"
        )
    if head == "multi_task" and "tasks" not in there:
        raise TrainingError(
            "head multi_task has no targets beside the outcome: give Samples.tasks, made by "
            "labels.tasks, or head: barrier"
        )
    if "teacher" in wanted and "teacher" not in there:
        raise TrainingError(
            f"loss {kind} needs a teacher's scores of the train rows: give Samples.teacher, or "
            "another loss; a study by itself has no teacher"
        )


def finite_windows(name: str, windows: Windows, rows: Int64) -> None:
    """Look for values that are not finite in the windows of these rows.

    Raises:
        TrainingError: there is one; names the row and the feature's number.
    """
    size = (min(_CHUNK, rows.size), windows.lookback, windows.features.shape[1])
    buffer = np.empty(size, np.float32)
    for start in range(0, rows.size, _CHUNK):
        part = rows[start : start + _CHUNK]
        _finite(name, windows.gather(part, out=buffer), part)


def finite_table(name: str, inputs: Floats, rows: Int64) -> None:
    """The same for tabular rows."""
    _finite(name, inputs, rows)


def diverged(epoch: int, job: Job) -> TrainingError:
    """The error of a fit whose loss is not a number any more."""
    return TrainingError(f"the loss is not finite in epoch {epoch}: {_calmer(job)}")


def exploded(epoch: int, job: Job) -> TrainingError:
    """The error of a fit with a step that had no finite gradient."""
    return TrainingError(f"a gradient is not finite in epoch {epoch}: {_calmer(job)}")


def out_of_memory(error: BaseException) -> bool:
    """Whether this is how numpy, torch on a CPU or torch on a GPU say that memory is out."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY)


def no_memory(job: Job) -> TrainingError:
    """The error of a fit that asked for more memory than there is."""
    recipe, kind = job.recipe, getattr(job.model, "kind", "?")
    rows = "all" if recipe.rows is None else f"{recipe.rows:,}"
    return TrainingError(
        f"memory ran out while {kind!r} was fitted: lower batch (now {recipe.batch}), rows (now "
        f"{rows}) or the size of the model, run fewer fits at once, or, on a GPU, set device: cpu"
    )


def _calmer(job: Job) -> str:
    recipe = job.recipe
    half = "use precision: bf16, " if recipe.precision == "fp16" else ""
    return (
        f"{half}lower learning_rate (now {recipe.learning_rate:g}) or clip (now {recipe.clip:g}); "
        "if both are small already, a feature has values beyond any scale: look at the features' "
        "report"
    )


def _weights(name: str, samples: Samples) -> None:
    if not samples.rows.size:
        raise TrainingError(
            f"no {name} rows: lengthen the fold's {name} range, shorten the lookback or the "
            "label's horizon, or add instruments"
        )
    weight = samples.weight
    if not weight.any():
        raise TrainingError(
            f"all {weight.size} weights of {name} rows are 0, so nothing would be learned: look at "
            "what weighs the rows (weights), or leave the weights out"
        )
    if not (np.isfinite(weight) & (weight > 0)).all():
        bad = int((~(np.isfinite(weight) & (weight > 0))).sum())
        raise TrainingError(
            f"{bad} of {weight.size} weights of {name} rows are not finite and positive: leave "
            "rows out that should not count"
        )


def _both_kinds(name: str, samples: Samples) -> None:
    hits = int((samples.outcome == 1).sum())
    if hits == 0:
        raise TrainingError(
            f"none of the {samples.rows.size} {name} rows has outcome +1, so nothing can be "
            "learned about it: lower the label's take_profit, lengthen its horizon, scale the "
            f"barriers by volatility (width), or lengthen the fold's {name} range"
        )
    if hits == samples.rows.size:
        raise TrainingError(
            f"all {hits} {name} rows have outcome +1: raise the label's take_profit, shorten its "
            f"horizon, or lengthen the fold's {name} range"
        )


def _finite(name: str, inputs: Floats, rows: Int64) -> None:
    if np.isfinite(inputs).all():
        return
    at = np.argwhere(~np.isfinite(inputs))[0]
    raise TrainingError(
        f"{name} row {rows[at[0]]} (of the panel) has the value {inputs[tuple(at)]} in feature "
        f"number {at[-1]}: only rows whose window is complete can be fitted"
    )
