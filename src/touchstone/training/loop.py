"""THE loop: passes over windows, one optimiser step per batch. Networks only; imports torch.

All that is drawn in an epoch (its rows and their order, dropout) is seeded by (seed, epoch), and
the rate of a step is a function of (epoch, step), so that an epoch needs from the ones before only
the weights, the optimiser's moments, the schedule and the scale of fp16.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Final, NamedTuple, cast

import numpy as np
import torch

from touchstone.arrays import Float64, Int64
from touchstone.dataset.samples import Samples
from touchstone.errors import TrainingError
from touchstone.models import MODELS, head_of
from touchstone.models.layers.network import Network, finish, probabilities, threads
from touchstone.seeding import derive, generator
from touchstone.training.batches import Rows, batches, rows_on
from touchstone.training.budget import balanced_chance, redraw, spend
from touchstone.training.checkpoint import watched, watched_name
from touchstone.training.job import Epoch, Fit, Job, TrainingConfig, periodic
from touchstone.training.losses import LOSSES, Loss
from touchstone.training.progress import Schedule, Truth, Watch, classes, measured
from touchstone.training.refusals import (
    diverged,
    exploded,
    finite_windows,
    needs_an_end,
    phases_agree,
)
from touchstone.training.step import Steps, log_p, precision, steps
from touchstone.training.update import Update
from touchstone.training.weights import copied, pack, unpack

_FORWARD: Final = {"cpu": 1024, "cuda": 16_384}
"""Rows of a forward pass without gradients."""
_OPTIMISERS: Final[dict[str, type[torch.optim.Adam]]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
}


class Course(NamedTuple):
    """What a fit works with and changes from epoch to epoch."""

    network: Network
    optimiser: torch.optim.Adam
    update: Update
    watch: Watch
    schedule: Schedule


class Stage(NamedTuple):
    """A phase of the curriculum, or 0: the study's own label."""

    phase: int
    samples: Samples
    last: int
    """Its last epoch, counted from the start of the fit."""


class Ground(NamedTuple):
    """What the epochs of a stage go over."""

    train: Rows
    share: Float64 | None
    """Each train row's chance to be drawn; None: an epoch takes every row once."""
    steps: Steps
    validate: Rows | None


def passes(job: Job) -> Generator[Epoch, None, Fit]:
    """Fit a network; see `touchstone.training.fit`."""
    needs_an_end(job)
    phases_agree(job)
    course = _begin(job, _device(job.recipe))
    done, best = (0, {}) if job.resume is None else unpack(job, job.resume, course)
    history: list[Epoch] = []
    for stage, ground in _grounds(job, course, done):
        with closing(ground.steps):
            for index in range(done + 1, stage.last + 1):
                if job.epochs is None and course.watch.waited >= job.recipe.patience:
                    break
                metrics = _pass(job, index, course, ground)
                is_best = stage.phase == 0 and _judge(job, index, course, metrics)
                best = copied(course.network) if is_best else best
                state = partial(pack, job, index, metrics, course, best)
                keep = periodic(job.recipe, index)
                epoch = Epoch(index, metrics, is_best, state, stage.phase, keep)
                history.append(epoch._replace(state=dict))
                yield epoch
        done = max(done, stage.last)
    best_epoch = job.epochs or course.watch.best_epoch
    part = cast("type[Network]", MODELS.part_of(job.model))
    fitted = finish(part, job.model, job.shape, best, best_epoch)
    n_rows = job.train.rows.size
    return Fit(fitted, best_epoch, tuple(history), min(job.recipe.rows or n_rows, n_rows), n_rows)


