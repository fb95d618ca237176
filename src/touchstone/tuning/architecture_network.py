"""The network that is searched over: on each edge all operations at once, weighed by a softmax."""

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import nn

from touchstone.models import Shape
from touchstone.models.darts import DartsConfig
from touchstone.models.layers.cells import N_BEFORE, CellNetwork
from touchstone.models.layers.operations import NONE, operation

EdgeKey: TypeAlias = tuple[int, int]
"""Node, and the place it takes from, as in `models.layers.cells.Layout`."""
Choices: TypeAlias = Mapping[EdgeKey, tuple[str, ...]]
"""What each edge chooses among."""
_SPREAD = 1e-3
"""Of the architecture at the start: all operations of an edge weigh the same, ties apart."""
_SKIP = "skip"


class Silence:
    """How much of what comes over a skip is silenced while weights learn, and what draws it."""

    def __init__(self) -> None:
        """Nothing is silenced."""
        self.rate = 0.0
        self.rng = torch.Generator()

    def begin(self, seed: int) -> None:
        """From here on the same is silenced as after any other beginning with this seed."""
        self.rng.manual_seed(seed)


class SilencedSkip(nn.Module):
    """The step itself, some of its values silenced in training.

    So the way that is learned at once is partly cut, and others are tried.

    Source: Chen et al. (2019), Progressive DARTS, section 3.3 (operation-level dropout).
    """

    def __init__(self, silence: Silence) -> None:
        """`silence`: one for all skips of a network."""
        super().__init__()
        self.silence = silence

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> the same shape."""
        rate = self.silence.rate
        if not self.training or rate == 0:
            return channels
        stay = torch.rand(channels.shape, generator=self.silence.rng) >= rate
        return channels * stay.to(channels) / (1 - rate)


class MixedOperation(nn.Module):
    """sum over o of softmax(alpha)_o o(x), Liu et al. (2019), equation 2."""

    def __init__(
        self, names: tuple[str, ...], width: int, lookback: int,
        learned: tuple[nn.Parameter, Silence],
    ) -> None:  # fmt: skip
        """`learned`: alpha, (n_names,), the same in all cells, and what silences skips."""
        super().__init__()
        self.alpha, silence = learned
        # `none` adds nothing: it only takes its share away from the others.
        self.at = [i for i, name in enumerate(names) if name != NONE]
        self.operations = nn.ModuleList(
            SilencedSkip(silence)
            if names[i] == _SKIP
            else operation(names[i], width, lookback, affine=False)
            for i in self.at
        )

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, width, lookback) -> the same shape."""
        share = self.alpha.softmax(0)
        found: torch.Tensor = share[self.at[0]] * self.operations[0](channels)
        for i, one in zip(self.at[1:], list(self.operations)[1:], strict=True):
            found = found + share[i] * one(channels)
        return found


class SearchNetwork(CellNetwork):
    """As `models.darts`, its nodes fed by all places before them, its edges mixed."""

    def __init__(self, config: DartsConfig, shape: Shape, choices: Choices) -> None:
        """Build it for windows of this shape; the config's genotype has no say."""
        alphas = {
            edge: nn.Parameter(torch.randn(len(names)) * _SPREAD)
            for edge, names in choices.items()
        }  # fmt: skip
        silence = Silence()

        def on_edge(node: int, place: int) -> nn.Module:
            edge = (node, place)
            own = (alphas[edge], silence)
            return MixedOperation(choices[edge], config.width, shape.lookback, own)

        nodes = 1 + max(node for node, _ in choices)
        layout = [[place for place in range(N_BEFORE + k)] for k in range(nodes)]
        super().__init__(config, shape, layout, on_edge)
        self.alphas, self.silence = alphas, silence

    def weights(self) -> dict[str, nn.Parameter]:
        """Everything that is learned but the architecture, by name."""
        own = {id(alpha) for alpha in self.alphas.values()}
        return {name: p for name, p in self.named_parameters() if id(p) not in own}

    def shares(self) -> dict[EdgeKey, tuple[float, ...]]:
        """What each operation weighs on each edge, summing to one."""
        return {
            edge: tuple(alpha.detach().double().softmax(0).tolist())
            for edge, alpha in self.alphas.items()
        }


def every_edge(nodes: int, names: tuple[str, ...]) -> dict[EdgeKey, tuple[str, ...]]:
    """All edges of a cell, each choosing among the same operations."""
    return {(k, place): names for k in range(nodes) for place in range(N_BEFORE + k)}
