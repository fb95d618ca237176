"""Several tasks at once: the outcomes, and the return, volatility and regime until the exit."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeFloat, field_validator

from touchstone.config import Config, Range
from touchstone.errors import ConfigError
from touchstone.registration import PartOf
from touchstone.training.losses import LOSSES, NOTHING, Beside, row_losses
from touchstone.training.losses import wants as wants_of

if TYPE_CHECKING:
    import torch


class MultiTaskConfig(Config):
    """Goes with `head: multi_task` of a network.

    Of a network with another head, and on validation rows, it is `base` alone, so that a study may
    hold both.
    """

    kind: Literal["multi_task"] = "multi_task"
    base: Annotated[Config, PartOf(LOSSES, without=("multi_task",))] = Field(
        default_factory=lambda: LOSSES.parse("cross_entropy")
    )
    """Loss of the outcomes."""
    weight_return: Annotated[NonNegativeFloat, Range(0.0, 1.0)] = 0.2
    """Of half the squared error of the return until the exit, in train standard deviations."""
    weight_volatility: Annotated[NonNegativeFloat, Range(0.0, 1.0)] = 0.2
    """Of half the squared error of the log volatility until then, in train standard deviations."""
    weight_regime: Annotated[NonNegativeFloat, Range(0.0, 1.0)] = 0.2
    """Of the cross-entropy of the regime until then: down, quiet, up."""
    uncertainty: bool = False
    """Whether each task's weight is also divided by its mean loss in the batch, and multiplied by
    that of the outcomes: a noisy task then counts no more than a clean one."""

    @property
    def proper(self) -> bool:
        """As `base` is: the tasks have outputs of their own."""
        return bool(getattr(self.base, "proper", False))

    @property
    def wants(self) -> tuple[str, ...]:
        """The tasks, and what `base` wants."""
        return ("tasks", *wants_of(self.base))

    @field_validator("base")
    @classmethod
    def _no_tasks_of_tasks(cls, base: Config) -> Config:
        if isinstance(base, MultiTaskConfig):
            raise ConfigError("multi_task cannot be its own base: take cross_entropy, focal, ...")
        return base


@LOSSES.register(MultiTaskConfig)
def multi_task(
    log_p: "torch.Tensor",
    truth: "torch.Tensor",
    config: MultiTaskConfig,
    beside: Beside = NOTHING,
) -> "torch.Tensor":
    """Give base + w_r (r - r')^2 / 2 + w_v (v - v')^2 / 2 - w_g ln p(regime), (n,).

    With `uncertainty` each w is multiplied by mean(base) / mean(its term) over the batch, no
    gradient taken through it. Kendall et al. learn s in L / s^2 + ln s for each mean loss L; the
    best s of a batch is known, s^2 = 2 L, so that a term weighs 1 / (2 L), here relative to that
    of the outcomes. So nothing has to be learned or kept for the weights.

    Source: Kendall, Gal & Cipolla (2018), Multi-task learning using uncertainty to weigh losses,
    section 3; the best s: Kirchdorfer et al. (2024), Analytical uncertainty-based loss weighting.
    """
    loss = row_losses(config.base, log_p, truth, beside)
    if beside.tasks is None or beside.said is None:
        return loss
    error = beside.said[:, :2] - beside.tasks[:, :2]
    regime = beside.tasks[:, 2:].long()
    surprise = -beside.said[:, 2:].log_softmax(1).gather(1, regime).squeeze(1)
    terms = (
        (config.weight_return, error[:, 0].square() / 2),
        (config.weight_volatility, error[:, 1].square() / 2),
        (config.weight_regime, surprise),
    )
    total, size = loss, loss.detach().mean()
    for weight, term in terms:
        scale = size / term.detach().mean().clamp_min(1e-6) if config.uncertainty else 1.0
        total = total + weight * scale * term
    return total
