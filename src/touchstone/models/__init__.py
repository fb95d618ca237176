"""What turns windows into scores: one file per architecture. Pure; torch only inside the parts.

A kind either looks at the whole window (a network: `inputs = "window"`) or at one row per sample
(trees and the logistic regression: `inputs = "tabular"`). Both are fitted by `touchstone.training`
and scored by `touchstone.models.scoring`, and nobody above needs to know which one they hold. An
ensemble (`inputs = "members"`) is put together from fits of other kinds, and then looks at windows.
Importing this module, or a tabular kind, does not import torch.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from touchstone.arrays import Float32, Float64, Floats, Int8, Int32
from touchstone.config import Config
from touchstone.errors import ArtifactError, ConfigError
from touchstone.registration import Family

Head: TypeAlias = Literal["barrier", "buy", "multi_task"]
"""`barrier`: the three outcomes, columns -1, 0, +1, summing to one. `buy`: one column, p(+1).
`multi_task`: the outcomes as `barrier` gives them; while it is fitted, a network also learns what
else the time until the exit brings, from the same states (`TASKS`)."""
TabularHead: TypeAlias = Literal["barrier", "buy"]
"""Of kinds that take one row per sample: they have no states to share."""
Inputs: TypeAlias = Literal["window", "tabular"]
FittedTo: TypeAlias = Literal["window", "tabular", "members"]
"""What a kind is fitted to: samples, or what the models of other kinds say."""

OUTCOMES: Final[Mapping[str, tuple[int, ...]]] = {
    "barrier": (-1, 0, 1),
    "buy": (1,),
    "multi_task": (-1, 0, 1),
}
"""Which outcome each column of a score stands for."""

TASKS: Final[Mapping[str, int]] = {"return": 1, "volatility": 1, "regime": 3}
"""Numbers that a head of `multi_task` says of each task, after the logits of the outcomes; what
they are about: `labels.tasks`."""


class Shape(NamedTuple):
    """What a fitted model was made for; part of the artifact."""

    lookback: int
    """Bars in a window."""
    n_features: int
    """Features of a bar."""
    n_assets: int
    """Instruments with an identity of their own; any other `asset_id` is an unknown one."""
    n_outcomes: int
    """Columns of the score: 3 or 1."""


class Fitted(Protocol):
    """A model with its weights: scores and goes to files. Nothing in it changes any more."""

    @property
    def config(self) -> Config:
        """What it was asked to be."""

    @property
    def shape(self) -> Shape:
        """What it was made for."""

    @property
    def inputs(self) -> Inputs:
        """What `raw` wants: windows or one row per sample."""

    @property
    def best_epoch(self) -> int:
        """Epochs (trees: rounds) behind these weights, counted from 1; 0 where that means nothing.

        A fit with `epochs` fixed at this number gives these weights again.
        """

    def raw(self, inputs: Float32, asset_id: Int32) -> Floats:
        """Probabilities as the architecture computes them; use `scoring.score` to decide by them.

        Args:
            inputs: (n, lookback, n_features) scaled windows, or (n, n_columns) tabular rows.
            asset_id: (n,) instrument of each row.

        Returns:
            (n, n_outcomes), columns as in `OUTCOMES`.

        Raises:
            DataError: a shape that it was not made for, or a value that is not finite.
        """

    def files(self) -> dict[str, bytes]:
        """Everything `restore` needs beside config and shape, by file name; never a pickle."""


class Table(NamedTuple):
    """Samples for a tabular kind: one row each."""

    inputs: Float32
    """(n, n_columns), finite."""
    outcome: Int8
    """(n,) +1, 0 or -1."""
    weight: Float64
    """(n,) positive, mean 1."""


class Progress(NamedTuple):
    """A tabular fit on its way. The callables look at the fit as it is now: call them at once."""

    step: int
    """Steps (trees: boosting rounds) done, from 1; 0 for a fit that has no steps."""
    train: Callable[[], Float64]
    """Probabilities of the train rows, (n, n_outcomes)."""
    validate: Callable[[], Float64 | None]
    """Probabilities of the validation rows, or None without them."""
    fitted: Callable[[], Fitted]
    """The model after so many steps; this one may be called at any time."""


class Model(Protocol):
    """What the family registers: a class that knows how to come back from its files."""

    @property
    def inputs(self) -> FittedTo:
        """Windows, one row per sample, or fitted models."""

    def restore(self, config: Config, shape: Shape, files: Mapping[str, bytes], /) -> Fitted:
        """The model that wrote these files."""


class Tabular(Model, Protocol):
    """A tabular kind brings its own fit, step by step."""

    def grow(
        self,
        config: Config,
        shape: Shape,
        train: Table,
        validate: Table | None,
        seed: int,
        steps: int | None,
        /,
    ) -> Iterator[Progress]:
        """Fit on one thread, showing itself now and then and after the last step.

        Args:
            config: the kind's own config.
            shape: what the model is made for.
            train: rows that are fitted.
            validate: rows to look at on the way, or None.
            seed: of everything drawn.
            steps: exactly so many steps; None: as many as the config allows.
        """


MODELS: Family[Model] = Family("model", __name__)


def head_of(config: Config) -> Head:
    """The head that a model's config asks for.

    Raises:
        ConfigError: it has none, so that nobody knows what its columns mean.
    """
    head: Head | None = getattr(config, "head", None)
    if head is not None and head in OUTCOMES:
        return head
    kind, known = getattr(config, "kind", "?"), " or ".join(OUTCOMES)
    raise ConfigError(f"model {kind!r} has head {head!r}: its config needs head: {known}")


def members_of(config: Config) -> tuple[Config, ...]:
    """The models that an ensemble asks; of any other kind none."""
    members: tuple[Config, ...] = getattr(config, "members", ())
    return members


def restore(config: Config, shape: Shape, files: Mapping[str, bytes]) -> Fitted:
    """The fitted model that `Fitted.files` wrote, scoring the same bits.

    Raises:
        ArtifactError: a file is missing, unreadable, or does not fit config and shape.
    """
    if shape.n_outcomes != len(OUTCOMES[head_of(config)]):
        raise ArtifactError(
            f"head {head_of(config)!r} has {len(OUTCOMES[head_of(config)])} outcomes, "
            f"the artifact's shape says {shape.n_outcomes}: config and shape do not belong together"
        )
    return MODELS.part_of(config).restore(config, shape, files)


def file_of(files: Mapping[str, bytes], name: str) -> bytes:
    """One file of an artifact.

    Raises:
        ArtifactError: it is not there.
    """
    if name not in files:
        raise ArtifactError(f"no file {name!r} among {sorted(files)}: the model cannot be restored")
    return files[name]
