"""Train batches on their way to the network, as the recipe's `augment` changes them."""

import math
from typing import NamedTuple, cast

import numpy as np
import torch

from touchstone.arrays import Floats, Int64
from touchstone.dataset.samples import Samples
from touchstone.models import head_of
from touchstone.training.augmentations import AUGMENTATIONS, Change, Move, Seen, Setting, reach
from touchstone.training.batches import Answers, Rows, answers_on
from touchstone.training.budget import balanced_chance
from touchstone.training.job import Job
from touchstone.training.progress import classes
from touchstone.training.refusals import finite_windows


class Batch(NamedTuple):
    """What a step learns from; tensors on the device, n rows."""

    seen: Seen
    asset_id: torch.Tensor
    answers: Answers
    """Of the rows themselves; a mixed row has its partner's too."""
    worth: torch.Tensor | None = None
    """(n,) float32, what the row that each has become counts for, against the row that was drawn;
    None: no row was moved."""


class AsTheyAre:
    """Nothing is changed."""

    def __init__(self, train: Rows) -> None:
        self.train = train

    def __call__(self, place: torch.Tensor, row: torch.Tensor) -> Batch:
        """The batch of these places among the train rows, and rows of the panel, (n,)."""
        train = self.train
        seen = Seen(train.gather(row))
        return Batch(seen, train.asset_id[place], train.answers.at(place))


class Augmented:
    """Rows are moved first, then windows are changed in the order of the recipe.

    All is drawn from the device's own generator, as dropout is: the loop seeds it by (seed, epoch)
    and puts it back, and a recorded step draws on from where the one before ended.
    """

    def __init__(self, job: Job, train: Rows) -> None:
        device, windows = train.truth.device, job.train.windows
        self.train, self.chance = train, _generator(device)
        scaler, n = windows.scaler, windows.n_features
        zero = np.zeros(n, np.float32) if scaler is None else -scaler.centre * scaler.inverse
        self.clip = math.inf if scaler is None else float(scaler.clip)
        setting = Setting(torch.from_numpy(zero).to(device))
        made = [
            (reach(one), AUGMENTATIONS.part_of(one)(one, setting)) for one in job.recipe.augment
        ]
        self.changes = [cast("Change", part) for bars, part in made if not bars]
        self.moves = [cast("Move", part) for bars, part in made if bars]
        far = sum(bars for bars, _ in made)
        self.far, self.neighbours = far, _Neighbours(job, train, far) if far else None

    def __call__(self, place: torch.Tensor, row: torch.Tensor) -> Batch:
        """As of `AsTheyAre`, changed."""
        near, worth = self.neighbours, None
        if near is None:
            answers = self.train.answers.at(place)
        else:
            bars = torch.stack([move(place, self.chance) for move in self.moves]).sum(0)
            taken, own = near.places[bars + self.far, place], near.places[self.far, place]
            row, answers = near.row[taken].to(row.device), near.answers.at(taken)
            worth = near.worth[taken] / near.worth[own]
        seen = Seen(self.train.gather(row))
        for change in self.changes:
            seen = change(seen, self.chance)
        if self.changes and math.isfinite(self.clip):
            seen.windows.clamp_(-self.clip, self.clip)  # as the scaler cuts what it scales
        return Batch(seen, self.train.asset_id[place], answers, worth)


class _Neighbours:
    """For each train row and each move, the row that it becomes, among all rows of the fold."""

    def __init__(self, job: Job, train: Rows, far: int) -> None:
        device = train.truth.device
        places = neighbours(job.train, train.samples.rows, far)
        moved = job.train.rows[np.unique(places)]
        finite_windows("train", job.train.windows, moved)
        self.places = torch.from_numpy(places).to(device)
        """(2 far + 1, n) places among all train rows of the fold."""
        self.row = torch.from_numpy(np.asarray(job.train.rows, np.int64)).to(device)
        self.answers = answers_on(job.train, head_of(job.model), device)
        # A row was drawn, or weighs, by its own outcome: a neighbour may have a rarer one.
        worth: Floats = job.train.weight
        if job.recipe.sampling == "weighted":
            worth = balanced_chance(worth, classes(head_of(job.model), job.train.outcome))
        self.worth = torch.from_numpy((worth / worth.mean()).astype(np.float32)).to(device)


def neighbours(every: Samples, rows: Int64, far: int) -> Int64:
    """Where among `every` sample the rows stand, moved by -far .. far bars, (2 far + 1, n).

    A row whose neighbour is none of the samples, or of another instrument, gets its own place.

    Args:
        every: all train samples of a fold: what is none of them has no window, no known outcome,
            or lies outside the train range.
        rows: (n,) rows of some of them.
        far: most bars.
    """
    order = np.argsort(every.rows, kind="stable")
    rising, ids = every.rows[order], every.windows.ids(every.rows)
    own = order[np.searchsorted(rising, rows)]
    out = np.empty((2 * far + 1, rows.size), np.int64)
    for bars in range(-far, far + 1):
        at = np.minimum(np.searchsorted(rising, rows + bars), rising.size - 1)
        found = order[at]
        there = (rising[at] == rows + bars) & (ids[found] == ids[own])
        out[bars + far] = np.where(there, found, own)
    return out


def augmented(job: Job, train: Rows) -> AsTheyAre | Augmented:
    """How a job's train batches are made; `job.train` are the samples `train` was drawn from.

    Raises:
        ConfigError: a column that an augmentation names and the study does not have.
        TrainingError: a neighbour's window with a value that is not finite.
    """
    return Augmented(job, train) if job.recipe.augment else AsTheyAre(train)


def _generator(device: torch.device) -> torch.Generator:
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    return torch.default_generator
