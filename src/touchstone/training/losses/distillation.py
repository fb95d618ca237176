"""Distillation: beside the outcome, what a teacher said of it."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat

from touchstone.config import Config, Range
from touchstone.training.losses import LOSSES, NOTHING, Beside

if TYPE_CHECKING:
    import torch


class DistillationConfig(Config):
    """Teaches what the outcomes and a teacher say.

    Proper as far as the teacher is right: its least mean loss lies between the true probabilities
    and the teacher's.
    """

    kind: Literal["distillation"] = "distillation"
    temperature: Annotated[PositiveFloat, Range(1.0, 8.0)] = 2.0
    """Both distributions are flattened by it before they are compared: above 1 the teacher's
    unlikely outcomes say more."""
    weight: Annotated[float, Field(ge=0, le=1), Range(0.1, 0.9)] = 0.5
    """Share of the teacher; the outcomes have the rest."""
    proper: ClassVar[bool] = True
    wants: ClassVar[tuple[str, ...]] = ("teacher",)


@LOSSES.register(DistillationConfig)
def distillation(
    log_p: "torch.Tensor",
    truth: "torch.Tensor",
    config: DistillationConfig,
    beside: Beside = NOTHING,
) -> "torch.Tensor":
    """(1 - w) (-ln p(what came)) + w T^2 KL(q_T || p_T), nats, (n,).

    q are the teacher's probabilities, and p_T is proportional to p^(1/T). T^2 keeps the size of
    the gradient as T grows. Without a teacher: the cross-entropy.

    Source: Hinton, Vinyals & Dean (2015), Distilling the knowledge in a neural network, section 2;
    the divergence in place of the cross-entropy takes off what no student can change.
    """
    hard = -log_p.gather(1, truth.unsqueeze(1)).squeeze(1)
    if beside.teacher is None:
        return hard
    heat = config.temperature
    teacher = (beside.teacher.clamp_min(1e-9).log() / heat).log_softmax(1)
    student = (log_p / heat).log_softmax(1)
    soft = (teacher.exp() * (teacher - student)).sum(1).clamp_min(0)
    loss: torch.Tensor = (1 - config.weight) * hard + config.weight * heat**2 * soft
    return loss
