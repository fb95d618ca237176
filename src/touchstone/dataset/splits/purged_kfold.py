"""Purged k-fold: blocks of time test in turn; the others train, purged and embargoed."""

from typing import Annotated, Literal

from pydantic import Field

from touchstone.config import Config
from touchstone.dataset import blocks as b
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS


class PurgedKfoldConfig(Config):
    """How many blocks, and how far they keep train rows away."""

    kind: Literal["purged_kfold"] = "purged_kfold"
    folds: Annotated[int, Field(ge=3, le=b.MOST_BLOCKS)] = 6
    """Blocks of equal length before the seal; each tests once, the latest other one validates."""
    embargo: f.Duration | None = None
    """Trading time after a test block in which no train row's window may begin; the longer of
    lookback and horizon where it is not given. Lengthen it to the memory of slow recursions."""
    sealed: f.Portion = "20%"
    """The end of all time, looked at once: a share of it, or calendar time; 0% for none."""


@SPLITS.register(PurgedKfoldConfig)
def purged_kfold(config: PurgedKfoldConfig, timeline: f.Timeline) -> f.Folds:
    """Cut the time before the seal into blocks, across instruments, and test on each in turn.

    Unlike walk-forward it trains on what came after the test too: more rows for each fit, at the
    price that no fold could have been traded.

    Args:
        config: number of blocks, embargo, seal.
        timeline: when each row is known and what it reaches over.

    Returns:
        As many folds as blocks, in time of their tests; `final` trains on all blocks but the
        last, validates on the last and tests on the sealed rows.

    Raises:
        TooFewBarsError: no time before the seal, or a part of a fold has no rows.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 7.4.
    """
    tests = tuple((block,) for block in range(config.folds))
    plan = b.Plan(config.folds, tests, config.sealed, config.embargo, "folds")
    return b.cut_all(plan, timeline)
