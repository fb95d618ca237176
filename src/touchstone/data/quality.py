"""What a reader must know about bars before believing a result: sentences, nothing refused."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.data import grid
from touchstone.data.faults import utc
from touchstone.market import Calendar, Panel

FROZEN_BARS: Final = 24
"""A close unchanged over more bars in a row than this, and no range either, is frozen."""
JUMP: Final = 0.5
"""A log return beyond this between two neighbouring bars is shown: a split, a bad row, a crash."""

_N_WORST: Final = 3
_CLOSED: Final = 0.25  # more missing than this looks like a market that closes at night
_ALIVE_DAYS: Final = 5  # sessions by which an end may trail the last one and still count as alive


def findings(panel: Panel, dropped: Mapping[str, int], bad: Mapping[str, int]) -> tuple[str, ...]:
    """Sentences about a panel, the gravest for a study first; none where nothing is to be said.

    Args:
        panel: bars as loaded.
        dropped: symbol -> bars left out because they lie outside the market's hours.
        bad: symbol -> rows left out because no market could print them.
    """
    if (np.diff(panel.offsets) == 0).any():
        held = [panel.bars(i) for i in np.flatnonzero(np.diff(panel.offsets)).tolist()]
        panel = Panel.from_bars(held, panel.timeframe, panel.calendar)
    outside = f"outside the sessions of {panel.calendar.name}"
    found = (
        _gaps(panel),
        _jumps(panel),
        _frozen(panel),
        _silent(panel),
        _left_out(bad, ("impossible row was", "impossible rows were")),
        _left_out(dropped, (f"bar {outside} was", f"bars {outside} were")),
        _two_grids(panel),
    )
    return tuple(sentence for sentence in found if sentence)


def survivorship(symbols: Sequence[str], ends: Int64, calendar: Calendar) -> str | None:
    """The banner of a universe in which nothing ever died, or None.

    Args:
        symbols: instruments.
        ends: (n_instruments,) start of the last bar of each in the source, ns UTC.
        calendar: market's hours, which say how long five trading days are.
    """
    open_until = calendar.trading_time(ends)
    trailing = open_until.max() - open_until
    if (trailing > _ALIVE_DAYS * calendar.session_ns).any():
        return None
    who = f"All {len(symbols)} instruments are" if len(symbols) > 1 else f"{symbols[0]} is"
    return (
        f"Survivorship: every instrument survives to the end of the data. {who} known to have "
        "lived; whoever chose them may have known it too, and what was delisted or died is "
        "missing, so returns are likely to be flattered. Compare with equal weight of the same "
        "universe, and add the dead where you can."
    )


def missing_bars(panel: Panel) -> tuple[Int64, Int64] | None:
    """(missing, expected) bars of each instrument between its first and last, (n_instruments,).

    Every instrument needs a bar. None for bars of several sessions: the calendar does not say
    which of them a bar covers.
    """
    timeframe, calendar = panel.timeframe, panel.calendar
    if timeframe.is_daily and timeframe.ns > grid.DAY_NS and calendar.name != "24/7":
        return None
    first, last = panel.time[panel.offsets[:-1]], panel.time[panel.offsets[1:] - 1]
    missing, wanted = np.zeros((2, panel.n_instruments), np.int64)
    anchors = _anchors(panel)
    for anchor in sorted(set(anchors)):
        mine = [i for i, a in enumerate(anchors) if a == anchor]
        ends = np.array([first[mine].min(), last[mine].max()])
        clock = grid.expected(calendar, timeframe, anchor, ends)
        for i in mine:
            a, b = np.searchsorted(clock, (first[i], last[i] + 1))
            time = panel.time[panel.offsets[i] : panel.offsets[i + 1]]
            at = np.minimum(np.searchsorted(clock, time), clock.size - 1)
            wanted[i] = b - a
            missing[i] = b - a - int((clock[at] == time).sum()) if clock.size else 0
    return missing, wanted


def _anchors(panel: Panel) -> list[grid.Anchor]:
    if panel.timeframe.is_daily:
        return ["utc"] * panel.n_instruments
    cuts = panel.offsets[1:-1]
    return [grid.anchor_of(t, panel.calendar, panel.timeframe) for t in np.split(panel.time, cuts)]


def _gaps(panel: Panel) -> str | None:
    counted = missing_bars(panel)
    if counted is None or not counted[0].sum():
        return None
    missing, wanted = counted
    share = missing / np.maximum(wanted, 1)
    closed = missing.sum() > _CLOSED * wanted.sum()
    doubt = f" Is calendar: {panel.calendar.name} the right one?" if closed else ""
    return (
        f"{_percent(missing.sum() / wanted.sum())} of the bars expected between an instrument's "
        f"first and last are missing ({missing.sum():,} of {wanted.sum():,}); "
        f"most in {_worst(panel, share)}.{doubt}"
    )


def _jumps(panel: Panel) -> str | None:
    step = np.abs(np.diff(np.log(panel.close)))
    step[panel.offsets[1:-1] - 1] = 0.0
    n = int((step > JUMP).sum())
    if not n:
        return None
    rows = np.argsort(-step, kind="stable")[: min(n, _N_WORST)] + 1
    shown = ", ".join(
        f"{panel.symbols[panel.asset_id[r]]} x{panel.close[r] / panel.close[r - 1]:.3g} at "
        f"{utc(panel.time[r])}"
        for r in rows
    )
    return (
        f"{_count(n, 'close moves', 'closes move')} by a factor beyond {np.exp(JUMP):.2f} from one "
        f"bar to the next (splits, bad rows or crashes): {shown}."
    )


def _frozen(panel: Panel) -> str | None:
    still = (panel.high == panel.low) & np.r_[False, panel.close[1:] == panel.close[:-1]]
    still[panel.offsets[:-1]] = False
    longest = np.array([_longest(s) for s in np.split(still, panel.offsets[1:-1])], np.int64)
    if not (longest > FROZEN_BARS).any():
        return None
    names = ", ".join(
        f"{panel.symbols[i]} ({longest[i]:,} bars)"
        for i in np.argsort(-longest, kind="stable")
        if longest[i] > FROZEN_BARS
    )
    shown = ", ".join(names.split(", ")[:_N_WORST])
    n = int((longest > FROZEN_BARS).sum())
    return (
        f"{_count(n, 'instrument has', 'instruments have')} prices frozen over more than "
        f"{FROZEN_BARS} bars in a row, where nothing could be traded: {shown}."
    )


def _longest(flags: Bool) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _silent(panel: Panel) -> str | None:
    silent = panel.volume == 0
    if not silent.any():
        return None
    if silent.all():
        return (
            "No bar has any volume: features of volume say nothing, and a volume cap lets no "
            "order fill."
        )
    counts = np.add.reduceat(silent, panel.offsets[:-1], dtype=np.int64)
    share = counts / np.diff(panel.offsets)
    return (
        f"{_percent(silent.mean())} of the bars have no volume ({silent.sum():,} of "
        f"{len(panel):,}); most in {_worst(panel, share)}."
    )


def _left_out(counts: Mapping[str, int], which: tuple[str, str]) -> str | None:
    n = sum(counts.values())
    if not n:
        return None
    worst = sorted(counts.items(), key=lambda d: (-d[1], d[0]))[:_N_WORST]
    shown = ", ".join(f"{symbol} ({count:,})" for symbol, count in worst)
    return f"{_count(n, *which)} left out: {shown}."


def _two_grids(panel: Panel) -> str | None:
    anchors = _anchors(panel)
    kinds = sorted(set(anchors))
    if len(kinds) < 2:
        return None
    shown = " and ".join(
        f"{anchors.count(k)} from {_FROM[k]} ({panel.symbols[anchors.index(k)]})" for k in kinds
    )
    return f"Bars do not start together: {shown}; cross-section features compare few of them."


_FROM: Final = {
    "utc": "the UTC clock",
    "clock": "the exchange's clock",
    "session": "the session's open",
}


def _worst(panel: Panel, share: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    order = [i for i in np.argsort(-share, kind="stable")[:_N_WORST] if share[i] > 0]
    return ", ".join(f"{panel.symbols[i]} ({_percent(share[i])})" for i in order)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.2g} %"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
