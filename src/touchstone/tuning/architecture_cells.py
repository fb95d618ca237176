"""From the weights of operations to a cell; and random cells of the same size beside it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from touchstone.models import Shape
from touchstone.models.darts import Darts, DartsConfig, Genotype, Node
from touchstone.models.layers.cells import N_BEFORE, heard, taken_before
from touchstone.models.layers.operations import NONE, operation
from touchstone.tuning.architecture_network import Choices, EdgeKey

_SKIP = "skip"
_DRAWS = 400
"""Distinct cells that are drawn before the nearest in size are taken."""
Shares = Mapping[EdgeKey, tuple[float, ...]]


def narrowed(choices: Choices, shares: Shares, n_kept: int) -> dict[EdgeKey, tuple[str, ...]]:
    """The `n_kept` strongest operations of each edge, in the order they stood in.

    Source: Chen et al. (2019), Progressive DARTS, section 3.2.
    """
    kept = {}
    for edge, names in choices.items():
        rank = sorted(range(len(names)), key=lambda i: (-shares[edge][i], i))
        kept[edge] = tuple(names[i] for i in sorted(rank[:n_kept]))
    return kept


def discrete(choices: Choices, shares: Shares, most_skips: int) -> Genotype:
    """The cell that an architecture stands for: each node's two strongest edges and operations.

    An edge is as strong as its strongest operation; `none` is no operation here. While there are
    more skips than `most_skips`, the weakest of them that can be spared is taken from its edge and
    the cell is made anew; where none can, they stay.

    Source: Liu, Simonyan & Yang (2019), section 2.4; skips: Chen et al. (2019), section 3.3.2.
    """
    without: set[EdgeKey] = set()
    cell, strength = _cell(choices, shares, without)
    while True:
        skips = [edge for edge in strength if _named(cell, edge) == _SKIP]
        if len(skips) <= most_skips:
            return cell
        for weakest in sorted(skips, key=lambda edge: (strength[edge], edge)):
            with contextlib.suppress(LookupError):
                cell, strength = _cell(choices, shares, without | {weakest})
                without.add(weakest)
                break
        else:
            return cell


def _cell(
    choices: Choices, shares: Shares, without_skip: set[EdgeKey]
) -> tuple[Genotype, dict[EdgeKey, float]]:
    """The cell, and how strong each of its edges is.

    Raises:
        LookupError: a node that only one edge could feed.
    """
    nodes, strength = list[Any](), dict[EdgeKey, float]()
    for k in range(1 + max(node for node, _ in choices)):
        able = []
        for place in range(N_BEFORE + k):
            edge = (k, place)
            barred = {NONE, _SKIP} if edge in without_skip else {NONE}
            real = [
                (share, name)
                for share, name in zip(shares[edge], choices[edge], strict=True)
                if name not in barred
            ]
            if real:
                share, name = max(real, key=lambda one: one[0])
                able.append((share, place, name))
        if len(able) < 2:
            raise LookupError(k)
        best = sorted(able, key=lambda one: (-one[0], one[1]))[:2]
        strength |= {(k, place): share for share, place, _ in best}
        nodes.append(tuple(sorted((place, name) for _, place, name in best)))
    return tuple(nodes), strength


def _named(cell: Genotype, edge: EdgeKey) -> str:
    node, place = edge
    return dict(cell[node]).get(place, NONE)


def random_cell(
    rng: np.random.Generator, nodes: int, operations: Sequence[str], most_skips: int
) -> Genotype:
    """A cell drawn evenly from those that a search may find: places, then operations.

    Source: Liu, Simonyan & Yang (2019), appendix A.2.1; why it is the thing to beat: Li & Talwalkar
    (2019), Random search and reproducibility for neural architecture search.
    """
    while True:
        cell = tuple(_random_node(rng, k, operations) for k in range(nodes))
        if sum(name == _SKIP for node in cell for _, name in node) <= most_skips:
            return cell


def _random_node(rng: np.random.Generator, node: int, operations: Sequence[str]) -> Node:
    places = sorted(rng.choice(N_BEFORE + node, 2, replace=False).tolist())
    names = rng.choice(np.array(operations), 2).tolist()
    first, second = zip(places, names, strict=True)
    return first, second


def random_cells(
    rng: np.random.Generator, n: int, like: Sequence[DartsConfig], shape: Shape,
    asked: tuple[Sequence[str], int, float],
) -> list[Genotype]:  # fmt: skip
    """Distinct random cells, each of the size of one of the networks in turn, none in `like`.

    Args:
        rng: draws.
        n: how many.
        like: networks that were found; the cells stand in place of theirs.
        shape: what the networks are made for.
        asked: operations to draw from, the most skips, and how far the number of parameters may
            be from its network's, as a share of it. Where none of 400 cells is as near, the
            nearest is taken.
    """
    operations, most_skips, band = asked
    nodes, sizes = len(like[0].genotype), [n_parameters(one, shape) for one in like]
    sized = _Sizes(like[0], shape)
    known, left = {one.genotype for one in like}, dict[Genotype, int]()
    for _ in range(_DRAWS):
        cell = random_cell(rng, nodes, operations, most_skips)
        if cell not in known and cell not in left:
            left[cell] = sized(cell)
    found = list[Genotype]()
    while left and len(found) < n:
        size = sizes[len(found) % len(sizes)]
        # The first that was drawn within the band; without one, the nearest.
        nearest = min(left, key=lambda cell: max(abs(left[cell] / size - 1), band))
        found.append(nearest)
        del left[nearest]
    return found


class _Sizes:
    """Parameters of networks that differ in their cell alone, most of them counted once."""

    def __init__(self, like: DartsConfig, shape: Shape) -> None:
        self.like, self.shape = like, shape
        self.bare: dict[tuple[int, ...], int] = {}
        self.on_edge: dict[str, int] = {}

    def __call__(self, cell: Genotype) -> int:
        """As `n_parameters` of the network with this cell."""
        layout = [[place for place, _ in node] for node in cell]
        taken = tuple(taken_before(layout))
        if taken not in self.bare:
            skips = tuple(tuple((place, _SKIP) for place, _ in node) for node in cell)
            config = self.like.model_copy(update={"genotype": skips})
            self.bare[taken] = n_parameters(config, self.shape)
        edges = sum(self._edge(name) for node in cell for _, name in node)
        return self.bare[taken] + len(heard(layout, self.like.cells)) * edges

    def _edge(self, name: str) -> int:
        if name not in self.on_edge:
            with torch.random.fork_rng(devices=[]):
                part = operation(name, self.like.width, self.shape.lookback)
            self.on_edge[name] = sum(parameter.numel() for parameter in part.parameters())
        return self.on_edge[name]


def n_parameters(config: DartsConfig, shape: Shape) -> int:
    """Numbers that the network of a config learns."""
    with torch.random.fork_rng(devices=[]):
        network = Darts.built(config, shape)
    return sum(parameter.numel() for parameter in network.parameters())
