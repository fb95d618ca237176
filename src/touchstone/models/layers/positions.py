"""Where in the window a step stands: counted from the newest, which is step 0."""

import math

import torch
from torch import nn


class SinusoidalPositions(nn.Module):
    """Adds sines and cosines of a step's age, wavelengths from 2 pi to 10,000 x 2 pi.

    Source: Vaswani et al. (2017), section 3.5. Ages count back from the decision, so that a step
    means the same under any lookback.
    """

    table: torch.Tensor

    def __init__(self, lookback: int, size: int) -> None:
        """A table of `lookback` ages for vectors of `size` numbers."""
        super().__init__()
        age = torch.arange(lookback - 1, -1, -1).unsqueeze(1)
        rate = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000) / size))
        table = torch.zeros(lookback, size)
        table[:, 0::2] = (age * rate).sin()
        table[:, 1::2] = (age * rate).cos()[:, : size // 2]
        self.register_buffer("table", table, persistent=False)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> the same shape."""
        return steps + self.table


class LearnedPositions(nn.Module):
    """Adds a learned vector for each step of the window.

    Source: Gehring et al. (2017), section 3.1.
    """

    def __init__(self, lookback: int, size: int) -> None:
        """Vectors of `size` numbers for `lookback` steps."""
        super().__init__()
        self.vector = nn.Parameter(torch.randn(lookback, size) * 0.02)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """(n, lookback, size) -> the same shape."""
        return steps + self.vector
