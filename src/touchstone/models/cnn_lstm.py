"""Convolutions find short shapes in the window, a recurrent layer reads their order."""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from touchstone.config import Choice, Config, Range
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.convolution import BatchNorm, CausalConv
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network
from touchstone.models.layers.pooling import Pooling, pooling


class CnnLstmConfig(Config):
    """Convolutions with batch normalisation, then long short-term memory, then attention."""

    kind: Literal["cnn_lstm"] = "cnn_lstm"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    filters: Annotated[PositiveInt, Range(16, 64, step=16)] = 32
    """Channels of a convolution."""
    convolutions: Annotated[PositiveInt, Range(1, 2, step=1)] = 1
    """Convolutions, one upon the other."""
    kernel: Annotated[PositiveInt, Range(3, 5, step=1)] = 3
    """Steps that a convolution sees: its own and those before."""
    pool: PositiveInt = 1
    """Steps of which the largest is kept, counted back from the newest; 1: all are."""
    hidden: Annotated[PositiveInt, Range(16, 128, step=16)] = 64
    """Units of the recurrent layer."""
    pooling: Annotated[Pooling, Choice()] = "additive"
    """How the states of the window become one vector, as in `lstm`."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training, before the head."""


@MODELS.register(CnnLstmConfig)
class CnnLstm(Network):
    """(convolution -> BatchNorm -> ReLU) x k -> max pool -> LSTM -> LayerNorm -> attention -> head.

    c = max over `pool` steps of relu(BN(sum over k of W_k [x, e(asset)]_{t-k})), h = LSTM(c) as in
    `lstm`, logits W (sum over t of a_t LN(h_t) + LN(h_T)) + b, a as `pooling` says.

    Source: Sainath et al. (2015), Convolutional, LSTM, fully connected deep neural networks.
    """

    def __init__(self, config: CnnLstmConfig, shape: Shape) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        n_in, layers = shape.n_features + config.embedding, list[nn.Module]()
        for _ in range(config.convolutions):
            layers += [
                CausalConv(n_in, config.filters, config.kernel),
                BatchNorm(config.filters),
                nn.ReLU(),
            ]
            n_in = config.filters
        self.body = nn.Sequential(*layers)
        self.pool = min(config.pool, shape.lookback)
        self.causal = self.pool == 1
        self.recurrence = nn.LSTM(config.filters, config.hidden, batch_first=True)
        self.norm = nn.LayerNorm(config.hidden)
        self.attention = pooling(config.pooling, config.hidden)
        self.has_last = config.pooling not in ("last", "mean")
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, shape.n_outcomes)

    def states(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """The recurrent states, (n, lookback / pool, hidden)."""
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        channels = self.body(torch.cat([windows, identity], 2).transpose(1, 2))
        if self.pool > 1:  # whole groups, the newest step always in the last of them
            whole = channels.shape[2] // self.pool * self.pool
            channels = nn.functional.max_pool1d(channels[:, :, -whole:], self.pool)
        found, _ = self.recurrence(channels.transpose(1, 2))
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
