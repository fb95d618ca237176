"""What a network is told it did wrong, one file each: log-probabilities in, a loss per row out.

A loss sees log-probabilities, never logits, so each is written once for all heads: (n, 3) for
`barrier` and `multi_task`, (n, 2) for `buy` (not +1, +1). The column of +1 is always the last.
The files use the methods of the tensors they get and import no torch, so that a study without a
network does not load it.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from touchstone.config import Config
from touchstone.registration import Family

if TYPE_CHECKING:
    import torch


class Beside(NamedTuple):
    """What a loss may look at beside the outcome; None where there is nothing of the sort."""

    teacher: "torch.Tensor | None" = None
    """(n, n_classes) probabilities of a teacher, each row summing to one."""
    tasks: "torch.Tensor | None" = None
    """(n, 3) targets, columns as `labels.tasks` makes them; of a network with a head for them."""
    said: "torch.Tensor | None" = None
    """(n, 5) what that head says of them: return, volatility, three logits of the regime."""


NOTHING: Final = Beside()


class Loss(Protocol):
    """A part of the family. One that needs nothing beside the outcome takes three arguments.

    Its config may say `wants`, names of `Beside` that it cannot teach without, and `proper`:
    whether the least mean loss is at the true probabilities.
    """

    def __call__(
        self,
        log_p: "torch.Tensor",
        truth: "torch.Tensor",
        config: Any,
        beside: Beside = NOTHING,
        /,
    ) -> "torch.Tensor":
        """Loss of each row.

        Args:
            log_p: (n, n_classes) logarithms of probabilities that sum to one.
            truth: (n,) int64, the class that came.
            config: the loss's own.
            beside: given to losses that want something, and on train rows only: on validation
                rows a loss is that of the outcomes alone.

        Returns:
            (n,), not weighted: the loop weighs rows.
        """


LOSSES: Family[Loss] = Family("loss", __name__)


def wants(config: Config) -> tuple[str, ...]:
    """Names of `Beside` that a loss needs on train rows."""
    return tuple(getattr(config, "wants", ()))


def row_losses(
    config: Config, log_p: "torch.Tensor", truth: "torch.Tensor", beside: Beside = NOTHING
) -> "torch.Tensor":
    """Losses of rows, (n,), by the loss that a config chooses."""
    part = LOSSES.part_of(config)
    if wants(config):
        return part(log_p, truth, config, beside)
    return part(log_p, truth, config)
