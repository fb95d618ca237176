"""Jitter: a little noise on every number of a window."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import PositiveFloat

from touchstone.config import Config, Range
from touchstone.training.augmentations import AUGMENTATIONS, Change, Seen, Setting

if TYPE_CHECKING:
    import torch


class JitterConfig(Config):
    """Noise without memory: the same bar gets another one in each window and each epoch."""

    kind: Literal["jitter"] = "jitter"
    size: Annotated[PositiveFloat, Range(0.001, 0.005)] = 0.003
    """Standard deviation of the noise, as a fraction of the feature's own. A scaler makes that 1
    on train rows (robust: that of a normal of the same interquartile range; a constant feature
    keeps its unit), so the noise is of this size in what the network sees."""


@AUGMENTATIONS.register(JitterConfig)
def jitter(config: JitterConfig, setting: Setting) -> Change:  # noqa: ARG001 (of all parts)
    """Add size * N(0, 1), independent for every bar and feature.

    Source: Bishop (1995), Training with noise is equivalent to Tikhonov regularization.
    """

    def change(seen: Seen, chance: "torch.Generator") -> Seen:
        noise = seen.windows.new_empty(seen.windows.shape).normal_(generator=chance)
        return seen._replace(windows=seen.windows.add_(noise, alpha=config.size))

    return change
