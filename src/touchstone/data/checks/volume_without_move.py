"""Usual volume at a price that does not move: traded where nothing was traded."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import FiniteFloat, PositiveInt

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.robust import ALPHA, Chance, chance_run, runs
from touchstone.market.findings import Finding, Severity


class VolumeWithoutMoveConfig(Config):
    """What counts as volume, and how many such bars in a row are too many."""

    kind: Literal["volume_without_move"] = "volume_without_move"
    minimum: PositiveInt = 3
    """Bars in a row, however liquid the instrument."""
    surge: FiniteFloat = -1.0
    """Log volume above this many robust deviations from its usual counts as usual volume."""
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""


@CHECKS.register(VolumeWithoutMoveConfig)
def volume_without_move(config: VolumeWithoutMoveConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a stretch of bars with usual volume, no range and no new close."""
    for i, bars in enumerate(cohort.clean):
        if not cohort.has_volume[i]:
            continue
        traded = (bars.volume > 0) & (cohort.moves[i].surge > config.surge)
        still = (bars.high == bars.low) & np.r_[False, bars.close[1:] == bars.close[:-1]]
        flags = still & traded
        first, end = runs(flags)
        limit = max(config.minimum - 1, chance_run(still, config.alpha, clustered=True))
        for a, b in zip(first, end, strict=True):
            if b - a > limit:
                said = (
                    f"{b - a:,} bars in a row report volume but no movement at all: prices are "
                    "filled forward, or the volume belongs to another instrument"
                )
                yield cohort.finding(
                    config.kind, Severity.DOUBT, (i, bars.at[a:b]), (b - a, limit), said
                )
