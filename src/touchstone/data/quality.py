"""What a reader of a result must know about its bars: typed findings, their sentences for a page.

What is counted here is what a study needs to know of bars that it goes on with; `data check` asks
far more of the raw rows. Each subject has one finding about everyone, whose sentence the report
shows, and one for each instrument that it names.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.data import grid
from touchstone.data.faults import utc
from touchstone.market import Calendar, Panel
from touchstone.market.findings import EVERYONE, Finding, Place, Severity

FROZEN_BARS: Final = 24
"""A close unchanged over more bars in a row than this, and no range either, is frozen."""
JUMP: Final = 0.5
"""A log return beyond this between two neighbouring bars is shown: a split, a bad row, a crash."""

_N_WORST: Final = 3
_SEVERITY: Final = {
    "gaps": Severity.NOTE,
    "jumps": Severity.WARN,
    "frozen": Severity.DOUBT,
    "without_volume": Severity.NOTE,
    "impossible_values": Severity.WARN,
    "outside_sessions": Severity.NOTE,
    "two_grids": Severity.NOTE,
    "columns": Severity.NOTE,
}
_CLOSED: Final = 0.25  # more missing than this looks like a market that closes at night
_ALIVE_DAYS: Final = 5  # sessions by which an end may trail the last one and still count as alive


def findings(
    panel: Panel, dropped: Mapping[str, int], bad: Mapping[str, int]
) -> tuple[Finding, ...]:
    """Findings about a panel, the gravest for a study first; none where nothing is to be said.

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
        *_gaps(panel),
        *_jumps(panel),
        *_frozen(panel),
        *_silent(panel),
        *_left_out("impossible_values", bad, ("impossible row was", "impossible rows were")),
        *_left_out("outside_sessions", dropped, (f"bar {outside} was", f"bars {outside} were")),
        *_two_grids(panel),
    )
    return tuple(found)


def sentences(found: Sequence[Finding]) -> tuple[str, ...]:
    """What a page says of findings: those about everyone, in their order."""
    return tuple(f.sentence for f in found if f.symbol == EVERYONE)


def notes(said: Sequence[str]) -> tuple[Finding, ...]:
    """What a reader should know about the files' columns, as findings about everyone."""
    return tuple(
        Finding(EVERYONE, "columns", _SEVERITY["columns"], None, 0, 0.0, 0.0, text) for text in said
    )


def _about(
    check: str, counts: Mapping[str, int], measured: Mapping[str, float], limit: float, said: str
) -> Iterator[Finding]:
    """The finding about everyone, then one for each symbol of `counts`, the largest first."""
    severity = _SEVERITY[check]
    total, worst = sum(counts.values()), max(measured.values(), default=0.0)
    yield Finding(EVERYONE, check, severity, None, total, worst, limit, said)
    for symbol in sorted(counts, key=lambda s: (-counts[s], s)):
        value = measured[symbol]
        own = f"{symbol}: {check.replace('_', ' ')}, {counts[symbol]:,} bars; {said}"
        yield Finding(symbol, check, severity, None, counts[symbol], value, limit, own)


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


def _gaps(panel: Panel) -> Iterator[Finding]:
    counted = missing_bars(panel)
    if counted is None or not counted[0].sum():
        return
    missing, wanted = counted
    share = missing / np.maximum(wanted, 1)
    closed = missing.sum() > _CLOSED * wanted.sum()
    doubt = f" Is calendar: {panel.calendar.name} the right one?" if closed else ""
    said = (
        f"{_percent(missing.sum() / wanted.sum())} of the bars expected between an instrument's "
        f"first and last are missing ({missing.sum():,} of {wanted.sum():,}); "
        f"most in {_worst(panel, share)}.{doubt}"
    )
    yield from _about("gaps", *_by_symbol(panel, missing, share), 0.0, said)


