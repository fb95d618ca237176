"""Holes in the bars: no trade, an outage of one instrument, or an outage of all."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.outages import Missing, missing
from touchstone.data.doubt.robust import ALPHA, Chance, Share, chance_run, runs
from touchstone.data.faults import utc
from touchstone.market.findings import EVERYONE, Finding, Place, Severity


class GapsConfig(Config):
    """When a hole is an outage, and when it is grave."""

    kind: Literal["gaps"] = "gaps"
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""
    thin: Share = 0.1
    """Share of missing bars around a hole from which on silence is usual there."""
    around: PositiveInt = 100
    """Bars either side that say what is usual."""
    grave: Share = 0.05
    """Share of its bars from which on an instrument's outages cast doubt on it."""


@CHECKS.register(GapsConfig)
def gaps(config: GapsConfig, cohort: Cohort) -> Iterator[Finding]:
    """A finding an outage; one for scattered bars without trades; one an outage of all."""
    found = missing(cohort)
    if found is None:
        return
    yield from _of_all(config, found)
    for bars, mine in zip(cohort.bars, found, strict=True):
        own = mine.absent & ~mine.common
        if not own.any():
            continue
        outage = np.zeros(own.size, bool)
        for a, b, limit in _outages(mine, config):
            outage[a:b] = True
            share = float((b - a) / own.size)
            place = Place(-1, -1, int(mine.clock[a]), int(mine.clock[b - 1]))
            said = (
                f"{bars.symbol}, {utc(place.first)} .. {utc(place.last)}: {b - a:,} bars in a row "
                "are missing while it usually trades: an outage, a halt or a broken download; "
                "fetch them, or begin after the hole"
            )
            grave = Severity.DOUBT if share >= config.grave else Severity.WARN
            yield Finding(bars.symbol, config.kind, grave, place, b - a, b - a, limit, said)
        rest = own & ~outage
        if rest.any():
            at = np.flatnonzero(rest)
            place = Place(-1, -1, int(mine.clock[at[0]]), int(mine.clock[at[-1]]))
            share = rest.sum() / own.size
            said = (
                f"{bars.symbol}: {rest.sum():,} of {own.size:,} expected bars are missing, as "
                "where nobody traded; they stay absent, nothing is filled"
            )
            yield Finding(
                bars.symbol, config.kind, Severity.NOTE, place, int(rest.sum()), share, 1.0, said
            )


def _outages(mine: Missing, config: GapsConfig) -> Iterator[tuple[int, int, float]]:
    """(first, end, limit) of every hole longer than chance makes where it lies.

    A hole goes on over bars that all lack; a hole of such bars alone is none of this instrument's.
    """
    absent, own = mine.absent, mine.absent & ~mine.common
    brisk = chance_run(own, config.alpha)
    sleepy = chance_run(own, config.alpha, clustered=True)
    total, n_own = np.r_[0, np.cumsum(absent)], np.r_[0, np.cumsum(own)]
    for a, b in zip(*runs(absent), strict=True):
        left, right = max(a - config.around, 0), min(b + config.around, absent.size)
        n = right - left - (b - a)
        usual = (total[right] - total[left] - (b - a)) / max(n, 1)
        limit = sleepy if usual > config.thin else brisk
        if n_own[b] - n_own[a] > limit:
            yield int(a), int(b), limit


def _of_all(config: GapsConfig, found: tuple[Missing, ...]) -> Iterator[Finding]:
    times = [m.clock[m.common] for m in found if m.common.any()]
    if not times:
        return
    step = min(int(np.diff(m.clock).min()) for m in found if m.clock.size > 1)
    closed, counts = np.unique(np.concatenate(times), return_counts=True)
    closed, counts = closed[counts > 1], counts[counts > 1]
    cuts = np.flatnonzero(np.diff(closed) > step) + 1
    for part, many in zip(np.split(closed, cuts), np.split(counts, cuts), strict=True):
        if not part.size:
            continue  # a holiday that one instrument keeps alone
        first, last = int(part[0]), int(part[-1])
        when = utc(first) if part.size == 1 else f"{utc(first)} .. {utc(last)}"
        said = (
            f"{when}: {many.max():,} instruments pause together over {part.size:,} bars: the venue "
            "was closed, or the vendor lost it for all; nothing is filled"
        )
        place = Place(-1, -1, first, last)
        yield Finding(
            EVERYONE, config.kind, Severity.NOTE, place, int(part.size), part.size, 0.0, said
        )
