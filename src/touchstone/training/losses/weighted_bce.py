"""Cross-entropy in which a missed hit costs more than a false one."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import PositiveFloat

from touchstone.config import Config, Range
from touchstone.training.losses import LOSSES

if TYPE_CHECKING:
    import torch


class WeightedBceConfig(Config):
    """Shifts the probability of +1 upwards by design: calibrate it."""

    kind: Literal["weighted_bce"] = "weighted_bce"
    positive: Annotated[PositiveFloat, Range(1.0, 50.0, log=True)] = 10.0
    """Weight of rows that came out +1, the others having 1; about (1 - base rate) / base rate
    makes both kinds count the same."""
    proper: ClassVar[bool] = False


@LOSSES.register(WeightedBceConfig)
def weighted_bce(
    log_p: "torch.Tensor", truth: "torch.Tensor", config: WeightedBceConfig
) -> "torch.Tensor":
    """-w ln p(what came), (n,); w is `positive` for +1; with three classes the others have 1."""
    said = log_p.gather(1, truth.unsqueeze(1)).squeeze(1)
    hit = (truth == log_p.shape[1] - 1).to(log_p.dtype)
    return -(1 + (config.positive - 1) * hit) * said
