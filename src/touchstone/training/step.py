"""One step of the optimiser on one batch; on a GPU it is recorded once and played back."""

from contextlib import AbstractContextManager
from typing import Final, Protocol

import torch
from torch.nn import functional

from touchstone.models import Head, head_of
from touchstone.models.layers.network import Network
from touchstone.training.batches import Resident, Rows
from touchstone.training.job import Job, TrainingConfig
from touchstone.training.losses import LOSSES
from touchstone.training.update import Update

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
    """Gather, forward, backward, clip, step."""

    def __init__(self, job: Job, network: Network, update: Update, train: Rows) -> None:
        self.recipe, self.head = job.recipe, head_of(job.model)
        self.network, self.update, self.train = network, update, train
        self.loss = LOSSES.part_of(job.recipe.loss)
        device = train.truth.device
        self.said = torch.zeros((len(train), job.shape.n_outcomes), device=device)
        self.total = torch.zeros((), device=device)

    def __call__(self, place: torch.Tensor, row: torch.Tensor) -> None:
        """See `Steps`."""
        train, recipe = self.train, self.recipe
        with precision(recipe, train.truth.device):
            logits = self.network(train.gather(row), train.asset_id[place]).float()
        row_loss = self.loss(log_p(logits, self.head), train.truth[place], recipe.loss)
        mean = (row_loss * train.weight[place]).mean()
        self.update(mean)
        self.total += mean.detach() * len(place)
        self.said.index_copy_(0, place, logits.detach())

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
    """How this job's batches are learned from, where its rows are."""
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
    """Log-probabilities of all classes, (n, 3) or, for `buy`, (n, 2)."""
    if head == "buy":
        logits = torch.cat([-logits, logits], 1)
        return functional.logsigmoid(logits)
    return logits.log_softmax(1)