def _grounds(job: Job, course: Course, done: int) -> Iterator[tuple[Stage, Ground]]:
    """The stages that are not over yet, one after the other; the first one's base rates said."""
    device, train, validate = next(course.network.parameters()).device, None, None
    ends = np.cumsum([0, *(phase.epochs for phase in job.phases)]).tolist()
    phases = [Stage(i + 1, p.train, ends[i + 1]) for i, p in enumerate(job.phases)]
    last = Stage(0, job.train, job.epochs or ends[-1] + job.recipe.epochs)
    for stage in (*(phase for phase in phases if phase.last > done), last):
        train, share = _train_rows(job, stage, device, train)
        if validate is None and job.validate is not None:
            validate = _rows("validation", _spent(job, job.validate, None), job, device, train)
        if done == 0 and stage is (*phases, last)[0]:
            _say_base_rates(job, course.network, train, share)
        of_stage = job._replace(train=stage.samples)
        learn = steps(of_stage, course.network, course.update, train)
        yield stage, Ground(train, share, learn, validate)


def _judge(job: Job, index: int, course: Course, metrics: dict[str, float]) -> bool:
    """Whether the weights of now are those to keep."""
    improved = course.watch.see(index, watched(job, metrics)[1])
    course.schedule.see(improved)
    return improved if job.epochs is None else index == job.epochs


def _pass(job: Job, index: int, course: Course, ground: Ground) -> dict[str, float]:
    """One epoch: learn from the train rows, then look at the validation rows."""
    seed = derive(job.seed, "epoch", index)
    truth = ground.train.truth
    devices = [truth.device] if truth.is_cuda else []
    with threads(job.recipe.threads), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        metrics = _learn(job, index, course, ground)
        if ground.validate is not None:
            metrics |= _look(job, index, course.network, ground.validate)
    return metrics


def _learn(job: Job, index: int, course: Course, ground: Ground) -> dict[str, float]:
    network, learn, train, schedule = course.network, ground.steps, ground.train, course.schedule
    order = _order(job, index, ground)
    n_steps = -(-order.size // job.recipe.batch)
    _set_rate(job, course, schedule.at(index))
    learn.total.zero_()
    course.update.begin()
    network.train()
    for step, (place, row) in enumerate(batches(train, order, job.recipe.batch)):
        if schedule.stepwise:
            _set_rate(job, course, schedule.at(index, step / n_steps))
        learn(place, row)
    mean_loss = float(learn.total) / len(train)
    if np.isfinite(mean_loss) and course.update.broken():
        raise exploded(index, job)
    if not np.isfinite(mean_loss) or not _sound(network, train.gather(row), train.asset_id[place]):
        raise diverged(index, job)
    seen = slice(None) if ground.share is None else np.unique(order)
    probability = probabilities(learn.said).cpu().numpy()[seen]
    return measured("train", probability, _truth(job, train, seen), mean_loss)


def _order(job: Job, index: int, ground: Ground) -> Int64:
    """Places of the train rows, as an epoch goes over them."""
    rng = generator(job.seed, "order", index)
    if ground.share is None:
        return rng.permutation(len(ground.train))
    return redraw(ground.share, rng)


def _set_rate(job: Job, course: Course, factor: float) -> None:
    rate = job.recipe.learning_rate * factor
    for group in course.optimiser.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)  # a recorded step reads it there
        else:
            group["lr"] = rate


def _truth(job: Job, rows: Rows, seen: slice | Int64) -> Truth:
    samples = rows.samples
    return Truth(samples.outcome[seen], samples.realised[seen], job.round_trip)


def _sound(network: Network, windows: torch.Tensor, asset_id: torch.Tensor) -> bool:
    """Whether the weights of now give finite logits: the last step's harm shows in no loss."""
    network.eval()
    with torch.inference_mode():
        return bool(network(windows, asset_id).isfinite().all())


def _look(job: Job, index: int, network: Network, rows: Rows) -> dict[str, float]:
    loss: Loss = LOSSES.part_of(job.recipe.loss)
    head, said = head_of(job.model), []
    network.eval()
    with torch.inference_mode():
        for place, row in batches(rows, None, _FORWARD[rows.truth.device.type]):
            with precision(job.recipe, rows.truth.device):
                said.append(network(rows.gather(row), rows.asset_id[place]).float())
        logits = torch.cat(said)
        row_loss = loss(log_p(logits, head), rows.truth, job.recipe.loss)
        mean = float((row_loss * rows.weight).mean())
        probability = probabilities(logits).cpu().numpy()
    if not np.isfinite(probability).all():
        raise diverged(index, job)
    return measured("validate", probability, _truth(job, rows, slice(None)), mean)


