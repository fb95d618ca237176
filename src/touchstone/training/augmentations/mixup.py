"""Mixup: two windows in one, and both answers."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

import numpy as np
from pydantic import Field
from scipy.special import betaincinv

from touchstone.config import Config, Range
from touchstone.training.augmentations import AUGMENTATIONS, Change, Seen, Setting

if TYPE_CHECKING:
    import torch

_STEPS: Final = 4096
"""Of the table of quantiles that shares are drawn from."""


class MixupConfig(Config):
    """Mixes each row with the one before it in its batch, an order drawn anew each epoch."""

    kind: Literal["mixup"] = "mixup"
    alpha: Annotated[float, Field(gt=0, le=8), Range(0.1, 1.0)] = 0.2
    """Of the Beta(alpha, alpha) that a share l is drawn from; the larger, the more is mixed. The
    row keeps max(l, 1 - l): it has the larger part, and its instrument."""


@AUGMENTATIONS.register(MixupConfig)
def mixup(config: MixupConfig, setting: Setting) -> Change:
    """Give l x + (1 - l) x', learned from as l loss(y) + (1 - l) loss(y').

    For a cross-entropy that is the soft truth l y + (1 - l) y'. Answers weigh what their rows
    weigh; tasks and teachers are shared likewise.

    Source: Zhang et al. (2018), mixup: Beyond empirical risk minimization, section 2; a share of
    its own for each row, and the larger one: Berthelot et al. (2019), MixMatch, section 3.3.
    """
    level = (np.arange(_STEPS) + 0.5) / _STEPS
    share = betaincinv(config.alpha, config.alpha, level)
    table = setting.zero.new_tensor(np.maximum(share, 1 - share))

    def change(seen: Seen, chance: "torch.Generator") -> Seen:
        windows, n = seen.windows, len(seen.windows)
        at = (windows.new_empty(n).uniform_(generator=chance) * _STEPS).long()
        kept = table[at]
        other = windows.roll(1, 0)
        mixed = other.lerp_(windows, kept.view(-1, 1, 1))
        partner = (at.new_ones(n).cumsum(0) - 2).remainder(n)  # of each, the row before it
        return seen._replace(windows=mixed, partner=partner, share=kept)

    return change
