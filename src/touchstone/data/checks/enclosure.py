"""Rows whose low and high do not enclose the open and the close."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.diagnosis import Cause, diagnose
from touchstone.market.findings import Finding, Severity


class EnclosureConfig(Config):
    """Nothing to choose: a high is the highest price of its bar."""

    kind: Literal["enclosure"] = "enclosure"


@CHECKS.register(EnclosureConfig)
def enclosure(config: EnclosureConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument, of rows that neither swapped columns nor adjustment explain."""
    for i, bars in enumerate(cohort.bars):
        rows = np.flatnonzero(diagnose(bars).cause == Cause.ROW)
        if rows.size:
            r = rows[0]
            said = (
                f"low {bars.low[r]:g} .. high {bars.high[r]:g} does not enclose open "
                f"{bars.open[r]:g} and close {bars.close[r]:g} ({rows.size:,} rows in all): repair "
                "or remove the rows, or set bad_rows: drop"
            )
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (rows.size, 0), said)
