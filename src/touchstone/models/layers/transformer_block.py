"""One block of a transformer: attention, then a feed-forward layer, each added to what came."""

import torch
from torch import nn

from touchstone.models.layers.self_attention import Attention, SelfAttention


class TransformerBlock(nn.Module):
    """x + attention(norm(x)), then x + W2 gelu(W1 norm(x)): normalised before, not after.

    Source: Vaswani et al. (2017), section 3.1; the order: Xiong et al. (2020).
    """

    def __init__(
        self, size: int, heads: int, attention: Attention, dropout: float, *, causal: bool
    ) -> None:
        """For vectors of `size` numbers."""
        super().__init__()
        self.attention = SelfAttention(size, heads, attention, causal=causal)
        self.norms = nn.ModuleList([nn.LayerNorm(size), nn.LayerNorm(size)])
        self.forth = nn.Sequential(
            nn.Linear(size, 2 * size), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * size, size)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> the same shape."""
        steps = steps + self.dropout(self.attention(self.norms[0](steps)))
        out: torch.Tensor = steps + self.dropout(self.forth(self.norms[1](steps)))
        return out