def _jumps(panel: Panel) -> Iterator[Finding]:
    step = np.abs(np.diff(np.log(panel.close)))
    step[panel.offsets[1:-1] - 1] = 0.0
    n = int((step > JUMP).sum())
    if not n:
        return
    rows = np.argsort(-step, kind="stable")[: min(n, _N_WORST)] + 1
    shown = ", ".join(
        f"{panel.symbols[panel.asset_id[r]]} x{panel.close[r] / panel.close[r - 1]:.3g} at "
        f"{utc(panel.time[r])}"
        for r in rows
    )
    said = (
        f"{_count(n, 'close moves', 'closes move')} by a factor beyond {np.exp(JUMP):.2f} from one "
        f"bar to the next (splits, bad rows or crashes): {shown}."
    )
    yield Finding(EVERYONE, "jumps", _SEVERITY["jumps"], None, n, float(step.max()), JUMP, said)
    for row in (np.flatnonzero(step > JUMP) + 1).tolist():
        symbol, time = panel.symbols[panel.asset_id[row]], int(panel.time[row])
        at = row - int(panel.offsets[panel.asset_id[row]])
        factor = panel.close[row] / panel.close[row - 1]
        own = f"{symbol}, {utc(time)}: the close moves by a factor of {factor:.3g}"
        place = Place(at, at, time, time)
        size = float(step[row - 1])
        yield Finding(symbol, "jumps", _SEVERITY["jumps"], place, 1, size, JUMP, own)


def _frozen(panel: Panel) -> Iterator[Finding]:
    still = (panel.high == panel.low) & np.r_[False, panel.close[1:] == panel.close[:-1]]
    still[panel.offsets[:-1]] = False
    longest = np.array([_longest(s) for s in np.split(still, panel.offsets[1:-1])], np.int64)
    if not (longest > FROZEN_BARS).any():
        return
    names = ", ".join(
        f"{panel.symbols[i]} ({longest[i]:,} bars)"
        for i in np.argsort(-longest, kind="stable")
        if longest[i] > FROZEN_BARS
    )
    shown = ", ".join(names.split(", ")[:_N_WORST])
    n = int((longest > FROZEN_BARS).sum())
    said = (
        f"{_count(n, 'instrument has', 'instruments have')} prices frozen over more than "
        f"{FROZEN_BARS} bars in a row, where nothing could be traded: {shown}."
    )
    long = np.where(longest > FROZEN_BARS, longest, 0)
    yield from _about("frozen", *_by_symbol(panel, long, long.astype(float)), FROZEN_BARS, said)


def _longest(flags: Bool) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _silent(panel: Panel) -> Iterator[Finding]:
    silent = panel.volume == 0
    if not silent.any():
        return
    counts = np.add.reduceat(silent, panel.offsets[:-1], dtype=np.int64)
    share = counts / np.diff(panel.offsets)
    said = (
        f"{_percent(silent.mean())} of the bars have no volume ({silent.sum():,} of "
        f"{len(panel):,}); most in {_worst(panel, share)}."
    )
    if silent.all():
        said = (
            "No bar has any volume: features of volume say nothing, and a volume cap lets no "
            "order fill."
        )
    yield from _about("without_volume", *_by_symbol(panel, counts, share), 0.0, said)


def _by_symbol(
    panel: Panel, counts: Int64, measured: Float64
) -> tuple[dict[str, int], dict[str, float]]:
    """Counts and measures of the instruments that have any, by symbol."""
    some = np.flatnonzero(counts).tolist()
    return (
        {panel.symbols[i]: int(counts[i]) for i in some},
        {panel.symbols[i]: float(measured[i]) for i in some},
    )


def _left_out(check: str, counts: Mapping[str, int], which: tuple[str, str]) -> Iterator[Finding]:
    n = sum(counts.values())
    if not n:
        return
    worst = sorted(counts.items(), key=lambda d: (-d[1], d[0]))[:_N_WORST]
    shown = ", ".join(f"{symbol} ({count:,})" for symbol, count in worst)
    said = f"{_count(n, *which)} left out: {shown}."
    yield from _about(check, counts, {s: float(c) for s, c in counts.items()}, 0.0, said)


def _two_grids(panel: Panel) -> Iterator[Finding]:
    anchors = _anchors(panel)
    kinds = sorted(set(anchors))
    if len(kinds) < 2:
        return
    shown = " and ".join(
        f"{anchors.count(k)} from {_FROM[k]} ({panel.symbols[anchors.index(k)]})" for k in kinds
    )
    said = f"Bars do not start together: {shown}; cross-section features compare few of them."
    n = len(anchors) - max(anchors.count(k) for k in kinds)
    yield Finding(EVERYONE, "two_grids", _SEVERITY["two_grids"], None, n, len(kinds), 1.0, said)


_FROM: Final = {
    "utc": "the UTC clock",
    "clock": "the exchange's clock",
    "session": "the session's open",
}


def _worst(panel: Panel, share: Float64) -> str:
    order = [i for i in np.argsort(-share, kind="stable")[:_N_WORST] if share[i] > 0]
    return ", ".join(f"{panel.symbols[i]} ({_percent(share[i])})" for i in order)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.2g} %"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