def _train_rows(
    job: Job, stage: Stage, device: torch.device, like: Rows | None
) -> tuple[Rows, Float64 | None]:
    """The rows of a stage's budget; for weighted sampling their chances, and all weigh the same."""
    taken = _spent(job, stage.samples, job.recipe.rows, *([stage.phase] if stage.phase else []))
    if job.recipe.sampling == "uniform":
        return _rows("train", taken, job, device, like), None
    weightless = taken._replace(weight=np.ones_like(taken.weight))
    rows = _rows("train", weightless, job, device, like)
    return rows, balanced_chance(taken.weight, classes(head_of(job.model), taken.outcome))


def _spent(job: Job, samples: Samples, n_rows: int | None, *phase: int) -> Samples:
    """The rows of a budget; the mean of all weights is 1."""
    place, weight = spend(samples.weight, n_rows, generator(job.seed, "rows", *phase))
    return samples.take(place)._replace(weight=weight)


def _rows(name: str, samples: Samples, job: Job, device: torch.device, like: Rows | None) -> Rows:
    """Rows on the device, their windows looked through once."""
    finite_windows(name, samples.windows, samples.rows)
    return rows_on(samples, head_of(job.model), device, like)


def _begin(job: Job, device: torch.device) -> Course:
    """A network with its first weights, and an optimiser that has seen nothing."""
    part, recipe = cast("type[Network]", MODELS.part_of(job.model)), job.recipe
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(job.seed, "weights"))
        network = part.built(job.model, job.shape)
    network.to(device)
    optimiser = _optimiser(network, recipe, device)
    update = Update(recipe, network, optimiser)
    n_epochs = sum(phase.epochs for phase in job.phases) + recipe.epochs
    return Course(
        network, optimiser, update, Watch(watched_name(job)), Schedule(recipe.schedule, n_epochs)
    )


def _say_base_rates(job: Job, network: Network, train: Rows, share: Float64 | None) -> None:
    """From zero biases the first epochs only find out that hits are rare (Lin et al. 2017, 3.3)."""
    weight = train.weight.cpu() if share is None else torch.from_numpy(share).float()
    n_classes = max(job.shape.n_outcomes, 2)
    mass = torch.zeros(n_classes).index_add_(0, train.truth.cpu(), weight)
    log_rate = (mass / mass.sum()).clamp_min(1e-4).log()
    if job.shape.n_outcomes == 1:
        log_rate = log_rate[1:] - log_rate[:1]
    with torch.no_grad():
        network.head.bias[: len(log_rate)].copy_(log_rate)


def _optimiser(network: Network, recipe: TrainingConfig, device: torch.device) -> torch.optim.Adam:
    rate, decay, kind = recipe.learning_rate, recipe.weight_decay, _OPTIMISERS[recipe.optimiser]
    if device.type != "cuda":
        return kind(network.parameters(), rate, weight_decay=decay)
    # One kernel for all weights, which can be recorded; the rate is a tensor, to be read anew.
    return kind(
        network.parameters(), torch.tensor(rate, device=device), weight_decay=decay,
        fused=True, capturable=True,
    )  # fmt: skip


def _device(recipe: TrainingConfig) -> torch.device:
    wanted, there = recipe.device, torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise TrainingError(
            "device: cuda, but torch sees no CUDA device here: use device: auto or cpu"
        )
    device = torch.device("cuda" if there and wanted != "cpu" else "cpu")
    if recipe.precision == "fp16" and device.type == "cpu":
        raise TrainingError(
            "precision: fp16, but this fit is on the CPU, where fp16 is slow and overflows: use "
            "precision: float32, or bf16 where the CPU has it, or fit on a GPU (device: cuda)"
        )
    return device
