"""Bars that have not happened yet."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.market.findings import Finding, Severity


class FutureStampsConfig(Config):
    """Nothing to choose: a bar starts before it is downloaded."""

    kind: Literal["future_stamps"] = "future_stamps"


@CHECKS.register(FutureStampsConfig)
def future_stamps(config: FutureStampsConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument with bars that start after now; silent where now is not told."""
    if cohort.now is None:
        return
    for i, bars in enumerate(cohort.bars):
        rows = np.flatnonzero(bars.time > cohort.now)
        if rows.size:
            ahead = float(bars.time.max() - cohort.now) / 1e9
            said = (
                f"{rows.size:,} bars start in the future, the last one {ahead / 3600:,.1f} hours "
                "ahead: check the zone and the unit of the times"
            )
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (ahead, 0), said)
