"""A feed-forward network over the flattened window."""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Config, Range
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network


class MlpConfig(Config):
    """Fully connected layers with ReLU."""

    kind: Literal["mlp"] = "mlp"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (128, 64, 32)
    """Units of each hidden layer."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.2
    """Share of units silenced in training, after every hidden layer."""


@MODELS.register(MlpConfig)
class Mlp(Network):
    """Flattened window and asset embedding -> hidden layers -> head.

    h_0 = [x_1 .. x_lookback, e(asset)], h_k = dropout(relu(W_k h_{k-1} + b_k)), logits W h_K + b.

    Source: Rumelhart, Hinton & Williams (1986); relu: Nair & Hinton (2010); dropout: Srivastava et
    al. (2014).
    """

    def __init__(self, config: MlpConfig, shape: Shape) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        sizes = (shape.lookback * shape.n_features + config.embedding, *config.hidden)
        layers: list[nn.Module] = []
        for i, size in enumerate(config.hidden):
            layers += [nn.Linear(sizes[i], size), nn.ReLU(), nn.Dropout(config.dropout)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], shape.n_outcomes)

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        inputs = torch.cat([windows.flatten(1), self.asset(asset_id)], 1)
        logits: torch.Tensor = self.head(self.body(inputs))
        return logits
