"""A split that nobody marked: the price changes by a ratio overnight, and the volume by it too."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.levels import level_changes
from touchstone.data.doubt.robust import ALPHA, Chance
from touchstone.market.findings import Finding, Severity


class UnmarkedSplitConfig(Config):
    """How sure to be."""

    kind: Literal["unmarked_split"] = "unmarked_split"
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""


@CHECKS.register(UnmarkedSplitConfig)
def unmarked_split(config: UnmarkedSplitConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a split; the value is the ratio of the price before to the price after."""
    for i, (bars, moves) in enumerate(zip(cohort.clean, cohort.moves, strict=True)):
        for split in level_changes(bars, moves, cohort.has_volume[i], config.alpha):
            too = ", and so does the volume the other way" if split.agrees else ""
            said = (
                f"the price changes by a factor of {1 / split.ratio:.4g} between two bars and "
                f"stays there{too}: an unmarked split, a spin-off or another unit; adjust the "
                "prices before it, or take adjusted bars"
            )
            rows = np.array([bars.at[split.row]])
            measured = (split.z, split.threshold)
            yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), measured, said)
