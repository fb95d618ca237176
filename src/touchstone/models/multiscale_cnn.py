"""The same window at several speeds: each bar, means of a few bars, means of a day."""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Config, Range
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.convolution import CausalConv, ResidualBlock
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network
from touchstone.models.layers.pooling import NewestAsks


class MultiscaleCnnConfig(Config):
    """Branches of dilated residual convolutions, one a scale, and attention over the scales."""

    kind: Literal["multiscale_cnn"] = "multiscale_cnn"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    scales: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 4, 24)
    """Bars of which a branch sees the mean: 1, 4, 24 of hours; 1, 5, 15 of minutes. A scale longer
    than the window sees its mean."""
    filters: Annotated[PositiveInt, Range(16, 64, step=16)] = 32
    """Channels of a branch."""
    blocks: Annotated[PositiveInt, Range(1, 3, step=1)] = 2
    """Residual blocks of a branch; the dilation doubles from block to block."""
    kernel: Annotated[PositiveInt, Range(2, 5, step=1)] = 3
    """Steps that a convolution sees: its own and those before."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training."""


@MODELS.register(MultiscaleCnnConfig)
class MultiscaleCnn(Network):
    """For each scale: means of bars -> convolution -> residual blocks -> newest state; then
    attention over the scales, asked by the finest, and the head.

    For scale s: m_j = mean of bars (j - 1) s + 1 .. j s, counted back from the newest; r = m W,
    then r + f(r) with f two convolutions of dilation 2^b; z_s = LN(last r). Attention
    softmax(q(z_1) K(z)' / sqrt(d)) V(z), z_1 of the finest scale; logits of [it, z_1, e(asset)].

    Source: Cui, Chen & Chen (2016), Multi-scale convolutional neural networks for time series; the
    branches: Bai, Kolter & Koltun (2018).
    """  # noqa: D205  what is done takes two lines

    def __init__(self, config: MultiscaleCnnConfig, shape: Shape) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        size = config.filters
        self.scales = tuple(sorted({min(s, shape.lookback) for s in config.scales}, reverse=True))
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        self.branches = nn.ModuleList(
            nn.Sequential(
                CausalConv(shape.n_features, size, 1),
                *(
                    ResidualBlock(size, config.kernel, 2**b, config.dropout)
                    for b in range(config.blocks)
                ),
            )
            for _ in self.scales
        )
        self.norm = nn.LayerNorm(size)
        self.attention = NewestAsks(size, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * size + config.embedding, shape.n_outcomes)

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        channels = windows.transpose(1, 2)
        ends = [
            branch(means(channels, scale))[:, :, -1]
            for scale, branch in zip(self.scales, self.branches, strict=True)
        ]
        states = self.norm(torch.stack(ends, 1))  # the finest last: it asks
        found = torch.cat([self.attention(states), states[:, -1], self.asset(asset_id)], 1)
        logits: torch.Tensor = self.head(self.dropout(found))
        return logits


def means(channels: torch.Tensor, scale: int) -> torch.Tensor:
    """Means of `scale` bars, counted back from the newest; (n, c, lookback // scale) channels."""
    whole = channels.shape[2] // scale * scale
    return nn.functional.avg_pool1d(channels[:, :, -whole:], scale) if scale > 1 else channels
