"""What a fit is asked for, what it says on the way, and what it leaves."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator

from touchstone.config import Config, Range
from touchstone.dataset.samples import Samples
from touchstone.errors import ConfigError
from touchstone.labels import LABELS
from touchstone.models import OUTCOMES, Fitted, Shape, head_of
from touchstone.registration import PartOf
from touchstone.training.augmentations import AUGMENTATIONS
from touchstone.training.losses import LOSSES
from touchstone.training.losses.cross_entropy import CrossEntropyConfig

State: TypeAlias = Mapping[str, bytes]
"""A checkpoint: files by name, safetensors and JSON."""


class Phase(Config):
    """Epochs on another label, often an easier one, before the study's own."""

    label: Annotated[Config, PartOf(LABELS)]
    """What the network foresees meanwhile."""
    epochs: PositiveInt
    """Exactly so many passes."""


class TrainingConfig(Config):
    """How models are fitted.

    Trees and the logistic regression heed `metric` and `patience` only: their own settings stand
    with their kind, and they always take all rows, on one thread.
    """

    rows: PositiveInt | None = 100_000
    """Train rows that a network sees in a fold, drawn once, rows of more unique outcome likelier;
    null: all."""
    epochs: PositiveInt = 50
    """Most passes over these rows; validation stops earlier."""
    batch: PositiveInt = 512
    """Rows of one step."""
    learning_rate: Annotated[PositiveFloat, Range(1e-4, 1e-2, log=True)] = 2e-3
    """Of a step; of `one_cycle` the highest."""
    weight_decay: Annotated[NonNegativeFloat, Range(1e-5, 1e-1, log=True)] = 1e-2
    """Share of a weight that is lost per step, times the learning rate; of `adam`, which adds it
    to the gradient, the strength of an L2 penalty."""
    optimiser: Annotated[
        Literal["adamw", "adam"], Field(exclude_if=lambda value: value == "adamw")
    ] = "adamw"
    """What takes the steps; only adamw keeps the decay out of its moments."""
    loss: Annotated[Config, PartOf(LOSSES)] = CrossEntropyConfig()
    """What a network learns from."""
    schedule: Literal["fixed", "plateau", "cosine", "one_cycle"] = "fixed"
    """The learning rate: as it is; halved after 3 epochs in which `metric` on validation rows (or
    without them the train loss) did not improve; falling to zero over `epochs`; or rising and
    falling, step by step, over `epochs`. Phases of a curriculum count among these epochs."""
    clip: PositiveFloat = 1.0
    """Longest gradient, Euclidean norm."""
    metric: Literal[
        "pr_auc", "roc_auc", "log_loss", "loss", "accuracy", "precision", "recall", "f1", "net"
    ] = "pr_auc"
    """What the best epoch is best in, on validation rows; all but `loss` and `accuracy` are about
    p(+1). Trees know no `loss` of their own here: it is their log-loss over all outcomes.
    Precision, recall and f1 are those at the threshold of the best f1; net is the mean return,
    after the round trip, of the share of rows that it is highest for."""
    patience: PositiveInt = 10
    """Ends the fit after so many epochs (trees: looks) without a better one."""
    threads: PositiveInt = 1
    """Threads of a network's fit. Only one thread gives the same bits on every machine."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks are fitted; auto: a GPU if there is one. Scoring is always on the CPU."""
    precision: Annotated[
        Literal["float32", "bf16", "fp16"], Field(exclude_if=lambda value: value == "float32")
    ] = "float32"
    """Of a network's products while it is fitted; bf16 pays on a GPU, and on CPUs that have it.
    fp16, for GPUs only, scales the loss so that small gradients do not vanish."""
    sampling: Annotated[
        Literal["uniform", "weighted"], Field(exclude_if=lambda value: value == "uniform")
    ] = "uniform"
    """An epoch's rows: each once, weighing what it weighs; or as many drawn with replacement, by
    weight and so that every outcome is as likely, each then weighing the same."""
    curriculum: Annotated[tuple[Phase, ...], Field(exclude_if=lambda value: not value)] = ()
    """Labels that a network learns first, one after the other; the weights go on."""
    keep_every: Annotated[PositiveInt | None, Field(exclude_if=lambda value: value is None)] = None
    """Keeps the checkpoint of every so many epochs beside the best; null: the best alone."""
    augment: Annotated[
        tuple[Annotated[Config, PartOf(AUGMENTATIONS)], ...],
        Field(exclude_if=lambda value: not value),
    ] = ()
    """How a network's train rows are changed each time they are seen, one of a kind, in this
    order; rows are moved before windows are changed. Train metrics are then of changed rows."""

    @field_validator("augment")
    @classmethod
    def _one_of_a_kind(cls, augment: tuple[Config, ...]) -> tuple[Config, ...]:
        kinds = [str(getattr(one, "kind", "?")) for one in augment]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            raise ConfigError(f"augment holds {', '.join(twice)} twice: leave one out")
        return augment


