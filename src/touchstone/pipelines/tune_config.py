"""A search as its file says it: a study, its architectures, how settings are tried and judged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import Field, NonNegativeFloat, field_validator, model_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.pipelines.architectures import (
    Budget,
    Kinds,
    Models,
    Overrides,
    chosen,
    of_models,
    read_asked,
)
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.study import QUICKSTART, FolderName, Study, StudyConfig
from touchstone.registration import PartOf
from touchstone.training import TrainingConfig
from touchstone.tuning.methods import METHODS

Objective: TypeAlias = Literal["pr_auc", "f1", "log_loss", "sharpe"]
DIRECTIONS: Final[Mapping[str, Literal["higher", "lower"]]] = {
    "pr_auc": "higher", "f1": "higher", "log_loss": "lower", "sharpe": "higher",
}  # fmt: skip
"""What is better."""
NO_PART: Final = ("name", "study", "storage", "backend")
"""Keys that do not change what is searched."""


class ConstraintsConfig(Config):
    """Bounds that a trial has to keep, on its account on the folds' validation rows.

    Net of costs, with the strategy's setting whose mean Sharpe over the folds is best.
    """

    max_drawdown: Annotated[float, Field(gt=0, le=1)] | None = None
    """Deepest fall from a peak in any fold, fraction of the peak."""
    min_win_rate: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of all trades that earn something net."""
    min_trades: NonNegativeFloat | None = None
    """Trades in all."""

    @property
    def limits(self) -> dict[str, float]:
        """Those that are set: name -> bound."""
        return {k: float(v) for k, v in self.model_dump().items() if v is not None}


class TuneConfig(Config):
    """Which settings of which architectures are tried, on which study, and what is best."""

    name: FolderName = "tune"
    """Names the search's folder."""
    study: str | StudyConfig = QUICKSTART
    """A study's file, relative to this one, or `quickstart`, or a study's settings. Its models and
    its budget are replaced, its null twin and surrogates are not run."""
    models: Models = ()
    """The architectures; none named: every kind there is, with its defaults. What is not searched
    stays as they say."""
    overrides: Overrides = ()
    """In place of the defaults of their kinds, where `models` names none."""
    without: Kinds = ()
    """Kinds that are left out, where `models` names none."""
    budget: Budget = Budget()
    """The same for all."""
    method: Annotated[Config, PartOf(METHODS)] = Field(
        default_factory=lambda: METHODS.parse({"kind": "trials"})
    )
    """How is searched."""
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] = ("pr_auc",)
    """What a trial is worth: means over the folds' validation rows. The first chooses the winner;
    of several, any trial that none beats in all of them is among the best."""
    constraints: ConstraintsConfig = ConstraintsConfig()
    """Bounds that the winner has to keep."""
    space: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Kind, or `all` -> key of the model, or of the training as in training.learning_rate -> its
    values: {low, high, step, log}, a list of choices, or the one value that it keeps."""
    seeds: Annotated[int, Field(ge=3, le=20)] = 3
    """Times that a winner is trained anew."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """What is tried follows from it; null: the study's. Fits are drawn by the study's."""
    storage: str | None = None
    """Where trials are kept: null: a file in .touchstone, for this machine; or the address of a
    database that several machines share, as in postgresql://user@host/name."""
    backend: Literal["processes", "ray"] = "processes"
    """What runs trials beside each other: this machine's processes, or a Ray cluster."""

    @field_validator("objectives", mode="before")
    @classmethod
    def _check_objectives(cls, told: Any) -> Any:
        if isinstance(told, str):
            return (told,)
        if isinstance(told, list | tuple) and len(set(map(str, told))) < len(told):
            raise ConfigError(f"{list(told)}: an objective comes twice: leave one out")
        return told

    @model_validator(mode="after")
    def _check_method(self) -> "TuneConfig":
        kind, able = getattr(self.method, "kind", "?"), METHODS.part_of(self.method)(self.method)
        asked = {
            "objectives": (len(self.objectives) > 1, able.objectives, "more than one"),
            "constraints": (bool(self.constraints.limits), able.constraints, "bounds"),
            "space": (bool(self.space), able.space, "space of your own"),
            "storage": (self.storage is not None, able.storage, "shared storage"),
        }
        for key, (wanted, can, noun) in asked.items():
            if wanted and not can:
                raise ConfigError(f"{key}: method {kind!r} knows no {noun}: leave the key out")
        pruner = getattr(getattr(self.method, "pruner", None), "kind", "none")
        if len(self.objectives) > 1 and pruner != "none":
            raise ConfigError(
                f"method.pruner: {pruner}: no pruner weighs several objectives: leave it out, or "
                "name one objective"
            )
        return self

    @property
    def architectures(self) -> tuple[Config, ...]:
        """All that are searched."""
        return chosen(self.models, self.overrides, self.without)

    @property
    def sought(self) -> dict[str, Mapping[str, Any]]:
        """The space, without the kinds that are left out."""
        left_out = () if self.models else self.without
        return {kind: keys for kind, keys in self.space.items() if kind not in left_out}

    @property
    def told(self) -> str:
        """The config as text, without the address of its storage, which may hold a password."""
        return self.model_copy(update={"storage": None}).canonical()

    @property
    def question(self) -> str:
        """What is asked, as text: names the search together with the study and its data."""
        blank = {key: self.__class__.model_fields[key].get_default() for key in NO_PART}
        return self.model_copy(update=blank | {"study": ""}).canonical()


class Tune(NamedTuple):
    """A search as read."""

    config: TuneConfig
    study: Study
    """With the search's models and budget in place of its own."""

    @property
    def seed(self) -> int:
        """Of what is tried."""
        own = self.config.seed
        return self.study.config.seed if own is None else own

    @property
    def seeds(self) -> tuple[int, ...]:
        """With which a winner is trained anew: those that follow the study's own."""
        first = self.study.config.seed
        return tuple((first + 1 + i) % 2**31 for i in range(self.config.seeds))

    def alone(self, model: Config, training: TrainingConfig | None = None) -> Study:
        """The study of one model, with the recipe given or the search's own."""
        return of_models(self.study, model, training=training)


def read_tune(
    path: Path, overrides: Mapping[str, Any] | None = None, bars: Path | None = None
) -> Tune:
    """Read a search from a YAML file, its space included; see `read_asked`."""

    def parse(settings: dict[str, Any], study: Study) -> Tune:
        config = TuneConfig.parse(settings)
        if config.storage is not None:
            from touchstone.tuning.storage import place_of  # noqa: PLC0415  (so does this)

            place_of(config.storage, Path())  # what is no address is refused before bars are read
        training = config.budget.of(study.config.training)
        found = Tune(config, of_models(study, *config.architectures, training=training))
        if config.sought:
            from touchstone.tuning.space import spaces  # noqa: PLC0415  it takes Optuna a second

            own = found.study.config
            models = dict(zip(model_names(own), own.models, strict=True))
            spaces(models, own.training, config.sought)
        return found

    return read_asked(path, parse, overrides, bars)
