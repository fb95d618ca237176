"""A network whose wiring was found by a search: cells of convolutions, pools, attention, skips."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator
from torch import nn

from touchstone.config import Config, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS, Head, Shape
from touchstone.models.layers.cells import N_BEFORE, CellNetwork
from touchstone.models.layers.operations import Operation, operation

Edge: TypeAlias = tuple[NonNegativeInt, Operation]
"""Where it comes from, and what it makes of it: 0 is the cell before the last, 1 the last cell,
2 the first node of this cell, 3 the second, ..."""
Node: TypeAlias = tuple[Edge, Edge]
Genotype: TypeAlias = tuple[Node, ...]
"""The nodes of a cell in order, each the sum of two edges."""

DEFAULT: Genotype = (
    ((0, "conv3"), (1, "attention")),
    ((1, "dilated3"), (2, "skip")),
)


class DartsConfig(Config):
    """Cells of one wiring, one upon the other; `touchstone tune` finds a wiring for a study."""

    kind: Literal["darts"] = "darts"
    head: Head = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest. `multi_task`: as `barrier`, and
    by the loss of that name return, volatility and regime until the exit beside it."""
    genotype: Annotated[Genotype, Field(min_length=1)] = DEFAULT
    """The wiring: of each node two pairs of place and operation, as in [[[0, conv3], [1, skip]]].
    Place 0 is the cell before the last, 1 the last cell, 2 the first node, 3 the second."""
    cells: Annotated[PositiveInt, Range(1, 4, step=1)] = 2
    """Cells, one upon the other."""
    width: Annotated[PositiveInt, Range(8, 64, step=8)] = 16
    """Channels of a node."""
    embedding: Annotated[PositiveInt, Range(4, 32, step=4)] = 8
    """Numbers that stand for an instrument, given to every step."""
    dropout: Annotated[float, Field(ge=0, lt=1), Range(0.0, 0.5)] = 0.1
    """Share of units silenced in training, before the head."""

    @field_validator("genotype")
    @classmethod
    def _from_before(cls, genotype: Genotype) -> Genotype:
        for k, node in enumerate(genotype):
            places = [place for place, _ in node]
            if max(places) >= N_BEFORE + k:
                raise ConfigError(
                    f"node {k} takes from place {max(places)}, which comes after it: take from 0 "
                    f"to {N_BEFORE + k - 1}"
                )
            if places[0] == places[1]:
                raise ConfigError(
                    f"node {k} takes from place {places[0]} twice: take from two of 0 to "
                    f"{N_BEFORE + k - 1}"
                )
        return genotype


@MODELS.register(DartsConfig)
class Darts(CellNetwork):
    """Linear -> cells -> LayerNorm -> newest step -> head.

    A cell hears the two before it (of the first both are the stem): node k = o(x_i) + o'(x_j) with
    x_i, x_j cells before or earlier nodes; its output is all its nodes, side by side. All cells
    share one wiring: no cell is a reduction, since windows are short.

    Source: Liu, Simonyan & Yang (2019), DARTS: Differentiable architecture search, section 2.1.
    """

    def __init__(self, config: DartsConfig, shape: Shape) -> None:
        """Build it for windows of this shape."""
        chosen = {
            (k, place): name
            for k, node in enumerate(config.genotype)
            for place, name in node
        }  # fmt: skip
        layout = [[place for place, _ in node] for node in config.genotype]

        def on_edge(node: int, place: int) -> nn.Module:
            return operation(chosen[node, place], config.width, shape.lookback)

        super().__init__(config, shape, layout, on_edge)