class PhaseSamples(NamedTuple):
    """A phase of a curriculum: its own outcomes, the same windows."""

    train: Samples
    epochs: int
    """Exactly so many."""


class Job(NamedTuple):
    """One fit."""

    model: Config
    """Config of a part of `MODELS`."""
    recipe: TrainingConfig
    train: Samples
    validate: Samples | None
    """Rows that choose the epoch; later than the train rows and purged from them."""
    n_assets: int
    """Instruments that get an identity of their own."""
    seed: int
    data: str
    """Hash of the data, for the ledger."""
    epochs: int | None = None
    """Exactly so many epochs (trees: rounds), phases included, and the last weights, whatever
    validation says."""
    resume: State | None = None
    """A checkpoint of this same job, to go on from."""
    round_trip: float = 0.0
    """What a trade costs in all, fraction of its price; taken off in the metric `net`."""
    phases: tuple[PhaseSamples, ...] = ()
    """Of the recipe's curriculum, in its order, before `train`; networks only."""

    @property
    def shape(self) -> Shape:
        """What the model is made for."""
        windows = self.train.windows
        n_features = windows.features.shape[1]
        n_outcomes = len(OUTCOMES[head_of(self.model)])
        return Shape(windows.lookback, n_features, self.n_assets, n_outcomes)

    @property
    def fingerprint(self) -> str:
        """First 12 hex digits of the SHA-256 of the two configs: what the ledger calls the fit."""
        text = f"{self.model.canonical()}\n{self.recipe.canonical()}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class Epoch(NamedTuple):
    """One pass over the train rows (trees: some rounds), just finished."""

    index: int  # type: ignore[assignment]  # a tuple's index() is of no use here
    """Epochs (trees: rounds) done, phases included, from 1; 0 for a fit without any."""
    metrics: dict[str, float]
    """`train_<name>` and, with validation rows, `validate_<name>` of loss, accuracy and, where
    defined, pr_auc, roc_auc, log_loss, precision, recall, f1 and net of p(+1). A network's train
    metrics are gathered while it learns, so with dropout and from weights that still change; of
    rows drawn with replacement those that were drawn count, once each. In a phase of a curriculum
    train metrics are about its label, those of validation about the study's own."""
    best: bool
    """Best so far in the recipe's metric, in no phase but the last; with `epochs` fixed: the
    last."""
    state: Callable[[], dict[str, bytes]]
    """The checkpoint of this epoch: call it before asking for the next one."""
    phase: int = 0
    """1, 2, ... in the phases of a curriculum, 0 on the study's own label."""
    periodic: bool = False
    """Whether `keep_every` keeps this epoch's checkpoint."""


class Fit(NamedTuple):
    """A finished fit."""

    fitted: Fitted
    best_epoch: int
    """Epochs (trees: rounds) behind the weights; 0 for a fit without any."""
    history: tuple[Epoch, ...]
    """Every epoch since the start or the checkpoint; `state` gives nothing any more, so that a
    finished fit holds no samples in memory."""
    rows_used: int
    rows_available: int


def periodic(recipe: TrainingConfig, index: int) -> bool:
    """Whether `keep_every` keeps the checkpoint of this epoch."""
    return recipe.keep_every is not None and index > 0 and index % recipe.keep_every == 0
