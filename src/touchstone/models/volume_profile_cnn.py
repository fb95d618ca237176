"""Volume at price, or the depth of a book, as a picture: price upon time."""

from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import nn

from touchstone.config import Config, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.attention import AdditiveAttention
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network


class VolumeProfileCnnConfig(Config):
    """A 2-D convolutional network over neighbouring columns, attention over time."""

    kind: Literal["volume_profile_cnn"] = "volume_profile_cnn"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    first: NonNegativeInt = 0
    """Place of the lowest price's column among the study's features."""
    bins: PositiveInt | None = None
    """Columns of the picture, by rising price; null: all that follow. The other features stand
    beside it."""
    filters: Annotated[PositiveInt, Range(8, 32, step=8)] = 16
    """Channels of a convolution."""
    convolutions: Annotated[PositiveInt, Range(1, 3, step=1)] = 2
    """Convolutions, one upon the other."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training, before the head."""


@MODELS.register(VolumeProfileCnnConfig)
class VolumeProfileCnn(Network):
    """(3 x 3 convolution -> ReLU) x k -> mean and largest over prices -> attention over time.

    c = relu(W * c) over (time, price), k times; s_t = LN(relu(U [mean, max over prices of c_t, the
    other features, e(asset)])); logits W (sum over t of a_t s_t + s_T) + b, a additive attention.

    Source: Zhang, Zohren & Roberts (2019), DeepLOB, for books as pictures.
    """

    def __init__(self, config: VolumeProfileCnnConfig, shape: Shape) -> None:
        """Build it for windows of this shape.

        Raises:
            ConfigError: the picture reaches past the features.
        """
        super().__init__(config, shape)
        self.first = config.first
        self.end = shape.n_features if config.bins is None else config.first + config.bins
        if not self.first < self.end <= shape.n_features:
            raise ConfigError(
                f"volume_profile_cnn: columns {self.first} to {self.end - 1} are asked for, the "
                f"study has {shape.n_features} features: lower first or bins"
            )
        n_beside = shape.n_features - (self.end - self.first)
        self.asset = AssetEmbedding(shape.n_assets, config.embedding)
        layers, n_in = list[nn.Module](), 1
        for _ in range(config.convolutions):
            layers += [nn.Conv2d(n_in, config.filters, 3, padding=1), nn.ReLU()]
            n_in = config.filters
        self.body = nn.Sequential(*layers)
        self.into = nn.Linear(2 * config.filters + n_beside + config.embedding, config.filters)
        self.norm = nn.LayerNorm(config.filters)
        self.attention = AdditiveAttention(config.filters)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.filters, shape.n_outcomes)

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        picture = self.body(windows[:, None, :, self.first : self.end])
        over_prices = torch.cat([picture.mean(3), picture.amax(3)], 1).transpose(1, 2)
        beside = torch.cat([windows[:, :, : self.first], windows[:, :, self.end :]], 2)
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        steps = self.norm(self.into(torch.cat([over_prices, beside, identity], 2)).relu())
        summary = self.attention(steps) + steps[:, -1]
        logits: torch.Tensor = self.head(self.dropout(summary))
        return logits
