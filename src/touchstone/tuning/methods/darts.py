"""Differentiable architecture search: which operations stand in a cell, learned like weights."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.models.layers.operations import NONE, OPERATIONS, Operation
from touchstone.tuning.methods import METHODS, Able


class StageConfig(Config):
    """A stretch of the search, on a network of its own depth."""

    cells: PositiveInt
    """Cells, one upon the other."""
    operations: Annotated[int, Field(ge=2)] | None = None
    """How many of an edge's operations the stage before leaves it, the strongest, `none` among
    them; null: all."""
    skip_dropout: Annotated[float, Field(ge=0, lt=1, exclude_if=lambda value: value == 0)] = 0.0
    """Share of what comes over a skip that is silenced in the stage's first epoch; it falls in even
    steps, to none after the last."""


class ArchitectureConfig(Config):
    """One cell is searched, its network trained as any model, and random cells beside it.

    `models` names one `darts`: its cells, width and head are those of the network that is found.
    The weights' optimiser, rate, batch, loss and rows are those of the study's training.
    """

    kind: Literal["darts"] = "darts"
    nodes: Annotated[int, Field(ge=1, le=4)] = 2
    """Nodes of a cell; each takes from two places."""
    operations: Annotated[tuple[Operation, ...], Field(min_length=2)] = OPERATIONS
    """What may stand on an edge, beside nothing."""
    stages: Annotated[tuple[StageConfig, ...], Field(min_length=1)] = (
        StageConfig(cells=1),
        StageConfig(cells=2, operations=4, skip_dropout=0.4),
    )
    """From shallow with many operations to deep with few, the last as deep as the network that is
    found: what is best shallow need not be best deep."""
    epochs: PositiveInt = 8
    """Passes over the weights' half of the train rows in each stage."""
    warm_up: NonNegativeInt = 2
    """Of them the first, in which the weights learn alone."""
    order: Literal["first", "second"] = "second"
    """Whether an architecture step looks at the weights as they are, or as they are after a step of
    their own, which takes twice as long."""
    rate: Annotated[PositiveFloat, Field(le=1)] = 0.01
    """Of an architecture step (Adam)."""
    decay: NonNegativeFloat = 1e-3
    """Of the architecture: pulls all operations of an edge together."""
    most_skips: PositiveInt = 2
    """Skips in a found or a random cell; a search likes them more than they deserve."""
    searches: Annotated[int, Field(ge=1, le=10)] = 1
    """Searches from other seeds; the best cell on validation rows goes on."""
    random_cells: Annotated[int, Field(ge=2, le=20)] = 6
    """Cells drawn at random, of the same size, trained alike. The fewer, the wider the interval of
    what the search is worth."""
    size_band: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """How far a random cell's parameters may be from the first found one's, as a share of them."""

    @field_validator("operations")
    @classmethod
    def _each_once(cls, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
        twice = sorted({o for o in operations if operations.count(o) > 1})
        if twice:
            raise ConfigError(f"{', '.join(twice)} comes twice: leave one out")
        if set(operations) == {"skip"}:
            raise ConfigError("nothing but skip learns nothing: add an operation with weights")
        return operations

    @model_validator(mode="after")
    def _narrower(self) -> "ArchitectureConfig":
        depth = [stage.cells for stage in self.stages]
        if self.stages[0].operations is not None or sorted(depth) != depth:
            raise ConfigError(
                f"stages: the first has all operations (operations: null), and cells may not fall "
                f"from one to the next, got cells {depth}"
            )
        if self.warm_up >= self.epochs:
            raise ConfigError(
                f"warm_up: {self.warm_up} of {self.epochs} epochs leave none for the architecture: "
                f"take {self.epochs - 1} at most"
            )
        return self

    @property
    def choices(self) -> tuple[str, ...]:
        """What an edge of the first stage chooses among."""
        return (NONE, *self.operations)


@METHODS.register(ArchitectureConfig)
def darts(config: ArchitectureConfig) -> Able:  # noqa: ARG001  the same whatever the settings
    """One objective, PR-AUC; nothing but the method's own settings."""
    return Able(objectives=False, constraints=False, space=False, storage=False)
