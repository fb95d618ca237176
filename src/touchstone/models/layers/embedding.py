"""A learned vector per instrument, and one for an instrument that the model never met."""

import torch
from torch import nn

_SPREAD = 0.1
"""Standard deviation at the start: small beside a scaled feature, so that the identity of an
instrument has to earn its influence."""


class AssetEmbedding(nn.Module):
    """`asset_id` -> vector; an id outside [0, n_assets) gets the mean of all known instruments.

    A row of its own for the unknown would stay as it was drawn, since no train row has it; the
    mean is the best guess for a newcomer and needs no training.
    """

    def __init__(self, n_assets: int, size: int) -> None:
        """Vectors of `size` numbers for ids 0 .. n_assets - 1."""
        super().__init__()
        self.vector = nn.Parameter(torch.randn(n_assets, size) * _SPREAD)

    def forward(self, asset_id: torch.Tensor) -> torch.Tensor:
        """(n,) int64 -> (n, size)."""
        n_assets = self.vector.shape[0]
        table = torch.cat([self.vector, self.vector.mean(0, keepdim=True)])
        known = (asset_id >= 0) & (asset_id < n_assets)
        return table.index_select(0, asset_id.where(known, n_assets))
