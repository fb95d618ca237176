"""Batches as tensors: windows gathered on the host, or on a GPU where the flat matrix lives.

A GPU holds the matrix once (80 MB where the materialised windows are 1.9 GB), so that a batch costs
it one gather and the bus nothing but the order of the rows, once an epoch.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch

from touchstone.arrays import Float32, Int64
from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.errors import TrainingError
from touchstone.models import OUTCOMES, TASKS, Head
from touchstone.training.progress import classes

SHARE_OF_MEMORY: Final = 0.5
"""Of a GPU's free memory that the flat matrix may take; a larger one stays on the host."""


class Gather(Protocol):
    """Windows of some rows of the panel, scaled, on the device."""

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """(n,) int64 -> (n, lookback, n_features) float32; the next call may overwrite it."""


class Answers(NamedTuple):
    """What came after some rows; tensors on the device."""

    truth: torch.Tensor
    """(n,) classes."""
    tasks: torch.Tensor | None
    """(n, 3) targets beside the outcome, where there are any."""
    teacher: torch.Tensor | None
    """(n, n_classes) a teacher's probabilities, where there is one."""

    def at(self, place: torch.Tensor) -> "Answers":
        """Those of some rows, by place."""
        return Answers(*(None if one is None else one[place] for one in self))  # type: ignore[arg-type]  # as they came


class Rows(NamedTuple):
    """Samples that a network goes over; tensors on the device, (n,)."""

    gather: Gather
    row: torch.Tensor
    """Rows of the panel, where `gather` wants them."""
    asset_id: torch.Tensor
    answers: Answers
    weight: torch.Tensor
    samples: Samples
    """The same rows, as they came."""

    @property
    def truth(self) -> torch.Tensor:
        """Classes."""
        return self.answers.truth

    def __len__(self) -> int:
        return len(self.truth)


class Host:
    """Gathers on the CPU into one buffer, and sends it where the network is."""

    def __init__(self, windows: Windows, device: torch.device) -> None:
        self.windows, self.device = windows, device
        self.buffer: Float32 = np.empty((0, windows.lookback, windows.n_features), np.float32)

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Windows of these rows."""
        if len(self.buffer) < len(rows):
            self.buffer = np.empty((len(rows), *self.buffer.shape[1:]), np.float32)
        found = self.windows.gather(rows.numpy(), out=self.buffer[: len(rows)])
        return torch.from_numpy(found).to(self.device)


class Resident:
    """Gathers on the device; every window is one run of the flat matrix that lies there."""

    def __init__(self, windows: Windows, device: torch.device) -> None:
        self.lookback, self.n_features = windows.lookback, windows.n_features
        flat = torch.from_numpy(windows.features).to(device)
        n_windows, length = len(windows) - self.lookback + 1, self.lookback * self.n_features
        self.runs = flat.as_strided((n_windows, length), (self.n_features, 1))
        scaler = windows.scaler
        self.scale = None
        if scaler is not None:
            tiles = (np.tile(c, self.lookback) for c in (scaler.centre, scaler.inverse))
            self.scale = tuple(torch.from_numpy(tile).to(device) for tile in tiles)
            self.clip = scaler.clip

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Windows of these rows."""
        found = self.runs.index_select(0, rows - (self.lookback - 1))
        if self.scale is not None:
            centre, inverse = self.scale
            found.sub_(centre).mul_(inverse).clamp_(-self.clip, self.clip)
        return found.view(len(rows), self.lookback, self.n_features)


def gather_on(windows: Windows, device: torch.device, like: Rows | None = None) -> Gather:
    """How windows come to this device.

    Args:
        windows: of the samples.
        device: where they are wanted.
        like: rows whose windows may be these: then their way is shared, and their memory.
    """
    if like is not None and like.samples.windows is windows:
        return like.gather
    if device.type != "cuda":
        return Host(windows, device)
    free, _ = torch.cuda.mem_get_info(device)
    fits = windows.features.nbytes <= SHARE_OF_MEMORY * free
    return Resident(windows, device) if fits else Host(windows, device)


def rows_on(samples: Samples, head: Head, device: torch.device, like: Rows | None = None) -> Rows:
    """Samples as tensors on a device; `like`: other rows, of the same windows perhaps."""
    gather = gather_on(samples.windows, device, like)
    where = device if isinstance(gather, Resident) else torch.device("cpu")
    ids = samples.windows.ids(samples.rows).astype(np.int64)
    return Rows(
        gather,
        torch.from_numpy(np.asarray(samples.rows, np.int64)).to(where),
        torch.from_numpy(ids).to(device),
        answers_on(samples, head, device),
        torch.from_numpy(np.asarray(samples.weight, np.float32)).to(device),
        samples,
    )


def answers_on(samples: Samples, head: Head, device: torch.device) -> Answers:
    """What came after samples, as tensors on a device.

    Raises:
        TrainingError: tasks or teacher of another shape than the samples, not finite, or no
            targets or probabilities.
    """
    return Answers(
        torch.from_numpy(classes(head, samples.outcome)).to(device),
        None if samples.tasks is None else _tasks(samples).to(device),
        None if samples.teacher is None else _teacher(samples, head).to(device),
    )


def batches(
    rows: Rows, order: Int64 | None, batch: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Places on the device and rows of the panel, (n,) of a batch; `order` None: as they stand."""
    place = torch.from_numpy(np.arange(len(rows)) if order is None else order)
    row = rows.row[place.to(rows.row.device)]
    place = place.to(rows.truth.device)
    for start in range(0, len(place), batch):
        yield place[start : start + batch], row[start : start + batch]


def _tasks(samples: Samples) -> torch.Tensor:
    found = np.asarray(samples.tasks, np.float32)
    needed = (samples.rows.size, len(TASKS))
    if found.shape != needed or not np.isfinite(found).all():
        raise TrainingError(
            f"tasks of {needed[0]} rows need finite numbers of shape {needed}, got {found.shape}: "
            "make them with labels.tasks.targets"
        )
    regime = found[:, 2]
    if not np.isin(regime, np.arange(TASKS["regime"])).all():
        raise TrainingError("the regime of tasks is a class, 0, 1 or 2: see labels.tasks.targets")
    return torch.from_numpy(found)


def _teacher(samples: Samples, head: Head) -> torch.Tensor:
    """Probabilities of all classes; for `buy` a teacher of three outcomes is asked for p(+1)."""
    found = np.asarray(samples.teacher, np.float64)
    if head == "buy" and found.ndim == 2:
        found = np.stack([1 - found[:, -1], found[:, -1]], 1)
    needed = (samples.rows.size, max(len(OUTCOMES[head]), 2))
    if found.shape != needed:
        raise TrainingError(
            f"the teacher's scores need shape {needed}, columns as a model's, got {found.shape}"
        )
    off = ~(np.isfinite(found).all(1) & (found >= 0).all(1) & (np.abs(found.sum(1) - 1) < 1e-3))
    if off.any():
        row = int(off.argmax())
        raise TrainingError(
            f"the teacher's scores of sample {row} are no probabilities: {found[row].tolist()}"
        )
    return torch.from_numpy((found / found.sum(1, keepdims=True)).astype(np.float32))
