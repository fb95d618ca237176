"""One step of the optimiser on one batch; on a GPU it is recorded once and played back."""

from contextlib import AbstractContextManager
from typing import Final, Protocol

import torch
from torch.nn import functional

from touchstone.models import OUTCOMES, Head, head_of
from touchstone.models.layers.network import Network
from touchstone.training.augmented import Batch, augmented
from touchstone.training.batches import Answers, Resident, Rows
from touchstone.training.job import Job, TrainingConfig
from touchstone.training.losses import Beside, row_losses
from touchstone.training.refusals import answers_there
from touchstone.training.update import Update

_N_OUTCOMES: Final = len(OUTCOMES["barrier"])
_BEFORE: Final = 3
"""Steps that a GPU takes before one is recorded: they allocate what every later one uses."""


class Steps(Protocol):
    """Learns from a batch; what all batches of an epoch said is gathered on the device."""

    said: torch.Tensor
    """Logits of every train row when it was last learned from, (n, n_outcomes)."""
    total: torch.Tensor
    """Sum of the weighted losses of the rows learned from, ()."""

    def __call__(self, place: torch.Tensor, row: torch.Tensor) -> None:
        """Take one step; places among the train rows and rows of the panel, (n,)."""

    def close(self) -> None:
        """Give back what lies on the device for the steps alone."""


class Plain:
    """Gather, change, forward, backward, clip, step."""

    def __init__(self, job: Job, network: Network, update: Update, train: Rows) -> None:
        self.recipe, self.head = job.recipe, head_of(job.model)
        self.network, self.update, self.train = network, update, train
        self.batch = augmented(job, train)
        self.n_outcomes = job.shape.n_outcomes
        device = train.truth.device
        self.said = torch.zeros((len(train), job.shape.n_outcomes), device=device)
        self.total = torch.zeros((), device=device)

    def __call__(self, place: torch.Tensor, row: torch.Tensor) -> None:
        """See `Steps`."""
        train, recipe = self.train, self.recipe
        batch = self.batch(place, row)
        with precision(recipe, train.truth.device):
            logits = self.network(batch.seen.windows, batch.asset_id).float()
        weight = train.weight[place]
        weight = weight if batch.worth is None else weight * batch.worth
        mean = self._losses(logits, batch, weight).mean()
        self.update(mean)
        self.total += mean.detach() * len(place)
        self.said.index_copy_(0, place, logits.detach()[:, : self.n_outcomes])

    def _losses(self, logits: torch.Tensor, batch: Batch, weight: torch.Tensor) -> torch.Tensor:
        """Weighted losses of the rows, (n,); of a mixed row that of both answers, by its shares."""
        found = self._loss(logits, batch.answers) * weight
        partner, share = batch.seen.partner, batch.seen.share
        if partner is None or share is None:
            return found
        other = self._loss(logits, batch.answers.at(partner)) * weight[partner]
        return found * share + other * (1 - share)

    def _loss(self, logits: torch.Tensor, answers: Answers) -> torch.Tensor:
        said = logits[:, self.n_outcomes :] if self.head == "multi_task" else None
        beside = Beside(answers.teacher, answers.tasks if said is not None else None, said)
        return row_losses(self.recipe.loss, log_p(logits, self.head), answers.truth, beside)

    def close(self) -> None:
        """Nothing."""


class Recorded:
    """The same on a GPU: the first batches as they come, then one recording, played for each.

    A step of a small network is hundreds of kernels; launching them one by one costs the CPU more
    than they cost the card. A batch of another size is taken as it comes.

    Source: Nguyen, Carilli et al. (2021), Accelerating PyTorch with CUDA graphs (PyTorch's blog).
    """

    def __init__(self, step: Plain, batch: int) -> None:
        device = step.total.device
        self.step, self.said, self.total = step, step.said, step.total
        self.place = torch.zeros(batch, dtype=torch.int64, device=device)
        self.row = torch.zeros_like(self.place)
        self.n_taken = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, place: torch.Tensor, row: torch.Tensor) -> None:
        """See `Steps`."""
        if len(place) < len(self.place):
            self.step(place, row)
        elif self.n_taken < _BEFORE:
            self._aside(place, row)
            self.n_taken += 1
        else:
            self.place.copy_(place)
            self.row.copy_(row)
            if self.graph is None:
                self.graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graph):
                    self.step(self.place, self.row)
            self.graph.replay()

    def close(self) -> None:
        """Free the recording, and the memory that only it uses."""
        if self.graph is not None:
            self.graph.reset()
            self.graph = None

    def _aside(self, place: torch.Tensor, row: torch.Tensor) -> None:
        """A step on another stream, as a recording will be: nothing is left to be set up then."""
        stream = torch.cuda.Stream(place.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.step(place, row)
        torch.cuda.current_stream().wait_stream(stream)


def steps(job: Job, network: Network, update: Update, train: Rows) -> Steps:
    """How this job's batches are learned from, where its rows are.

    Args:
        job: its `train` are the samples that `train` was drawn from.
        network: on the device of the rows.
        update: of the network's weights.
        train: rows to go over.

    Raises:
        TrainingError: a head without its loss, or a loss without what it wants beside the outcome.
    """
    _needs_answers(job, train)
    plain = Plain(job, network, update, train)
    if train.truth.is_cuda and isinstance(train.gather, Resident):
        return Recorded(plain, job.recipe.batch)
    return plain


def precision(recipe: TrainingConfig, device: torch.device) -> AbstractContextManager[None]:
    """Where a network's products are taken in 16 bits; its weights and the loss stay float32."""
    kind = torch.float16 if recipe.precision == "fp16" else torch.bfloat16
    enabled = recipe.precision != "float32"
    return torch.autocast(device.type, kind, enabled=enabled, cache_enabled=False)


def log_p(logits: torch.Tensor, head: Head) -> torch.Tensor:
    """Log-probabilities of all classes, (n, 3) or, for `buy`, (n, 2); tasks are left out."""
    if head == "buy":
        logits = torch.cat([-logits, logits], 1)
        return functional.logsigmoid(logits)
    return logits[:, :_N_OUTCOMES].log_softmax(1)


def _needs_answers(job: Job, train: Rows) -> None:
    beside = {"tasks": train.answers.tasks, "teacher": train.answers.teacher}
    there = {name for name, answers in beside.items() if answers is not None}
    answers_there(job.model, job.recipe, there)
