"""Searches a cell: weights on one half of the train rows, the architecture on the other.

    for epoch in architecture.search(job, ledger): ...      # a generator, as `training.fit` is

It opens no file and prints nothing. All that is drawn is seeded by (seed, stage) or (seed, epoch),
so that a search that goes on from a checkpoint ends with the same bits as one that ran through, on
the CPU with one thread. Every search is written to the ledger when it ends, however it ends.
"""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from touchstone.arrays import Int64
from touchstone.dataset.samples import Samples
from touchstone.errors import TrainingError
from touchstone.ledger import Ledger
from touchstone.models import head_of
from touchstone.models.darts import Genotype
from touchstone.models.layers.network import threads
from touchstone.seeding import derive, generator
from touchstone.training.batches import Rows, rows_on
from touchstone.training.budget import spend
from touchstone.training.losses import row_losses
from touchstone.training.refusals import finite_windows
from touchstone.training.step import log_p
from touchstone.tuning.architecture_cells import discrete, narrowed
from touchstone.tuning.architecture_gradient import architecture_gradient
from touchstone.tuning.architecture_network import Choices, SearchNetwork, every_edge
from touchstone.tuning.architecture_state import (
    Looked,
    SearchJob,
    Stood,
    pack,
    unpack,
)

_FORWARD = 1024
"""Rows of a forward pass without gradients."""


class SearchEpoch(NamedTuple):
    """One pass over the weights' half, just finished."""

    looked: Looked
    state: Callable[[], bytes]
    """The checkpoint of this epoch: call it before asking for the next one."""


class FoundCell(NamedTuple):
    """What a search came to."""

    genotype: Genotype
    history: tuple[Looked, ...]
    """Every epoch from the first."""


class _Course(NamedTuple):
    """What a stage works with and changes from epoch to epoch."""

    stage: int
    choices: Choices
    network: SearchNetwork
    learned: tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]
    """Weights, and the architecture."""
    optimiser: torch.optim.Adam
    architect: torch.optim.Adam


def search(job: SearchJob, ledger: Ledger) -> Generator[SearchEpoch, None, FoundCell]:
    """Search one cell, epoch by epoch, through all stages.

    Returns:
        As the generator's value, the cell that the last stage's architecture stands for.

    Raises:
        TrainingError: rows or settings from which nothing can be learned, or a loss that is not
            finite.
    """
    facts: dict[str, object] = {
        "model": "darts search", "head": head_of(job.network), "seed": job.seed,
        "rows_available": int(job.weights.rows.size + job.held.rows.size), "status": "finished",
    }  # fmt: skip
    try:
        _check(job)
        found = yield from _stages(job, facts)
    except BaseException as error:
        stopped = isinstance(error, GeneratorExit | KeyboardInterrupt)
        facts |= {"status": "stopped"} if stopped else {"status": "failed", "reason": str(error)}
        raise
    else:
        facts["genotype"] = [[list(edge) for edge in node] for node in found.genotype]
    finally:
        ledger.record("fit", job.fingerprint, job.data, facts)
    return found


def _check(job: SearchJob) -> None:
    for name, samples in (("weights'", job.weights), ("architecture's", job.held)):
        if np.unique(samples.outcome == 1).size < 2:
            raise TrainingError(
                f"the {name} half has {samples.rows.size} rows, all hits or all misses: bring a "
                "longer train range, or a label that is met more often"
            )
    if getattr(job.recipe.loss, "wants", ()):
        raise TrainingError(
            f"loss {getattr(job.recipe.loss, 'kind', '?')!r} wants more than outcomes, which a "
            "search does not have: take cross_entropy or focal"
        )


def _stages(job: SearchJob, facts: dict[str, object]) -> Generator[SearchEpoch, None, FoundCell]:
    device = _device(job)
    train = _rows(job, "weights' half", job.weights, device)
    held = _rows(job, "architecture's half", job.held, device)
    stood = None if job.resume is None else unpack(job, job.resume)
    history = [] if stood is None else list(stood.history)
    course = _begun(job, device, 0, every_edge(job.method.nodes, job.method.choices), stood)
    while True:
        for _ in range(len(history), (course.stage + 1) * job.method.epochs):
            looked = _pass(job, len(history) + 1, course, train, held)
            history.append(looked)
            facts["epochs"] = looked.index
            said = Stood(course.stage, course.choices, tuple(history))
            parts = (course.network, course.optimiser, course.architect)
            yield SearchEpoch(looked, partial(pack, job, said, parts))
        shares = course.network.shares()
        if course.stage == len(job.method.stages) - 1:
            cell = discrete(course.choices, shares, job.method.most_skips)
            return FoundCell(cell, tuple(history))
        after = course.stage + 1
        n_kept = job.method.stages[after].operations
        kept = course.choices if n_kept is None else narrowed(course.choices, shares, n_kept)
        course = _begun(job, device, after, kept, None)


