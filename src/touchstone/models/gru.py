"""A recurrent network over the window: what the last bars were, and in which order."""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Config, Range
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.attention import AdditiveAttention
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network


class GruConfig(Config):
    """Gated recurrent units, pooled over the window by additive attention."""

    kind: Literal["gru"] = "gru"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest."""
    hidden: Annotated[PositiveInt, Range(16, 128, step=16)] = 64
    """Units of a layer."""
    layers: Annotated[PositiveInt, Range(1, 2, step=1)] = 1
    """Layers, one upon the other."""
    embedding: PositiveInt = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training, between layers and before the head."""


@MODELS.register(GruConfig)
class Gru(Network):
    """Embedding at each step -> GRU -> LayerNorm -> additive attention + last state -> head.

    Source: Cho et al. (2014), Learning Phrase Representations, section 2.3.
    """

    def __init__(self, config: GruConfig, shape: Shape) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        between = config.dropout if config.layers > 1 else 0.0
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        self.recurrence = nn.GRU(
            shape.n_features + config.embedding,
            config.hidden,
            config.layers,
            batch_first=True,
            dropout=between,
        )
        self.norm = nn.LayerNorm(config.hidden)
        self.attention = AdditiveAttention(config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, shape.n_outcomes)

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        states, _ = self.recurrence(torch.cat([windows, identity], 2))
        states = self.norm(states)
        # At first attention weighs all steps alike, and a mean over the window hides what the
        # newest bars say. With the last state beside it the network learns from the first epoch.
        summary = self.attention(states) + states[:, -1]
        logits: torch.Tensor = self.head(self.dropout(summary))
        return logits
