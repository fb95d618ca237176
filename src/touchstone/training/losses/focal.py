"""Focal loss: easy rows count less, so that rare hits are not drowned."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat

from touchstone.config import Config, Range
from touchstone.training.losses import LOSSES

if TYPE_CHECKING:
    import torch


class FocalConfig(Config):
    """Not a proper score: what it teaches ranks well and needs calibration to be a probability."""

    kind: Literal["focal"] = "focal"
    alpha: Annotated[float, Field(gt=0, lt=1), Range(0.1, 0.9)] = 0.5
    """Weight of rows that came out +1; the others have 1 - alpha. 0.5 favours neither."""
    gamma: Annotated[NonNegativeFloat, Range(0.0, 4.0)] = 2.0
    """How fast a row that is already right loses weight; 0 is half the cross-entropy."""
    proper: ClassVar[bool] = False


@LOSSES.register(FocalConfig)
def focal(log_p: "torch.Tensor", truth: "torch.Tensor", config: FocalConfig) -> "torch.Tensor":
    """-a (1 - p)^gamma ln p with p the probability of what came, (n,).

    Source: Lin et al. (2017), Focal Loss for Dense Object Detection, equation 5; for more than
    two classes the others share 1 - alpha.
    """
    said = log_p.gather(1, truth.unsqueeze(1)).squeeze(1)
    hit = (truth == log_p.shape[1] - 1).to(log_p.dtype)
    weight = hit * config.alpha + (1 - hit) * (1 - config.alpha)
    # expm1 keeps 1 - p above zero where p rounds to one, and with it the gradient of the power.
    missing = (-said.expm1()).clamp_min(1e-12)
    loss: torch.Tensor = -weight * missing**config.gamma * said
    return loss
