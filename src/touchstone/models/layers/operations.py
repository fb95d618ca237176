"""What may stand on an edge of a cell: operations over the window that see no later step."""

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, get_args

import torch
from torch import nn
from torch.nn import functional

from touchstone.models.layers.positions import SinusoidalPositions
from touchstone.models.layers.self_attention import SelfAttention

Operation: TypeAlias = Literal[
    "skip", "conv3", "conv5", "dilated3", "average_pool", "max_pool", "attention"
]
"""What a found network may hold."""
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)
NONE: Final = "none"
"""Nothing passes: a choice of the search alone."""
DILATION: Final = 4
"""Steps between those that `dilated3` sees: it reaches 8 back."""
POOLED: Final = 3
"""Steps that a pooling sees: its own and those before."""


class Zero(nn.Module):
    """Nothing, of the same shape."""

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> zeros."""
        return torch.zeros_like(channels)


class ChannelNorm(nn.Module):
    """Each step's channels to mean 0 and variance 1, then their own scale and shift.

    In place of the paper's batch normalisation: a step's value then depends on no other row, in
    training neither, so that two batches of a search can be told apart by their gradients alone.

    Source: Ba, Kiros & Hinton (2016), Layer normalization, section 3.
    """

    def __init__(self, width: int, *, affine: bool = True) -> None:
        """For `width` channels; without `affine` they stay at mean 0 and variance 1."""
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=affine)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> the same shape."""
        normed: torch.Tensor = self.norm(channels.transpose(1, 2))
        return normed.transpose(1, 2)


class SeparableConv(nn.Module):
    """ReLU -> each channel along time -> the channels of each step -> norm; zeros before the first.

    Source: Liu, Simonyan & Yang (2019), section 3.1, with one such pass where the paper has two.
    """

    def __init__(self, width: int, kernel: int, dilation: int = 1, *, affine: bool = True) -> None:
        """For `width` channels."""
        super().__init__()
        self.before = (kernel - 1) * dilation
        self.along = nn.Conv1d(width, width, kernel, dilation=dilation, groups=width, bias=False)
        self.across = nn.Conv1d(width, width, 1, bias=False)
        self.norm = ChannelNorm(width, affine=affine)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> the same shape."""
        seen = functional.pad(channels.relu(), (self.before, 0))
        out: torch.Tensor = self.norm(self.across(self.along(seen)))
        return out


class Pool(nn.Module):
    """Mean or largest of a step and those before it; the first step stands for what was before."""

    def __init__(self, width: int, kind: Literal["average", "max"], *, affine: bool = True) -> None:
        """For `width` channels."""
        super().__init__()
        self.kind = kind
        self.norm = ChannelNorm(width, affine=affine)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> the same shape."""
        first = channels[:, :, :1].expand(-1, -1, POOLED - 1)
        seen = torch.cat([first, channels], 2)
        pool = functional.avg_pool1d if self.kind == "average" else functional.max_pool1d
        out: torch.Tensor = self.norm(pool(seen, POOLED, stride=1))
        return out


class Attention(nn.Module):
    """A step asks itself and all before it, which say how old they are; one head, then the norm."""

    def __init__(self, width: int, lookback: int, *, affine: bool = True) -> None:
        """For `width` channels of `lookback` steps."""
        super().__init__()
        self.positions = SinusoidalPositions(lookback, width)
        self.attention = SelfAttention(width, 1, "softmax", causal=True)
        self.norm = nn.LayerNorm(width, elementwise_affine=affine)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> the same shape."""
        steps = self.positions(channels.transpose(1, 2))
        out: torch.Tensor = self.norm(self.attention(steps))
        return out.transpose(1, 2)


_MAKE: Final[Mapping[str, Callable[[int, int, bool], nn.Module]]] = {
    NONE: lambda _width, _lookback, _affine: Zero(),
    "skip": lambda _width, _lookback, _affine: nn.Identity(),
    "conv3": lambda width, _lookback, affine: SeparableConv(width, 3, affine=affine),
    "conv5": lambda width, _lookback, affine: SeparableConv(width, 5, affine=affine),
    "dilated3": lambda width, _lookback, affine: SeparableConv(width, 3, DILATION, affine=affine),
    "average_pool": lambda width, _lookback, affine: Pool(width, "average", affine=affine),
    "max_pool": lambda width, _lookback, affine: Pool(width, "max", affine=affine),
    "attention": lambda width, lookback, affine: Attention(width, lookback, affine=affine),
}


def operation(name: str, width: int, lookback: int, *, affine: bool = True) -> nn.Module:
    """The operation of this name: (n, width, lookback) -> the same shape.

    A step of what it gives depends on no later step of what it got.

    Args:
        name: one of `OPERATIONS`, or `NONE`.
        width: channels.
        lookback: steps.
        affine: whether its norm has a scale and shift of its own. A search does without: they
            would undo the weight that it gives to the operation (Liu et al. 2019, appendix A.1).
    """
    return _MAKE[name](width, lookback, affine)
