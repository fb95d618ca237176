"""What networks of recurrent cells share: everything but the cell."""

from typing import Protocol

import torch
from torch import nn

from touchstone.config import Config
from touchstone.models import Shape
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network
from touchstone.models.layers.pooling import Pooling, pooling


class RecurrentConfig(Protocol):
    """What such a network is asked for."""

    hidden: int
    layers: int
    bidirectional: bool
    pooling: Pooling
    embedding: int
    dropout: float


class Recurrent(Network):
    """Embedding at each step -> cells -> LayerNorm -> pooling (+ last state) -> head."""

    cell: type[nn.GRU | nn.LSTM]

    def __init__(self, config: Config, shape: Shape) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        wish: RecurrentConfig = config  # type: ignore[assignment]  # the part's own config
        size = wish.hidden * (2 if wish.bidirectional else 1)
        self.asset = AssetEmbedding(shape.n_assets, wish.embedding)
        self.recurrence = self.cell(
            shape.n_features + wish.embedding,
            wish.hidden,
            wish.layers,
            batch_first=True,
            dropout=wish.dropout if wish.layers > 1 else 0.0,
            bidirectional=wish.bidirectional,
        )
        self.norm = nn.LayerNorm(size)
        self.attention = pooling(wish.pooling, size)
        # At first attention weighs all steps alike, and a mean over the window hides what the
        # newest bars say. With the last state beside it the network learns from the first epoch.
        self.causal = not wish.bidirectional
        self.has_last = wish.pooling not in ("last", "mean")
        self.dropout = nn.Dropout(wish.dropout)
        self.head = nn.Linear(size, shape.n_outcomes)

    def states(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """The cells' states at each step, (n, lookback, size)."""
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        found, _ = self.recurrence(torch.cat([windows, identity], 2))
        normed: torch.Tensor = self.norm(found)
        return normed

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        states = self.states(windows, asset_id)
        summary = self.attention(states)
        if self.has_last:
            summary = summary + states[:, -1]
        logits: torch.Tensor = self.head(self.dropout(summary))
        return logits
