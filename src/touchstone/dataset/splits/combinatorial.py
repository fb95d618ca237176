"""Combinatorial purged cross-validation: every choice of k groups tests, the rest trains."""

import itertools
import math
from typing import Annotated, Final, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from touchstone.config import Config
from touchstone.dataset import blocks as b
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS
from touchstone.errors import ConfigError

MOST_FOLDS: Final = 1000
"""Choices above which nobody waits for the fits."""


class CombinatorialConfig(Config):
    """How many groups there are, how many of them test at once."""

    kind: Literal["combinatorial"] = "combinatorial"
    groups: Annotated[int, Field(ge=3, le=b.MOST_BLOCKS)] = 6
    """Blocks of equal length before the seal, N."""
    tests: PositiveInt = 2
    """Groups that test at once, k: C(N, k) folds, C(N - 1, k - 1) paths. The latest of the others
    validates."""
    embargo: f.Duration | None = None
    """Trading time after a test group in which no train row's window may begin; the longer of
    lookback and horizon where it is not given. Lengthen it to the memory of slow recursions."""
    sealed: f.Portion = "20%"
    """The end of all time, looked at once: a share of it, or calendar time; 0% for none."""

    @model_validator(mode="after")
    def _leaves_a_train(self) -> Self:
        if self.tests > self.groups - 2:
            raise ConfigError(
                f"{self.tests} of {self.groups} groups test, which leaves none to train or to "
                f"validate: at most {self.groups - 2} `tests`"
            )
        n_folds = math.comb(self.groups, self.tests)
        if n_folds > MOST_FOLDS:
            raise ConfigError(
                f"{self.tests} of {self.groups} groups are {n_folds:,} folds, at most "
                f"{MOST_FOLDS:,}: fewer `groups` or `tests`"
            )
        return self


@SPLITS.register(CombinatorialConfig)
def combinatorial(config: CombinatorialConfig, timeline: f.Timeline) -> f.Folds:
    """Test on every choice of k groups of time; `paths.recombined` joins the scores into paths.

    Args:
        config: groups, tests, embargo, seal.
        timeline: when each row is known and what it reaches over.

    Returns:
        C(N, k) folds in lexical order of their groups, so that a row is tested by C(N - 1, k - 1)
        of them; `final` trains on all groups but the last, validates on the last and tests on
        the sealed rows.

    Raises:
        TooFewBarsError: no time before the seal, or a part of a fold has no rows.

    Source: López de Prado (2018), Advances in Financial Machine Learning, chapter 12.
    """
    tests = tuple(itertools.combinations(range(config.groups), config.tests))
    plan = b.Plan(config.groups, tests, config.sealed, config.embargo, "groups")
    return b.cut_all(plan, timeline)
