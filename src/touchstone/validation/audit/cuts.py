"""Where to cut: the instants at which a leak is likeliest to show, and a third at random."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.market import Panel
from touchstone.validation.audit.trace import Trace

_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_SPLIT: Final = 0.4
"""Log change from close to open that looks like a split of 3:2 or more."""
_ZONES: Final = ("America/New_York", "Europe/Berlin")
_N_MOVES: Final = 12


def strata(panel: Panel, base: Trace) -> dict[str, Int64]:
    """Instants to cut at, by why, ns UTC: each the close of a bar, none that of the last.

    Args:
        panel: the bars.
        base: what was computed on them.
    """
    known = np.unique(panel.available_at)
    inner, last = known[:-1], known[-1:]
    if not inner.size:
        return {}
    found = {
        "last row": inner[-1:],
        "first row of a symbol": _first(panel),
        "last row of a symbol": _last(panel),
        "largest moves": _moves(panel),
        "split": _splits(panel),
        "before a missing run ends": _before_known(base),
        "side data become known": _arrivals(base),
        "the strategy acts": _acts(base),
        **_edges(panel, inner),
    }
    return {
        why: np.unique(times[(times < last[0]) & (times >= inner[0])])
        for why, times in found.items()
    }


def chosen(panel: Panel, of: Mapping[str, Int64], n: int, rng: np.random.Generator) -> Int64:
    """`n` distinct cuts, a third at random, the rest from the strata in turn, in drawn order."""
    known = np.unique(panel.available_at)[:-1]
    if n >= known.size:
        return np.asarray(rng.permutation(known), np.int64)
    piles = [list(rng.permutation(times)) for _, times in sorted(of.items()) if times.size]
    taken: dict[int, None] = {}
    while len(taken) < n - n // 3 and any(piles):
        for pile in piles:
            if pile and len(taken) < n - n // 3:
                taken.setdefault(int(pile.pop()))
    for time in rng.permutation(known):
        if len(taken) >= n:
            break
        taken.setdefault(int(time))
    return np.array(list(taken), np.int64)


def _first(panel: Panel) -> Int64:
    held = np.diff(panel.offsets) > 0
    return panel.available_at[panel.offsets[:-1][held]]


def _last(panel: Panel) -> Int64:
    held = np.diff(panel.offsets) > 0
    return panel.available_at[panel.offsets[1:][held] - 1]


def _same_symbol(panel: Panel) -> Bool:
    """Whether the row before is of the same instrument, (n_rows - 1,)."""
    return np.asarray(panel.asset_id[1:] == panel.asset_id[:-1], np.bool_)


def _moves(panel: Panel) -> Int64:
    """The instants before the largest moves of all."""
    move = np.abs(np.diff(np.log(panel.close))) * _same_symbol(panel)
    return np.asarray(panel.available_at[np.argsort(move)[::-1][:_N_MOVES]], np.int64)


def _splits(panel: Panel) -> Int64:
    gap = np.abs(np.log(panel.open[1:]) - np.log(panel.close[:-1]))
    return np.asarray(panel.available_at[:-1][(gap > _SPLIT) & _same_symbol(panel)], np.int64)


def _before_known(base: Trace) -> Int64:
    """Rows that lack a value which the next row of the symbol has."""
    out = [np.zeros(0, np.int64)]
    for rows in base.rows:
        if rows.stage not in ("side", "features") or rows.values.shape[0] < 2:
            continue
        gone = np.isnan(rows.values)
        same = rows.symbol[1:] == rows.symbol[:-1]
        ends = (gone[:-1] & ~gone[1:]).any(axis=1) & same
        out.append(rows.known[:-1][ends])
    return np.concatenate(out)


def _arrivals(base: Trace) -> Int64:
    """Rows at which a side column takes another value, and those before: what was told there."""
    out = [np.zeros(0, np.int64)]
    for rows in base.rows:
        if rows.stage == "side" and rows.values.shape[0] > 1:
            before, after = rows.values[:-1], rows.values[1:]
            moved = (before != after) & ~(np.isnan(before) & np.isnan(after))
            rare = moved.mean(axis=0) < 0.5
            told = (moved & rare).any(axis=1)
            out += [rows.known[:-1][told], rows.known[1:][told]]
    return np.concatenate(out)


def _acts(base: Trace) -> Int64:
    """Bars that fill something, and the ones before."""
    times = [r.known for r in base.rows if r.stage.endswith(": fills")]
    return np.unique(np.concatenate(times)) if times else np.zeros(0, np.int64)


def _edges(panel: Panel, known: Int64) -> dict[str, Int64]:
    """The last instants before a day, week, month or change of clocks, and early closes."""
    calendar = panel.calendar
    day = calendar.day(known - 1)
    new_day = np.r_[day[1:] != day[:-1], False]
    date = day.astype("datetime64[D]")
    week, month = (day + 3) // 7, date.astype("datetime64[M]").astype(np.int64)
    found = {
        "day": known[new_day],
        "week": known[np.r_[week[1:] != week[:-1], False]],
        "month": known[np.r_[month[1:] != month[:-1], False]],
        "change of clocks": _clocks(known),
    }
    if calendar.is_exchange:
        _, opened, closes = calendar.session_bounds(known - 1)
        found["early close"] = known[closes - opened < calendar.session_ns]
    return found


def _clocks(known: Int64) -> Int64:
    """Instants around which clocks change in New York or Berlin."""
    hours = known.astype("datetime64[ns]").astype("datetime64[s]").tolist()
    out = []
    for zone in map(ZoneInfo, _ZONES):
        offset = np.array([_offset(zone, h) for h in hours])
        moved = np.flatnonzero(np.diff(offset))
        out.append(known[moved])
    return np.unique(np.concatenate(out))


def _offset(zone: ZoneInfo, naive: object) -> float:
    assert isinstance(naive, datetime)
    behind = naive.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return 0.0 if behind is None else behind.total_seconds()
