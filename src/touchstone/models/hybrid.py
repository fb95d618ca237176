"""Three readers of one window, and a gate that trusts them by the regime."""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Config, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.convolution import CausalConv, ResidualBlock
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network
from touchstone.models.layers.positions import SinusoidalPositions
from touchstone.models.layers.transformer_block import TransformerBlock


class HybridConfig(Config):
    """Convolution, LSTM and transformer, cross-attention between them, a learned gate."""

    kind: Literal["hybrid"] = "hybrid"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    width: Annotated[PositiveInt, Range(16, 64, step=16)] = 32
    """Numbers of a step in each branch, a multiple of `heads`."""
    heads: PositiveInt = 4
    """Attentions side by side."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training."""


@MODELS.register(HybridConfig)
class Hybrid(Network):
    """Each branch's newest state asks the steps of the other two (cross-attention); the answers are
    weighed by g = softmax(W [mean, sd over the window of every feature]), the regime as it shows.

    Source: cross-attention: Vaswani et al. (2017), section 3.2.3; the gate: Jacobs et al. (1991),
    Adaptive mixtures of local experts.
    """  # noqa: D205  what is done takes two lines

    def __init__(self, config: HybridConfig, shape: Shape) -> None:
        """Build it for windows of this shape.

        Raises:
            ConfigError: heads that do not share the width.
        """
        super().__init__(config, shape)
        size = config.width
        if size % config.heads:
            raise ConfigError(
                f"hybrid: width {size} is no multiple of heads {config.heads}; "
                f"take width {size // config.heads * config.heads or config.heads}"
            )
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        self.into = nn.Linear(shape.n_features + config.embedding, size)
        self.convolution = nn.Sequential(
            CausalConv(size, size, 3), ResidualBlock(size, 3, 2, config.dropout)
        )
        self.recurrence = nn.LSTM(size, size, batch_first=True)
        self.positions = SinusoidalPositions(shape.lookback, size)
        self.block = TransformerBlock(size, config.heads, "softmax", config.dropout, causal=True)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(3))
        self.crossed = nn.ModuleList(
            nn.MultiheadAttention(size, config.heads, batch_first=True) for _ in range(3)
        )
        self.gate = nn.Linear(2 * shape.n_features, 3)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(size, shape.n_outcomes)

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        steps = self.into(torch.cat([windows, identity], 2))
        read = (
            self.convolution(steps.transpose(1, 2)).transpose(1, 2),
            self.recurrence(steps)[0],
            self.block(self.positions(steps)),
        )
        branches = [norm(one) for norm, one in zip(self.norms, read, strict=True)]
        answers = []
        for b, attention in enumerate(self.crossed):
            newest = branches[b][:, -1:]
            others = torch.cat([one for o, one in enumerate(branches) if o != b], 1)
            asked, _ = attention(newest, others, others, need_weights=False)
            answers.append((newest + asked).squeeze(1))
        share = self.trust(windows).unsqueeze(2)
        summary = (torch.stack(answers, 1) * share).sum(1)
        logits: torch.Tensor = self.head(self.dropout(summary))
        return logits

    def trust(self, windows: torch.Tensor) -> torch.Tensor:
        """What the gate gives convolution, LSTM and transformer, (n, 3), summing to one."""
        regime = torch.cat([windows.mean(1), windows.std(1, correction=0)], 1)
        trust: torch.Tensor = self.gate(regime).softmax(1)
        return trust
