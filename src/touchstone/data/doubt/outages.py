"""Bars that the calendar expects and the file lacks: whose they are, and which of all at once."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.data.doubt.cohort import Cohort

_LIQUID: Final = 0.05  # share of missing bars up to which an instrument says when a venue is open
_FEWEST: Final = 2  # liquid instruments that must be alive to tell
_MOST: Final = 0.5  # share of them that must be missing


class Missing(NamedTuple):
    """One instrument's expected bars; arrays are (n_expected,)."""

    clock: Int64
    """Expected starts, ns UTC."""
    absent: Bool
    """No bar there."""
    common: Bool
    """No bar there, nor of most liquid instruments: venue or vendor were out."""


def missing(cohort: Cohort) -> tuple[Missing, ...] | None:
    """Expected, absent and commonly absent bars of each instrument; None without a clock."""
    clocks = cohort.clocks
    if clocks is None:
        return None
    absent = [~np.isin(c, b.time) for c, b in zip(clocks, cohort.bars, strict=True)]
    liquid = [bool(a.size) and a.mean() <= _LIQUID for a in absent]
    out = list(_alone(clocks, absent))
    if cohort.calendar.name == "FX":
        out = [m._replace(common=m.absent & _holiday(m.clock)) for m in out]
    for anchor in set(cohort.anchors):
        mine = [i for i, a in enumerate(cohort.anchors) if a == anchor and clocks[i].size]
        telling = [i for i in mine if liquid[i]]
        if len(telling) < _FEWEST:
            continue
        whole = np.unique(np.concatenate([clocks[i] for i in mine]))
        alive, gone = np.zeros((2, whole.size), np.int64)
        for i in telling:
            a, b = np.searchsorted(whole, (clocks[i][0], clocks[i][-1] + 1)).tolist()
            alive[a:b] += 1
            gone[a:b] += absent[i]
        closed = (alive >= _FEWEST) & (gone > _MOST * alive)
        for i in mine:
            at = np.searchsorted(whole, clocks[i])
            out[i] = out[i]._replace(common=out[i].common | (absent[i] & closed[at]))
    return tuple(out)


def _alone(clocks: tuple[Int64, ...], absent: list[Bool]) -> list[Missing]:
    return [Missing(c, a, np.zeros(a.size, bool)) for c, a in zip(clocks, absent, strict=True)]


def _holiday(time: Int64) -> Bool:
    """Christmas and New Year, eve to evening, UTC: banks close, and each vendor at another hour."""
    day = time.astype("datetime64[ns]").astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    date = (day - month).astype(np.int64) + 1
    number = month.astype(np.int64) % 12 + 1
    late = (number == 12) & np.isin(date, (24, 25, 26, 31))
    return np.asarray(late | ((number == 1) & np.isin(date, (1, 2))), np.bool_)