def _begun(
    job: SearchJob, device: torch.device, stage: int, choices: Choices, stood: Stood | None
) -> _Course:
    """A stage with its first weights, or as a checkpoint left it."""
    if stood is not None:
        stage, choices = stood.stage, stood.choices
    cells = job.method.stages[stage].cells
    config = job.network.model_copy(update={"cells": cells, "dropout": 0.0})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(job.seed, "search", stage))
        network = SearchNetwork(config, job.shape, choices)
    network.to(device)
    kind = torch.optim.AdamW if job.recipe.optimiser == "adamw" else torch.optim.Adam
    weights, alphas = list(network.weights().values()), list(network.alphas.values())
    optimiser = kind(weights, job.recipe.learning_rate, weight_decay=job.recipe.weight_decay)
    architect = torch.optim.Adam(
        alphas, job.method.rate, betas=(0.5, 0.999), weight_decay=job.method.decay
    )
    if stood is not None:
        stood.into(network, optimiser, architect)
    return _Course(stage, choices, network, (weights, alphas), optimiser, architect)


def _pass(job: SearchJob, index: int, course: _Course, train: Rows, held: Rows) -> Looked:
    """One epoch: an architecture step before each of the weights'."""
    network, batch = course.network, job.recipe.batch
    within = index - course.stage * job.method.epochs
    stage = job.method.stages[course.stage]
    # It falls to none towards the stage's end, where operations are compared.
    network.silence.rate = stage.skip_dropout * (1 - (within - 1) / job.method.epochs)
    order = generator(job.seed, "search order", index).permutation(len(train))
    others = generator(job.seed, "held order", index).permutation(len(held))
    total = 0.0
    with threads(job.recipe.threads):
        network.train()
        for step, start in enumerate(range(0, order.size, batch)):
            place = order[start : start + batch]
            drawn = (derive(job.seed, "skips", index, step, half) for half in ("train", "held"))
            on_train = _loss_of(job, network, train, (place, next(drawn)))
            if within > job.method.warm_up:
                asked = np.arange(step * batch, (step + 1) * batch)[: len(held)] % len(held)
                on_held = _loss_of(job, network, held, (others[asked], next(drawn)))
                _architecture_step(job, course, on_train, on_held)
            total += _weight_step(job, course, on_train()) * place.size
        held_loss = _mean_loss(job, network, held)
    mean = total / len(train)
    if not (np.isfinite(mean) and np.isfinite(held_loss)):
        raise TrainingError(
            f"the search's loss is no finite number in epoch {index}: lower "
            f"training.learning_rate (now {job.recipe.learning_rate:g}) or method.rate (now "
            f"{job.method.rate:g})"
        )
    return Looked(index, course.stage, mean, held_loss, _told(course.choices, network))


def _told(choices: Choices, network: SearchNetwork) -> Mapping[str, Mapping[str, float]]:
    """Edge -> operation -> share."""
    return {
        f"{node} {place}": dict(zip(choices[node, place], share, strict=True))
        for (node, place), share in network.shares().items()
    }


def _architecture_step(
    job: SearchJob, course: _Course, on_train: Callable[[], torch.Tensor],
    on_held: Callable[[], torch.Tensor],
) -> None:  # fmt: skip
    weights, alphas = course.learned
    xi = job.recipe.learning_rate if job.method.order == "second" else 0.0
    found = architecture_gradient(weights, alphas, on_train, on_held, xi)
    for alpha, gradient in zip(alphas, found, strict=True):
        alpha.grad = gradient
    course.architect.step()


def _weight_step(job: SearchJob, course: _Course, loss: torch.Tensor) -> float:
    weights, _ = course.learned
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient
    torch.nn.utils.clip_grad_norm_(weights, job.recipe.clip)
    course.optimiser.step()
    return float(loss.detach())


def _loss_of(
    job: SearchJob, network: SearchNetwork, rows: Rows, batch: tuple[Int64, int]
) -> Callable[[], torch.Tensor]:
    """The weighted mean loss of some rows, by the network as it is when asked.

    `batch`: places of the rows, and the seed by which skips are silenced.
    """
    place, drawn = batch
    at = torch.from_numpy(place)
    # Gathered once: both orders ask several times for the same batch.
    windows = rows.gather(rows.row[at.to(rows.row.device)])
    there = at.to(rows.truth.device)
    asset_id, truth, weight = rows.asset_id[there], rows.truth[there], rows.weight[there]
    head = head_of(job.network)

    def loss() -> torch.Tensor:
        # The same each time: differences between weights are then those of the weights alone.
        network.silence.begin(drawn)
        said = log_p(network(windows, asset_id), head)
        return (row_losses(job.recipe.loss, said, truth) * weight).mean()

    return loss


def _mean_loss(job: SearchJob, network: SearchNetwork, rows: Rows) -> float:
    total = 0.0
    network.eval()
    with torch.no_grad():
        for start in range(0, len(rows), _FORWARD):
            place = np.arange(start, min(start + _FORWARD, len(rows)))
            total += float(_loss_of(job, network, rows, (place, 0))()) * place.size
    return total / len(rows)


def _rows(job: SearchJob, name: str, half: Samples, device: torch.device) -> Rows:
    """The rows of a half's budget on the device, their windows looked through once."""
    place, weight = spend(half.weight, job.recipe.rows, generator(job.seed, "rows", name))
    taken = half.take(place)._replace(weight=weight)
    finite_windows(name, taken.windows, taken.rows)
    return rows_on(taken, head_of(job.network), device)


def _device(job: SearchJob) -> torch.device:
    there = torch.cuda.is_available() and job.recipe.device != "cpu"
    if job.recipe.device == "cuda" and not there:
        raise TrainingError("device: cuda, but torch sees no CUDA device here: use auto or cpu")
    return torch.device("cuda" if there else "cpu")
