"""Prices that move in bars without volume, in a file that otherwise has one."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.robust import ALPHA, Chance, chance_run, runs
from touchstone.market.findings import Finding, Severity


class MoveWithoutVolumeConfig(Config):
    """How many such bars in a row are too many."""

    kind: Literal["move_without_volume"] = "move_without_volume"
    minimum: PositiveInt = 3
    """Bars in a row, however thin the instrument."""
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""


@CHECKS.register(MoveWithoutVolumeConfig)
def move_without_volume(config: MoveWithoutVolumeConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a stretch; a file without any volume is no finding of this check."""
    for i, bars in enumerate(cohort.clean):
        if not cohort.has_volume[i]:
            continue
        flags = (bars.volume == 0) & (bars.high > bars.low)
        limit = max(config.minimum - 1, chance_run(flags, config.alpha, clustered=True))
        for a, b in zip(*runs(flags), strict=True):
            if b - a > limit:
                said = (
                    f"{b - a:,} bars in a row move without any volume: the volume was lost, so a "
                    "volume cap lets no order fill there; fetch them again"
                )
                rows = np.asarray(bars.at[a:b])
                yield cohort.finding(config.kind, Severity.WARN, (i, rows), (b - a, limit), said)
