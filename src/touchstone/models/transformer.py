"""Attention over the window: every bar looks at those before it, whatever lies between."""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import nn

from touchstone.config import Choice, Config, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network
from touchstone.models.layers.positions import LearnedPositions, SinusoidalPositions
from touchstone.models.layers.self_attention import Attention
from touchstone.models.layers.transformer_block import TransformerBlock


class TransformerConfig(Config):
    """Blocks of masked self-attention; the newest step answers."""

    kind: Literal["transformer"] = "transformer"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    width: Annotated[PositiveInt, Range(16, 128, step=16)] = 64
    """Numbers of a step inside the network, a multiple of `heads`."""
    heads: PositiveInt = 4
    """Attentions side by side."""
    layers: Annotated[PositiveInt, Range(1, 4, step=1)] = 2
    """Blocks, one upon the other."""
    attention: Attention = "softmax"
    """softmax; or `linear`, `performer`, whose cost grows with the lookback and not its square."""
    causal: bool = True
    """Whether a step sees none after it; the newest sees all either way."""
    positions: Annotated[Literal["sinusoidal", "learned"], Choice()] = "sinusoidal"
    """How a step says where it stands."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training."""

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "TransformerConfig":
        if self.width % self.heads:
            raise ConfigError(
                f"transformer: width {self.width} is no multiple of heads {self.heads}; "
                f"take width {self.width // self.heads * self.heads or self.heads}"
            )
        return self


@MODELS.register(TransformerConfig)
class Transformer(Network):
    """Linear -> positions -> blocks -> LayerNorm -> newest step -> head.

    x = W [bar, e(asset)] + position; each block x + A(LN(x)), then x + F(LN(x)), with A the
    attention softmax(Q K' / sqrt(d)) V over the steps up to each, and F two linear layers.

    Source: Vaswani et al. (2017), Attention is all you need; see `SelfAttention` for its kinds; the
    norm before each part: Xiong et al. (2020), On layer normalization in the transformer.
    """

    def __init__(self, config: TransformerConfig, shape: Shape) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        size = config.width
        self.causal = config.causal
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        self.into = nn.Linear(shape.n_features + config.embedding, size)
        learned = config.positions == "learned"
        self.positions = (LearnedPositions if learned else SinusoidalPositions)(
            shape.lookback, size
        )
        self.blocks = nn.Sequential(
            *(
                TransformerBlock(
                    size, config.heads, config.attention, config.dropout, causal=config.causal
                )
                for _ in range(config.layers)
            )
        )
        self.norm = nn.LayerNorm(size)
        self.head = nn.Linear(size, shape.n_outcomes)

    def states(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """Each step after all blocks, (n, lookback, width)."""
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        steps = self.positions(self.into(torch.cat([windows, identity], 2)))
        normed: torch.Tensor = self.norm(self.blocks(steps))
        return normed

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        logits: torch.Tensor = self.head(self.states(windows, asset_id)[:, -1])
        return logits
