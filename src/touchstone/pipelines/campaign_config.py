"""A campaign as its file says it: one study, every architecture, the same budget, some seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveInt

from touchstone.config import Config
from touchstone.models import MODELS
from touchstone.pipelines.architectures import (
    Budget,
    Kinds,
    Models,
    Overrides,
    chosen,
    of_models,
    read_asked,
)
from touchstone.pipelines.study import QUICKSTART, FolderName, Study, StudyConfig
from touchstone.registration import kind_of
from touchstone.reports.campaign import Measure

Baseline = Literal["logistic", "lightgbm", "volatility", "symbol_and_hour"]
_FITTED = ("logistic", "lightgbm")


class CampaignConfig(Config):
    """Which architectures compete, on which study, and with how much."""

    name: FolderName = "campaign"
    """Names the campaign's folder."""
    study: str | StudyConfig = QUICKSTART
    """A study's file, relative to this one, or `quickstart`, or a study's settings. Its models and
    its budget are replaced, its null twin and surrogates are not run."""
    models: Models = ()
    """The architectures; none named: every kind there is, with its defaults."""
    overrides: Overrides = ()
    """In place of the defaults of their kinds, where `models` names none."""
    without: Kinds = ()
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

    @property
    def architectures(self) -> tuple[Config, ...]:
        """All that compete, baselines that are fitted among them."""
        named = chosen(self.models, self.overrides, self.without)
        there = {kind_of(m) for m in named}
        added = [k for k in _FITTED if k in self.baselines and k not in there]
        return (*named, *(MODELS.parse({"kind": k}) for k in added))

    @property
    def question(self) -> str:
        """What is asked, as text: its name, and where its study's file lies, are no part of it."""
        return self.model_copy(update={"study": "", "name": ""}).canonical()

    @property
    def told(self) -> str:
        """All of it as JSON text."""
        return self.canonical()


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
        return of_models(self.study, model)


def read_campaign(
    path: Path, overrides: Mapping[str, Any] | None = None, bars: Path | None = None
) -> Campaign:
    """Read a campaign from a YAML file; see `read_asked`."""

    def parse(settings: dict[str, Any], study: Study) -> Campaign:
        config = CampaignConfig.parse(settings)
        training = config.budget.of(study.config.training)
        return Campaign(config, of_models(study, *config.architectures, training=training))

    return read_asked(path, parse, overrides, bars)
