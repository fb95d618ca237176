"""A last bar that was downloaded before it was over."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Clean, Cohort
from touchstone.data.doubt.robust import ALPHA, Chance
from touchstone.market.findings import Finding, Severity


class PartialBarConfig(Config):
    """When a last bar looks unfinished."""

    kind: Literal["partial_bar"] = "partial_bar"
    alpha: Chance = ALPHA
    """Probability with which a finished bar is that thin and that still."""
    history: PositiveInt = 250
    """Bars of the same time of day that the last one is compared with."""


@CHECKS.register(PartialBarConfig)
def partial_bar(config: PartialBarConfig, cohort: Cohort) -> Iterator[Finding]:
    """Certain where now is told; else by volume and range beside the same time of other days.

    Volume and range of a bar grow with the time it ran. The last bar's log volume must lie
    further below its usual than the smallest 1 / history ever does, and its range below the
    median; a file without volume tells nothing.
    """
    for i, bars in enumerate(cohort.clean):
        if not bars.time.size:
            continue
        last = bars.time.size - 1
        ends = int(cohort.calendar.available_at(bars.time[last:], cohort.timeframe.ns)[0])
        rows = bars.at[last:]
        if cohort.now is not None and bars.time[last] <= cohort.now < ends:
            left = (ends - cohort.now) / 1e9
            said = (
                f"the last bar ends {left:,.0f} s from now: drop it until it is over, it would be "
                "taken for a whole one"
            )
            yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), (left, 0), said)
        elif bars.volume[last] > 0:  # none at all is a day without trades
            z, limit = _thinness(bars, config)
            if z > limit:
                said = (
                    f"the last bar's volume lies {z:.1f} deviations below its usual, and it hardly "
                    "moved: probably downloaded before it was over; drop it, or fetch it again"
                )
                yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), (z, limit), said)


def _thinness(bars: Clean, config: PartialBarConfig) -> tuple[float, float]:
    """(deviations below the usual log volume, threshold); 0 where there is too little to tell."""
    day = 24 * 3_600_000_000_000
    same = np.flatnonzero(bars.time[:-1] % day == bars.time[-1] % day)[-config.history :]
    if same.size < 30:
        same = np.arange(max(bars.time.size - 1 - config.history, 0), bars.time.size - 1)
    if same.size < 30:
        return 0.0, np.inf
    log_volume = np.log(np.maximum(bars.volume, 1e-12))
    beside = log_volume - np.r_[log_volume[:1], log_volume[:-1]]
    judged = [_below(x[same], float(x[-1])) for x in (log_volume, beside)]
    quiet = _range(bars)[-1] < np.median(_range(bars)[same])
    # thin beside the bar before as well: on the eve of a holiday all bars are thin
    sure = quiet and all(z > limit for z, limit in judged)
    return judged[0] if sure else (0.0, judged[0][1])


def _below(usual: Float64, value: float) -> tuple[float, float]:
    """(deviations of a value below the usual, deviations of the lowest usual one, at least 3)."""
    middle = float(np.median(usual))
    # the lower half alone: volume surges often, and seldom fails
    below = middle - usual[usual < middle]
    spread = max(1.4826 * float(np.median(below)) if below.size else np.inf, 0.05)
    return (middle - value) / spread, max(float(below.max(initial=0.0)) / spread, 3.0)


def _range(bars: Clean) -> Float64:
    return np.asarray(np.log(bars.high / bars.low), np.float64)
