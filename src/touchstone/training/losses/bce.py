"""Binary cross-entropy: each outcome asked for on its own, yes or no."""

from typing import TYPE_CHECKING, ClassVar, Literal

from touchstone.config import Config
from touchstone.training.losses import LOSSES

if TYPE_CHECKING:
    import torch


class BceConfig(Config):
    """A proper score, and for `buy` the cross-entropy itself.

    With three outcomes it also blames how the rest is shared out: mass on one wrong outcome costs
    more than the same mass on two.
    """

    kind: Literal["bce"] = "bce"
    proper: ClassVar[bool] = True


@LOSSES.register(BceConfig)
def bce(
    log_p: "torch.Tensor",
    truth: "torch.Tensor",
    config: BceConfig,  # noqa: ARG001 (nothing to choose)
) -> "torch.Tensor":
    """-1/2 [ln p(what came) + sum over the others of ln(1 - p)], nats, (n,).

    The sum over all classes of -y ln p - (1 - y) ln(1 - p), y whether the class came; halved,
    since with two classes both terms say the same.
    """
    said = log_p.gather(1, truth.unsqueeze(1)).squeeze(1)
    total = said
    for column in range(log_p.shape[1]):
        others = [other for other in range(log_p.shape[1]) if other != column]
        # ln(1 - p) as what the others have together: finite where p rounds to one.
        missing = log_p[:, others].logsumexp(1)
        total = total + missing * (truth != column).to(log_p.dtype)
    loss: torch.Tensor = -0.5 * total
    return loss
