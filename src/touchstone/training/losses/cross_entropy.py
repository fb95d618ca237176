"""The log-loss: what makes a network say honest probabilities."""

from typing import TYPE_CHECKING, ClassVar, Literal

from touchstone.config import Config
from touchstone.training.losses import LOSSES

if TYPE_CHECKING:
    import torch


class CrossEntropyConfig(Config):
    """A proper score: its least value is at the true probabilities."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    proper: ClassVar[bool] = True


@LOSSES.register(CrossEntropyConfig)
def cross_entropy(
    log_p: "torch.Tensor",
    truth: "torch.Tensor",
    config: CrossEntropyConfig,  # noqa: ARG001 (nothing to choose)
) -> "torch.Tensor":
    """-ln p(what came), nats, (n,)."""
    return -log_p.gather(1, truth.unsqueeze(1)).squeeze(1)
