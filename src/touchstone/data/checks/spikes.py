"""A price that leaps away and comes back at once, with no volume and no company: a bad row."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import FiniteFloat

from touchstone.arrays import Bool, Float64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Clean, Cohort, Moves
from touchstone.data.doubt.excursions import excursions
from touchstone.data.doubt.robust import ALPHA, Chance, tail_threshold
from touchstone.market.findings import Finding, Severity


class SpikesConfig(Config):
    """How sure to be."""

    kind: Literal["spikes"] = "spikes"
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""
    surge: FiniteFloat = 3.0
    """Log volume this many robust deviations above its usual vouches for a close (prices that
    move much are traded much: Karpoff 1987)."""
    surge_inside: FiniteFloat = 2.0
    """The same for a high or a low, which a moment's trades can make."""


@CHECKS.register(SpikesConfig)
def spikes(config: SpikesConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an excursion, one for all highs and lows that stand out of their own bars."""
    for i, (bars, moves) in enumerate(zip(cohort.clean, cohort.moves, strict=True)):
        for first, end, z, limit in excursions(moves, config.alpha, config.surge):
            said = (
                f"the price leaps by {100 * np.expm1(moves.step[first]):+.3g} % and is back "
                f"{end - first} bar{'s' if end - first > 1 else ''} later, without volume or "
                "company: a bad row; remove or repair it"
            )
            rows = bars.at[first:end]
            yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), (z, limit), said)
        limit = tail_threshold(bars.time.size, config.alpha)
        wick = _wick(bars, moves)
        rows = np.flatnonzero((wick > limit) & _unvouched(moves, config.surge_inside))
        if rows.size:
            said = (
                f"a high or low stands {wick[rows[0]]:,.0f} deviations out of its own bar, without "
                f"volume or company ({rows.size:,} rows in all): a bad print; repair the rows"
            )
            measured = (float(wick[rows].max()), limit)
            yield cohort.finding(config.kind, Severity.DOUBT, (i, bars.at[rows]), measured, said)


def _wick(bars: Clean, moves: Moves) -> Float64:
    """How far the high or the low stands out of open and close, in deviations."""
    upper = bars.high / np.maximum(bars.open, bars.close)
    lower = np.minimum(bars.open, bars.close) / bars.low
    apart = np.log(np.maximum(upper, lower)) / moves.scale
    # where a bar does not enclose its own prices, that is what must be said
    return np.where((upper >= 1.0) & (lower >= 1.0), apart, 0.0)


def _unvouched(moves: Moves, surge: float) -> Bool:
    return np.asarray((moves.surge < surge) & ~moves.company, np.bool_)
