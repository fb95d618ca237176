"""Prices that stand still for longer than the instrument ever would."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.robust import ALPHA, Chance, chance_run, runs
from touchstone.market.findings import Finding, Severity


class FrozenConfig(Config):
    """How long a price may stand."""

    kind: Literal["frozen"] = "frozen"
    minimum: PositiveInt = 5
    """Bars in a row, however liquid the instrument."""
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""


@CHECKS.register(FrozenConfig)
def frozen(config: FrozenConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a stretch without range and without a new close, longer than chance makes it."""
    for i, bars in enumerate(cohort.clean):
        still = (bars.high == bars.low) & np.r_[False, bars.close[1:] == bars.close[:-1]]
        first, end = runs(still)
        limit = max(config.minimum, chance_run(still, config.alpha, clustered=True))
        for a, b in zip(first, end, strict=True):
            if b - a > limit:
                said = (
                    f"the price stands at {bars.close[a]:g} over {b - a:,} bars: a halt, or a feed "
                    "that went on without trades; remove the bars, nothing could be traded there"
                )
                yield cohort.finding(
                    config.kind, Severity.DOUBT, (i, bars.at[a:b]), (b - a, limit), said
                )
