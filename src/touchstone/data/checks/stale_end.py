"""Bars that end before those of the others, or long before now."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import NonNegativeInt

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.outages import missing
from touchstone.data.doubt.robust import ALPHA, Chance, chance_run
from touchstone.data.faults import utc
from touchstone.market.findings import EVERYONE, Finding, Place, Severity


class StaleEndConfig(Config):
    """How far an end may trail."""

    kind: Literal["stale_end"] = "stale_end"
    minimum: NonNegativeInt = 2
    """Bars behind the last of the others, however liquid the instrument."""
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""
    days: NonNegativeInt = 5
    """Trading days by which all may end before now."""


@CHECKS.register(StaleEndConfig)
def stale_end(config: StaleEndConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument that ends early, one where all ended long ago."""
    ends = np.array([b.time.max() if b.time.size else -1 for b in cohort.bars], np.int64)
    if cohort.now is not None:
        usable = ends[ends <= cohort.now]
        if usable.size:
            yield from _old(config, cohort, int(usable.max()), cohort.now)
            ends = np.where(ends > cohort.now, usable.max(), ends)
    found = missing(cohort)
    if found is None or ends.size < 2:
        return
    calendar, step = cohort.calendar, cohort.timeframe.ns
    bar_ns = calendar.session_ns * step // (24 * 3_600_000_000_000)
    bar_ns = bar_ns if cohort.timeframe.is_daily else step
    behind = (calendar.trading_time(ends.max()) - calendar.trading_time(ends)) / bar_ns
    for i, bars in enumerate(cohort.bars):
        limit = max(config.minimum, chance_run(found[i].absent, config.alpha, clustered=True))
        n = int(behind[i] + 0.5)
        if ends[i] < 0 or n <= limit:
            continue
        last = int(bars.time.argmax())
        said = (
            f"{bars.symbol}: the bars end at {utc(ends[i])}, {n:,} bars before the others: "
            "delisted, renamed or a download that stopped; mark the end in the universe, or fetch "
            "the rest"
        )
        place = cohort.place(i, last, last)
        yield Finding(bars.symbol, config.kind, Severity.WARN, place, n, n, limit, said)


def _old(config: StaleEndConfig, cohort: Cohort, last: int, now: int) -> Iterator[Finding]:
    open_until = cohort.calendar.trading_time(np.array([last, now]))
    days = float(np.diff(open_until)[0]) / cohort.calendar.session_ns
    if days > config.days:
        said = (
            f"the newest bar of all is of {utc(last)}, {days:,.0f} trading days ago: fetch newer "
            "bars before anything is decided on them"
        )
        place = Place(-1, -1, last, last)
        yield Finding(EVERYONE, config.kind, Severity.NOTE, place, 1, days, config.days, said)
