"""THE loop: passes over windows, one optimiser step per batch. Networks only; imports torch.

All that is drawn in an epoch (order of the rows, dropout) is seeded by (seed, epoch), so that an
epoch needs from the ones before only the weights, the optimiser's moments and the schedule.
"""

from collections.abc import Generator
from contextlib import closing
from functools import partial
from typing import Final, NamedTuple, cast

import numpy as np
import torch

from touchstone.dataset.samples import Samples
from touchstone.errors import TrainingError
from touchstone.models import MODELS, head_of
from touchstone.models.layers.network import Network, finish, probabilities, threads
from touchstone.seeding import derive, generator
from touchstone.training.batches import Rows, batches, rows_on
from touchstone.training.budget import spend
from touchstone.training.job import Epoch, Fit, Job, TrainingConfig
from touchstone.training.losses import LOSSES, Loss
from touchstone.training.progress import Schedule, Watch, measured
from touchstone.training.refusals import diverged, finite_windows, needs_an_end
from touchstone.training.step import Steps, log_p, precision, steps
from touchstone.training.weights import copied, pack, unpack

_FORWARD: Final = {"cpu": 1024, "cuda": 16_384}
"""Rows of a forward pass without gradients."""


class Course(NamedTuple):
    """What a fit works with and changes from epoch to epoch."""

    network: Network
    optimiser: torch.optim.AdamW
    steps: Steps
    watch: Watch
    schedule: Schedule


def passes(job: Job) -> Generator[Epoch, None, Fit]:
    """Fit a network; see `touchstone.training.fit`."""
    needs_an_end(job)
    device = _device(job.recipe.device)
    train = _rows(job, job.train, job.recipe.rows, device)
    validate = None if job.validate is None else _rows(job, job.validate, None, device, train)
    course = _begin(job, train, device)
    done, best = (0, {}) if job.resume is None else unpack(job, job.resume, course)
    history: list[Epoch] = []
    last = job.epochs or job.recipe.epochs
    with closing(course.steps):
        for index in range(done + 1, last + 1):
            if job.epochs is None and course.watch.waited >= job.recipe.patience:
                break
            metrics = _pass(job, index, course, train, validate)
            improved = course.watch.see(index, _watched(job, metrics))
            course.schedule.see(improved)
            is_best = improved if job.epochs is None else index == last
            best = copied(course.network) if is_best else best
            state = partial(pack, job, index, metrics, course, best)
            epoch = Epoch(index, metrics, is_best, state)
            history.append(epoch._replace(state=dict))
            yield epoch
    best_epoch = job.epochs or course.watch.best_epoch
    part = cast("type[Network]", MODELS.part_of(job.model))
    fitted = finish(part, job.model, job.shape, best, best_epoch)
    return Fit(fitted, best_epoch, tuple(history), len(train), job.train.rows.size)


def _pass(
    job: Job, index: int, course: Course, train: Rows, validate: Rows | None
) -> dict[str, float]:
    """One epoch: learn from every row once, then look at the validation rows."""
    seed = derive(job.seed, "epoch", index)
    devices = [train.truth.device] if train.truth.is_cuda else []
    try:
        with threads(job.recipe.threads), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            metrics = _learn(job, index, course, train)
            if validate is not None:
                metrics |= _look(job, index, course.network, validate)
    except torch.OutOfMemoryError:
        raise TrainingError(
            f"the device ran out of memory at batch={job.recipe.batch}: lower it, or set "
            "device: cpu"
        ) from None
    return metrics


def _learn(job: Job, index: int, course: Course, train: Rows) -> dict[str, float]:
    network, steps = course.network, course.steps
    rate = job.recipe.learning_rate * course.schedule.at(index)
    for group in course.optimiser.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)  # a recorded step reads it there
        else:
            group["lr"] = rate
    order = generator(job.seed, "order", index).permutation(len(train))
    steps.total.zero_()
    network.train()
    for place, row in batches(train, order, job.recipe.batch):
        steps(place, row)
    mean_loss = float(steps.total) / len(train)
    if not np.isfinite(mean_loss) or not _sound(network, train.gather(row), train.asset_id[place]):
        raise diverged(index, job)
    probability = probabilities(steps.said).cpu().numpy()
    return measured("train", probability, train.samples.outcome, mean_loss)


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
    return measured("validate", probability, rows.samples.outcome, mean)


def _rows(
    job: Job, samples: Samples, n_rows: int | None, device: torch.device, like: Rows | None = None
) -> Rows:
    """The rows of a budget, on the device, their windows looked through once."""
    name = "train" if samples is job.train else "validation"
    place, weight = spend(samples.weight, n_rows, generator(job.seed, "rows"))
    taken = samples.take(place)._replace(weight=weight)
    finite_windows(name, samples.windows, taken.rows)
    return rows_on(taken, head_of(job.model), device, like)


def _begin(job: Job, train: Rows, device: torch.device) -> Course:
    """A network that says the base rates, and an optimiser that has seen nothing."""
    part, recipe = cast("type[Network]", MODELS.part_of(job.model)), job.recipe
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(job.seed, "weights"))
        network = part.built(job.model, job.shape)
    # From zero biases the first epochs only find out that hits are rare (Lin et al. 2017, 3.3).
    n_classes = max(job.shape.n_outcomes, 2)
    mass = torch.zeros(n_classes).index_add_(0, train.truth.cpu(), train.weight.cpu())
    log_rate = (mass / mass.sum()).clamp_min(1e-4).log()
    with torch.no_grad():
        one = job.shape.n_outcomes == 1
        bias = network.head.bias[: job.shape.n_outcomes]  # of the outcomes; tasks begin at 0
        bias.copy_(log_rate[1:] - log_rate[:1] if one else log_rate)
    network.to(device)
    optimiser = _optimiser(network, recipe, train.truth.device)
    schedule = Schedule(recipe.schedule, recipe.epochs)
    watch = Watch(_watched_name(job))
    return Course(network, optimiser, steps(job, network, optimiser, train), watch, schedule)


def _optimiser(network: Network, recipe: TrainingConfig, device: torch.device) -> torch.optim.AdamW:
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if device.type != "cuda":
        return torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    # One kernel for all weights, which can be recorded; the rate is a tensor, to be read anew.
    return torch.optim.AdamW(
        network.parameters(), torch.tensor(rate, device=device), weight_decay=decay,
        fused=True, capturable=True,
    )  # fmt: skip


def _watched_name(job: Job) -> str:
    return "loss" if job.validate is None else job.recipe.metric


def _watched(job: Job, metrics: dict[str, float]) -> float:
    """What the schedule and the choice of the epoch go by."""
    if job.validate is None:
        return metrics["train_loss"]
    name = f"validate_{job.recipe.metric}"
    # Only with `epochs` fixed may validation rows be of one kind, and then nothing is chosen.
    return metrics.get(name, metrics["validate_loss"])


def _device(wanted: str) -> torch.device:
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise TrainingError(
            "device: cuda, but torch sees no CUDA device here: use device: auto or cpu"
        )
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")
