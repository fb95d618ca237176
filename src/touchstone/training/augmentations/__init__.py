"""Train windows changed a little each time they are seen, one file each; imports no torch.

Only what a step learns from is changed: never validation or test rows, never the matrix that the
windows are cut from. All chance comes from one generator, seeded by (seed, epoch) and used batch
by batch, so that a fit is the same bits again and resumes as if it had not stopped.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from touchstone.config import Config
from touchstone.registration import Family

if TYPE_CHECKING:
    import torch


class Setting(NamedTuple):
    """What holds for all windows of a fit."""

    zero: "torch.Tensor"
    """(n_features,) float32, on the device: what a feature's own 0 is scaled to."""


class Seen(NamedTuple):
    """Windows of a batch as the network is going to see them; tensors on the device."""

    windows: "torch.Tensor"
    """(n, lookback, n_features) float32, scaled; a change may be made in place."""
    partner: "torch.Tensor | None" = None
    """(n,) int64, place in the batch of the row that each is mixed with; None: with none."""
    share: "torch.Tensor | None" = None
    """(n,) float32, share of the row itself in what it has become; the partner has the rest, of
    the answer too."""


class Change(Protocol):
    """What a part gives whose `reach` is 0: it changes windows."""

    def __call__(self, seen: Seen, chance: "torch.Generator", /) -> Seen:
        """Change a batch; draw from `chance` alone, and nothing on the host: a GPU records it."""


class Move(Protocol):
    """What a part gives whose `reach` is above 0: it moves rows, their answers with them."""

    def __call__(self, row: "torch.Tensor", chance: "torch.Generator", /) -> "torch.Tensor":
        """Bars, (n,) int64 in -reach .. reach, that each of the rows (n,) is moved by.

        A row whose neighbour is no train row of its instrument stays where it is.
        """


Augmentation: TypeAlias = Callable[[Any, Setting], Change] | Callable[[Any, Setting], Move]
"""(config, setting) -> what is done to each batch of a fit."""

AUGMENTATIONS: Family[Augmentation] = Family("augmentation", __name__)


def reach(config: Config) -> int:
    """Most bars that an augmentation moves a row by; 0 for one that changes windows."""
    return int(getattr(config, "reach", 0))
