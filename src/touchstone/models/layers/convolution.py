"""Convolutions along the window that see no later step than their own."""

import torch
from torch import nn
from torch.nn import functional


class CausalConv(nn.Module):
    """A step from itself and the `(kernel - 1) x dilation` steps before; zeros before the first."""

    def __init__(self, n_in: int, n_out: int, kernel: int, dilation: int = 1) -> None:
        """From `n_in` channels to `n_out`."""
        super().__init__()
        self.before = (kernel - 1) * dilation
        self.convolution = nn.Conv1d(n_in, n_out, kernel, dilation=dilation)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, n_in, lookback) -> (n, n_out, lookback)."""
        out: torch.Tensor = self.convolution(functional.pad(channels, (self.before, 0)))
        return out


class BatchNorm(nn.BatchNorm1d):
    """As torch's; a batch of one step has no spread, and is measured by what was seen before it."""

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, size, lookback) -> the same shape."""
        if self.training and channels.shape[0] * channels.shape[2] == 1:
            return functional.batch_norm(
                channels, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        out: torch.Tensor = super().forward(channels)
        return out


class ResidualBlock(nn.Module):
    """x + f(x): two causal convolutions of one dilation, normalised over the channels.

    Source: Bai, Kolter & Koltun (2018), section 3.4, with layer for weight normalisation.
    """

    def __init__(self, size: int, kernel: int, dilation: int, dropout: float) -> None:
        """For `size` channels."""
        super().__init__()
        self.first = CausalConv(size, size, kernel, dilation)
        self.second = CausalConv(size, size, kernel, dilation)
        self.norms = nn.ModuleList([nn.LayerNorm(size), nn.LayerNorm(size)])
        self.dropout = nn.Dropout(dropout)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, size, lookback) -> the same shape."""
        found = channels
        for norm, convolution in zip(self.norms, (self.first, self.second), strict=True):
            normed = norm(found.transpose(1, 2)).transpose(1, 2)
            found = convolution(self.dropout(normed.relu()))
        return channels + found
