"""Additive attention: one vector from a sequence, each step weighted by what it says."""

from typing import cast

import torch
from torch import nn


class AdditiveAttention(nn.Module):
    """Weights the steps of a sequence by `softmax(v . tanh(W h + b))` and sums them.

    Source: Bahdanau, Cho & Bengio (2015), section A.1.2, with the query left out: there is one
    reader, and it always asks the same.
    """

    def __init__(self, size: int) -> None:
        """Attend over vectors of `size` numbers."""
        super().__init__()
        self.key = nn.Linear(size, size)
        self.query = nn.Linear(size, 1, bias=False)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> (n, size)."""
        return (self.weights(steps).unsqueeze(1) @ steps).squeeze(1)

    def weights(self, steps: torch.Tensor) -> torch.Tensor:
        """How much each step counts, (n, lookback), summing to one over the steps."""
        energy = self.query(self.key(steps).tanh()).squeeze(-1)
        return cast("torch.Tensor", energy.softmax(-1))
