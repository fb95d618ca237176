"""Bars while the market is closed."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.robust import Share
from touchstone.market.findings import Finding, Severity


class OutsideSessionsConfig(Config):
    """When there are too many of them to be a vendor's habit."""

    kind: Literal["outside_sessions"] = "outside_sessions"
    many: Share = 0.02
    """Share of bars from which on the calendar is in doubt."""


@CHECKS.register(OutsideSessionsConfig)
def outside_sessions(config: OutsideSessionsConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument; the bars are left out when it is loaded."""
    calendar = cohort.calendar
    for i, bars in enumerate(cohort.bars):
        if bars.off_grid is not None:
            continue
        rows = np.flatnonzero(~calendar.overlaps_session(bars.time, cohort.timeframe.ns))
        if rows.size:
            share = rows.size / bars.time.size
            many = share > config.many
            said = (
                f"{rows.size:,} bars lie outside the sessions of {calendar.name} and are left out"
                f"{': check calendar: and timezone:' if many else ''}"
            )
            yield cohort.finding(
                config.kind,
                Severity.WARN if many else Severity.NOTE,
                (i, rows),
                (share, config.many),
                said,
            )
