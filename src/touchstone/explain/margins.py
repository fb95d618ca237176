"""The margin of a network as torch sees it, so that gradients reach the window."""

import numpy as np
import torch
from torch import nn

from touchstone.arrays import Float32, Float64, Int32
from touchstone.errors import ConfigError
from touchstone.explain.gradients import why_none
from touchstone.models import Fitted
from touchstone.models.layers.network import FittedNetwork, Network, threads
from touchstone.registration import kind_of

BATCH = 512
"""Windows of a pass with gradients."""


class Margin(nn.Module):
    """Windows -> margin of +1, (n,): the same number as `margin_of` the probabilities."""

    def __init__(self, network: Network, n_outcomes: int) -> None:
        """Around a fitted network, which it does not change."""
        super().__init__()
        self.network, self.n_outcomes = network, n_outcomes

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features) float32, (n,) int64 -> (n,)."""
        logits = self.network(windows, asset_id)
        if self.n_outcomes == 1:
            return torch.as_tensor(logits[:, 0])
        return torch.as_tensor(logits[:, 2] - logits[:, :3].mean(1))


def network_of(fitted: Fitted, method: str) -> FittedNetwork:
    """The fitted model, if it is a network.

    Raises:
        ConfigError: it has no gradients to follow.
    """
    if isinstance(fitted, FittedNetwork):
        return fitted
    kind = kind_of(fitted.config)
    raise ConfigError(
        f"{method} follows gradients into the window, and {kind} has none: "
        f"{why_none(fitted)}; take permutation importance"
    )


def margins(fitted: FittedNetwork, windows: Float32, asset_id: Int32) -> Float64:
    """Margin of +1 of scaled windows, (n,), on one thread."""
    module = Margin(fitted.network, fitted.shape.n_outcomes)
    out = np.empty(len(windows))
    with threads(1), torch.inference_mode():
        for start in range(0, len(windows), BATCH):
            part = slice(start, start + BATCH)
            out[part] = module(*tensors(windows[part], asset_id[part])).numpy()
    return out


def slopes(module: Margin, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
    """Gradient of each row's margin in its own window, the shape of the windows."""
    with torch.enable_grad():
        leaf = windows.detach().requires_grad_()
        (found,) = torch.autograd.grad(module(leaf, asset_id).sum(), leaf)
    return torch.as_tensor(found)


def tensors(windows: Float32, asset_id: Int32) -> tuple[torch.Tensor, torch.Tensor]:
    """Scaled windows and instruments as a network takes them."""
    held = torch.from_numpy(np.ascontiguousarray(windows, np.float32))
    return held, torch.from_numpy(asset_id.astype(np.int64))
