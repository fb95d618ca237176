"""Times that repeat or go back."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.market.findings import Finding, Severity


class TimeOrderConfig(Config):
    """Nothing to choose: time rises strictly."""

    kind: Literal["time_order"] = "time_order"


@CHECKS.register(TimeOrderConfig)
def time_order(config: TimeOrderConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument: rows whose time is not after the row before."""
    for i, bars in enumerate(cohort.bars):
        step = np.diff(bars.time)
        rows = np.flatnonzero(step <= 0) + 1
        if rows.size:
            n_again = int((step == 0).sum())
            said = (
                f"{rows.size:,} rows do not come after the row before ({n_again:,} of them repeat "
                "its time): sort the file by time and keep one bar per time"
            )
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (rows.size, 0), said)
