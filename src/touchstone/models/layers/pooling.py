"""From the steps of a window to one vector."""

from typing import Final, Literal, TypeAlias, cast

import torch
from torch import nn

from touchstone.errors import ConfigError
from touchstone.models.layers.attention import AdditiveAttention

Pooling: TypeAlias = Literal["last", "mean", "additive", "self", "multi_head"]


class Last(nn.Module):
    """The newest step."""

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> (n, size)."""
        return steps[:, -1]


class Mean(nn.Module):
    """All steps alike."""

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> (n, size)."""
        return steps.mean(1)


class NewestAsks(nn.Module):
    """The newest step asks all others: softmax(q . k / sqrt(d)) v, with one head or several.

    Source: Vaswani et al. (2017), section 3.2, with one query.
    """

    def __init__(self, size: int, heads: int) -> None:
        """Attend over vectors of `size` numbers, a multiple of `heads`."""
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(size, size)
        self.pair = nn.Linear(size, 2 * size)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> (n, size)."""
        query, pair = self._asked(steps)
        found = nn.functional.scaled_dot_product_attention(query, pair[0], pair[1])
        return found.reshape(steps.shape[0], steps.shape[2])

    def weights(self, steps: torch.Tensor) -> torch.Tensor:
        """How much each head gives each step, (n, heads, lookback), summing to one over the steps.

        For people who look: `forward` computes its own.
        """
        query, pair = self._asked(steps)
        energy = query @ pair[0].transpose(2, 3) / query.shape[-1] ** 0.5
        return cast("torch.Tensor", energy.softmax(-1)[:, :, 0])

    def _asked(self, steps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The newest step's query (n, heads, 1, d), and keys and values (2, n, heads, steps, d)."""
        n, lookback, size = steps.shape
        each = size // self.heads
        query = self.query(steps[:, -1]).view(n, self.heads, 1, each)
        pair = self.pair(steps).view(n, lookback, 2, self.heads, each).permute(2, 0, 3, 1, 4)
        return query, pair


HEADS: Final = 4


def pooling(kind: Pooling, size: int) -> nn.Module:
    """The module of this name, (n, lookback, size) -> (n, size).

    Raises:
        ConfigError: heads that do not share the size.
    """
    if kind == "multi_head" and size % HEADS:
        raise ConfigError(
            f"pooling: multi_head has {HEADS} heads, and {size} units are no multiple of it; take "
            f"hidden {max(size // HEADS, 1) * HEADS}, or pooling: self"
        )
    if kind == "last":
        return Last()
    if kind == "mean":
        return Mean()
    if kind == "additive":
        return AdditiveAttention(size)
    return NewestAsks(size, 1 if kind == "self" else HEADS)
