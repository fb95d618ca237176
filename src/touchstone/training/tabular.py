"""Fits kinds that take one row per sample: they bring their own steps, this looks and stops."""

from collections.abc import Generator, Mapping
from functools import partial
from typing import Final, cast

import numpy as np

from touchstone.dataset.samples import Samples
from touchstone.models import MODELS, Fitted, Progress, Table, Tabular, head_of
from touchstone.seeding import derive
from touchstone.training.checkpoint import facts, read_facts
from touchstone.training.job import Epoch, Fit, Job, periodic
from touchstone.training.progress import Truth, Watch, measured, surprise
from touchstone.training.refusals import finite_table, needs_an_end

_PROBE: Final = 50_000
"""Most train rows, evenly spaced, that train metrics are computed on: on a million rows they
would take longer than the trees."""


def looks(job: Job) -> Generator[Epoch, None, Fit]:
    """Fit on all rows, weighted; one `Epoch` per look.

    A checkpoint of such a fit holds no half-grown trees: the fit is deterministic and quick, so a
    resumed one starts again, and yields only what comes after the checkpoint.
    """
    part = cast("Tabular", MODELS.part_of(job.model))
    train, validate = _table("train", job.train), None
    if job.validate is not None:
        validate = _table("validation", job.validate)
    seed = derive(job.seed, "fit", str(getattr(job.model, "kind", "")))
    growth = part.grow(job.model, job.shape, train, validate, seed, job.epochs)
    watch, history, chosen = Watch(job.recipe.metric), [], None
    done = 0 if job.resume is None else int(read_facts(job, job.resume)["epoch"])
    for look in growth:
        if look.step > 0:
            needs_an_end(job)
        metrics = _metrics(job, look, train, validate)
        best = _is_best(job, look, watch, metrics)
        chosen = look if best or chosen is None else chosen
        state = partial(_checkpoint, job, look, metrics)
        epoch = Epoch(look.step, metrics, best, state, periodic=periodic(job.recipe, look.step))
        if look.step > done or look.step == 0:
            history.append(epoch._replace(state=dict))
            yield epoch
        if job.epochs is None and watch.waited >= job.recipe.patience:
            break
    assert chosen is not None, "a fit shows itself at least once"
    fitted: Fitted = chosen.fitted()
    n_rows = job.train.rows.size
    return Fit(fitted, fitted.best_epoch, tuple(history), n_rows, n_rows)


def _table(name: str, samples: Samples) -> Table:
    inputs = samples.windows.tabular(samples.rows)
    finite_table(name, inputs, samples.rows)
    weight = samples.weight.astype(np.float64)
    return Table(inputs, samples.outcome, weight / weight.mean())


def _is_best(job: Job, look: Progress, watch: Watch, metrics: Mapping[str, float]) -> bool:
    """With `epochs` fixed the last look counts; otherwise what validation says, if anything."""
    if job.epochs is not None or job.validate is None:
        return look.step in (0, job.epochs)
    return watch.see(look.step, metrics[f"validate_{job.recipe.metric}"])


def _metrics(job: Job, look: Progress, train: Table, validate: Table | None) -> dict[str, float]:
    step = -(-len(train.outcome) // _PROBE)
    probe = slice(None, None, step)
    said, head = look.train()[probe], head_of(job.model)
    loss = surprise(said, head, train.outcome[probe], train.weight[probe])
    truth = Truth(train.outcome[probe], job.train.realised[probe], job.round_trip)
    metrics = measured("train", said, truth, loss)
    found = look.validate()
    if found is not None and validate is not None and job.validate is not None:
        loss = surprise(found, head, validate.outcome, validate.weight)
        truth = Truth(validate.outcome, job.validate.realised, job.round_trip)
        metrics |= measured("validate", found, truth, loss)
    return metrics


def _checkpoint(job: Job, look: Progress, metrics: Mapping[str, float]) -> dict[str, bytes]:
    return {**facts(job, look.step, metrics), **look.fitted().files()}
