"""A campaign as its file says it: one study, every architecture, the same budget, some seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from touchstone.config import Config
from touchstone.data.folder import source_of
from touchstone.errors import ConfigError
from touchstone.files import read_yaml
from touchstone.models import MODELS
from touchstone.pipelines.study import (
    QUICKSTART,
    Study,
    StudyConfig,
    bars_overrides,
    identified,
    parse_study,
    read_study,
    set_key,
)
from touchstone.registration import PartOf
from touchstone.reports.campaign import Measure

Baseline = Literal["logistic", "lightgbm", "volatility", "symbol_and_hour"]
_FITTED = ("logistic", "lightgbm")
_STUDY = "study."


class Budget(Config):
    """What every architecture may spend; the same for all networks.

    Tabular kinds see all train rows of a fold: they are what a network has to beat.
    """

    rows: PositiveInt | None = None
    """Train rows that a network sees in a fold; null: as the study says."""
    epochs: PositiveInt | None = None
    """Most passes over them; null: as the study says."""
    patience: PositiveInt | None = None
    """Ends a fit after so many epochs (trees: looks) without a better one; null: as the study
    says."""
    seconds: PositiveFloat | None = None
    """Longest that a fit may be expected to take, reckoned beforehand. A model that needs more is
    refused before anything is trained: cut short by a clock, no fit would come out twice alike."""


class CampaignConfig(Config):
    """Which architectures compete, on which study, and with how much."""

    name: str = "campaign"
    """Names the campaign's folder."""
    study: str | StudyConfig = QUICKSTART
    """A study's file, relative to this one, or `quickstart`, or a study's settings. Its models and
    its budget are replaced, its null twin and surrogates are not run."""
    models: tuple[Annotated[Config, PartOf(MODELS)], ...] = ()
    """The architectures; none named: every kind there is, with its defaults."""
    overrides: tuple[Annotated[Config, PartOf(MODELS)], ...] = ()
    """In place of the defaults of their kinds, where `models` names none."""
    without: tuple[str, ...] = ()
    """Kinds that are left out, where `models` names none."""
    seeds: Annotated[int, Field(ge=1, le=20)] = 3
    """Fits of each architecture on each fold: the study's seed and those that follow it. The data
    stay those of the study's seed."""
    budget: Budget = Budget()
    """The same for all."""
    baselines: tuple[Baseline, ...] = ("logistic", "lightgbm", "volatility", "symbol_and_hour")
    """What the others are compared with."""
    rank_by: Measure = "pr_auc"
    """The measure on validation rows that orders the leaderboard."""
    fewest_hits: PositiveInt = 20
    """Rows at the target that every part of every fold needs."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        return StudyConfig(name=name).name

    @field_validator("without")
    @classmethod
    def _check_without(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            MODELS.config(kind)
        return kinds

    @field_validator("overrides")
    @classmethod
    def _check_overrides(cls, models: tuple[Config, ...]) -> tuple[Config, ...]:
        kinds = [kind_of(m) for m in models]
        twice = sorted({k for k in kinds if kinds.count(k) > 1})
        if twice:
            raise ConfigError(
                f"{', '.join(twice)}: overridden twice; name all models in `models` to compare "
                "several sizes of a kind"
            )
        return models

    @property
    def architectures(self) -> tuple[Config, ...]:
        """All that compete, baselines that are fitted among them."""
        chosen = self.models
        if not chosen:
            sized = {kind_of(m): m for m in self.overrides}
            kinds = [k for k in MODELS.kinds() if k not in self.without]
            chosen = tuple(sized.get(k) or MODELS.parse({"kind": k}) for k in kinds)
        there = {kind_of(m) for m in chosen}
        added = [k for k in _FITTED if k in self.baselines and k not in there]
        return (*chosen, *(MODELS.parse({"kind": k}) for k in added))


class Campaign(NamedTuple):
    """A campaign as read."""

    config: CampaignConfig
    study: Study
    """With the campaign's models and budget in place of its own."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the fits; the first is the study's own."""
        first = self.study.config.seed
        return tuple((first + i) % 2**31 for i in range(self.config.seeds))

    def seeded(self, seed: int) -> Study:
        """The same study, asked once, whose fits are drawn by another seed."""
        # The fingerprint stays: that is one question, however often its fits are repeated.
        return self.study._replace(config=self.study.config.model_copy(update={"seed": seed}))

    def alone(self, model: Config) -> Study:
        """The study of one architecture: what `touchstone run` takes to its verdict."""
        return identified(self.study.config.model_copy(update={"models": (model,)}),
                          self.study.root)  # fmt: skip


def read_campaign(
    path: Path, overrides: Mapping[str, Any] | None = None, bars: Path | None = None
) -> Campaign:
    """Read a campaign from a YAML file.

    Args:
        path: of the file.
        overrides: dotted keys to values; those of the study begin with `study.`.
        bars: a folder of bars in place of the study's own.

    Raises:
        ConfigError: what is wrong, by key, with the way out.
    """
    settings, asked = read_yaml(path), dict[str, Any]()
    for key, value in (overrides or {}).items():
        if key.startswith(_STUDY):
            asked[key.removeprefix(_STUDY)] = value
        else:
            set_key(settings, key, value)
    study = study_within(settings.get("study", QUICKSTART), path, asked, bars)
    try:
        config = CampaignConfig.parse({**settings, "study": study.config})
    except ConfigError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise ConfigError(f"{path}:\n{lines}", error.problems) from None
    budget = config.budget
    spent = {k: v for k, v in budget.model_dump(exclude={"seconds"}).items() if v is not None}
    training = study.config.training.model_copy(update=spent)
    changed = {
        "models": config.architectures, "training": training, "null_twin": False, "surrogates": 0,
    }  # fmt: skip
    return Campaign(config, identified(study.config.model_copy(update=changed), study.root))


def study_within(told: Any, path: Path, asked: dict[str, Any], bars: Path | None) -> Study:
    """The study that a file is about: another file's, a packaged one, or settings within it.

    Args:
        told: what stands under `study`.
        path: of the file.
        asked: overrides of the study's keys.
        bars: a folder of bars in place of the study's own.
    """
    root = path.resolve().parent
    if isinstance(told, Mapping):
        settings = dict(told)
        for key, value in asked.items():
            set_key(settings, key, value)
        if bars is not None:
            own = settings.get("bars") or {}
            kept = own if isinstance(own, Mapping) and "path" in own else {}
            settings["bars"] = {**kept, "source": source_of(bars), "path": str(bars.resolve())}
        return parse_study(settings, root, f"{path}: study")
    if not isinstance(told, str):
        raise ConfigError(f"{path}: study: needs a file's name or settings, got {told!r}")
    source = told if told == QUICKSTART else str(root / told)
    return read_study(source, asked if bars is None else bars_overrides(source, asked, bars))


def kind_of(model: Config) -> str:
    """The kind of an architecture."""
    return str(getattr(model, "kind", "model"))
