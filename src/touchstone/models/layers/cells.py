"""A network of cells: nodes that add up what comes over their edges, one cell upon the other.

The found network and the one that is searched over differ only in what stands on an edge.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import torch
from torch import nn

from touchstone.config import Config
from touchstone.models import Shape
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import Network
from touchstone.models.layers.operations import ChannelNorm

Layout: TypeAlias = Sequence[Sequence[int]]
"""Of each node the places it takes from: 0 the cell before the last, 1 the last cell, 2 the first
node, 3 the second, ..."""
OnEdge: TypeAlias = Callable[[int, int], nn.Module]
"""(node, place it takes from) -> what stands there, (n, width, lookback) -> the same shape."""
N_BEFORE = 2
"""Places of a cell that are not its own nodes."""


class CellsConfig(Protocol):
    """What such a network is asked for."""

    cells: int
    width: int
    embedding: int
    dropout: float


class Enter(nn.Module):
    """ReLU -> the channels of each step -> norm: what a cell before gives, at this one's width."""

    def __init__(self, n_in: int, width: int) -> None:
        """From `n_in` channels to `width`."""
        super().__init__()
        self.across = nn.Conv1d(n_in, width, 1, bias=False)
        self.norm = ChannelNorm(width)

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """(n, n_in, lookback) -> (n, width, lookback)."""
        out: torch.Tensor = self.norm(self.across(channels.relu()))
        return out


class Cell(nn.Module):
    """Each node is the sum of what its edges make of the places they come from; all are given."""

    def __init__(self, n_in: tuple[int, int], width: int, layout: Layout, on_edge: OnEdge) -> None:
        """`n_in`: channels that the cell before the last, and the last one, give."""
        super().__init__()
        self.layout = tuple(tuple(node) for node in layout)
        taken = taken_before(layout)
        self.enter = nn.ModuleDict({str(i): Enter(n_in[i], width) for i in taken})
        self.edges = nn.ModuleDict(
            {f"{k}_{i}": on_edge(k, i) for k, node in enumerate(self.layout) for i in node}
        )

    def forward(self, before: Sequence[torch.Tensor]) -> torch.Tensor:
        """Two of (n, n_in, lookback) -> (n, nodes * width, lookback)."""
        places = {int(i): enter(before[int(i)]) for i, enter in self.enter.items()}
        for k, node in enumerate(self.layout):
            given = [self.edges[f"{k}_{i}"](places[i]) for i in node]
            total = given[0]
            for more in given[1:]:
                total = total + more
            places[N_BEFORE + k] = total
        return torch.cat([places[N_BEFORE + k] for k in range(len(self.layout))], 1)


class CellNetwork(Network):
    """Linear -> cells -> LayerNorm -> newest step -> head; see `models.darts`."""

    causal = True

    def __init__(self, config: Config, shape: Shape, layout: Layout, on_edge: OnEdge) -> None:
        """Build it for windows of this shape."""
        super().__init__(config, shape)
        wish: CellsConfig = config  # type: ignore[assignment]  # the part's own config
        self.asset = AssetEmbedding(shape.n_assets, wish.embedding)
        self.into = nn.Linear(shape.n_features + wish.embedding, wish.width)
        size = len(layout) * wish.width
        n_given = [wish.width, wish.width, *[size] * wish.cells]
        self.cells = nn.ModuleDict(
            {
                str(c): Cell((n_given[c], n_given[c + 1]), wish.width, layout, on_edge)
                for c in heard(layout, wish.cells)
            }
        )
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(wish.dropout)
        self.head = nn.Linear(size, shape.n_outcomes)

    def states(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """Each step after all cells, (n, lookback, nodes * width)."""
        identity = self.asset(asset_id).unsqueeze(1).expand(-1, windows.shape[1], -1)
        stem = self.into(torch.cat([windows, identity], 2)).transpose(1, 2)
        given = {-2: stem, -1: stem}
        for name, cell in self.cells.items():
            c = int(name)
            # A cell that nobody hears is not there: then its place is not taken from either.
            given[c] = cell((given.get(c - 2, stem), given.get(c - 1, stem)))
        normed: torch.Tensor = self.norm(given[c].transpose(1, 2))
        return normed

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes) logits."""
        newest = self.states(windows, asset_id)[:, -1]
        logits: torch.Tensor = self.head(self.dropout(newest))
        return logits


def taken_before(layout: Layout) -> list[int]:
    """Which of the two cells before the nodes take from: of 0 and 1."""
    return sorted({i for node in layout for i in node if i < N_BEFORE})


def heard(layout: Layout, n_cells: int) -> list[int]:
    """The cells that the last one hears of, itself included, in order: a cell may skip others."""
    found, taken = {n_cells - 1}, taken_before(layout)
    for c in range(n_cells - 1, -1, -1):
        if c in found:
            found |= {c - N_BEFORE + i for i in taken if c - N_BEFORE + i >= 0}
    return sorted(found)
