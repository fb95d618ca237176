"""A campaign as its file says it: one study, every architecture, the same budget, some seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveInt, field_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.models import MODELS
from touchstone.pipelines.architectures import (
    Budget,
    alone,
    chosen,
    each_once,
    in_file,
    kind_of,
    known_kinds,
    read_asked,
)
from touchstone.pipelines.study import QUICKSTART, Study, StudyConfig, identified
from touchstone.registration import PartOf
from touchstone.reports.campaign import Measure

Baseline = Literal["logistic", "lightgbm", "volatility", "symbol_and_hour"]
_FITTED = ("logistic", "lightgbm")


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
        return known_kinds(kinds)

    @field_validator("overrides")
    @classmethod
    def _check_overrides(cls, models: tuple[Config, ...]) -> tuple[Config, ...]:
        return each_once(models)

    @property
    def architectures(self) -> tuple[Config, ...]:
        """All that compete, baselines that are fitted among them."""
        named = chosen(self.models, self.overrides, self.without)
        there = {kind_of(m) for m in named}
        added = [k for k in _FITTED if k in self.baselines and k not in there]
        return (*named, *(MODELS.parse({"kind": k}) for k in added))


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
        return alone(self.study, model)


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
    settings, study = read_asked(path, overrides, bars)
    try:
        config = CampaignConfig.parse({**settings, "study": study.config})
    except ConfigError as error:
        raise in_file(path, error) from None
    training = config.budget.of(study.config.training)
    changed = {
        "models": config.architectures, "training": training, "null_twin": False,
        "surrogates": 0, "refit": None,
    }  # fmt: skip
    return Campaign(config, identified(study.config.model_copy(update=changed), study.root))
