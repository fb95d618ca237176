"""Section 5: where the money came from, and the worst five entries."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from touchstone.reports.charts import price_bars, rows
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.scales import Scale, covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    count,
    interval,
    moment,
    percent,
    plain_number,
    signed,
    words,
)
from touchstone.reports.result import FalsePositive, MarketResult, Slice

_GROUPS = {
    "symbol": ("symbol", "symbols"),
    "group": ("group", "groups"),
    "regime": ("regime", "regimes"),
    "year": ("year", "years"),
    "month": ("month", "months"),
    "weekday": ("weekday", "weekdays"),
    "hour": ("hour of the day", "hours of the day"),
}
_SORTED = ("symbol", "group", "regime")
_MOST_ROWS = 24
_LONG_NAME = 8
_WEEK = {name: i for i, name in enumerate("Mon Tue Wed Thu Fri Sat Sun".split())}
_ZONES = {"XNYS": "America/New_York"}
"""Clock of the session by calendar; the others keep UTC."""


class View(NamedTuple):
    """What the template of section 5 needs."""

    groups: tuple[Chart, ...]
    trades: tuple[Chart, ...]


def view(market: MarketResult) -> View:
    """A small chart for each group of slices, on one axis, and one for each bad entry."""
    known = [s for s in market.where if s.net_return_bp_per_trade is not None]
    scale = _shared(known)
    groups = [
        _group(name, [s for s in known if s.group == name], scale)
        for name in _GROUPS
        if any(s.group == name for s in known)
    ]
    trades = [
        _trade(t, i, market.data.calendar)
        for i, t in enumerate(market.worst_false_positives[:5])
        if t.close
    ]
    return View(tuple(groups), tuple(trades))


def _shared(slices: list[Slice]) -> Scale:
    """One axis for all: the values and most of the intervals; the widest whiskers are cut."""
    values = [s.net_return_bp_per_trade for s in slices]
    ends = sorted(abs(e) for s in slices if s.interval for e in s.interval)
    reach = ends[int(0.9 * (len(ends) - 1))] if ends else 0.0
    low = min([e for s in slices if s.interval for e in s.interval], default=0.0)
    extra = (0.0, reach, max(-reach, low)) if ends else (0.0,)
    return covering(values, include=extra)


def _group(name: str, slices: list[Slice], scale: Scale) -> Chart:
    singular, plural = _GROUPS[name]
    if name in _SORTED:
        slices = sorted(slices, key=lambda s: -(s.net_return_bp_per_trade or 0.0))
    elif name == "weekday":
        slices = sorted(slices, key=lambda s: _WEEK.get(s.name[:3], 7))
    else:
        slices = sorted(slices, key=lambda s: s.name)
    shown = slices
    if len(slices) > _MOST_ROWS:
        shown = [*slices[: _MOST_ROWS // 2], *slices[-_MOST_ROWS // 2 :]]
    grid = rows.Grid(scale, ticks(scale, 4, thin=True), 0.0, "bp a trade, net", "bp · trades")
    drawn = [
        rows.Row(
            s.name,
            s.net_return_bp_per_trade,
            f"{signed(s.net_return_bp_per_trade, 2)} · {count(s.n_trades)}",
            s.interval,
            "ours",
        )
        for s in shown
    ]
    note = f"Net return a trade by {singular}, mean and 95 % interval."
    if shown is not slices:
        note += f" Best and worst {_MOST_ROWS // 2} of {len(slices)}; all in the table."
    table = Table(
        f"by {singular}",
        (
            Column(singular.capitalize(), number=False),
            Column("Trades"),
            Column("Net, bp a trade"),
            Column("95 % interval, bp"),
            Column("Precision, %"),
        ),
        tuple(_cells(s) for s in slices),
    )
    title = _group_title(slices, plural)
    longest = max(len(s.name) for s in shown)
    body = rows.dots(drawn, grid, "long-names" if longest > _LONG_NAME else "")
    return Chart(f"where-{name}", title, note, body, table, "slice")


def _cells(s: Slice) -> tuple[str, ...]:
    return (
        s.name,
        count(s.n_trades),
        signed(s.net_return_bp_per_trade),
        interval(s.interval),
        bare_percent(s.precision),
    )


def _group_title(slices: list[Slice], plural: str) -> str:
    if len(slices) == 1:
        only = slices[0]
        return f"{only.name}: {signed(only.net_return_bp_per_trade)} bp a trade"
    won = sum((s.net_return_bp_per_trade or 0) > 0 for s in slices)
    sure = sum(s.interval is not None and s.interval[0] > 0 for s in slices)
    told = f"Earned in {words(won)} of {words(len(slices))} {plural}"
    if won == 0:
        return f"Earned in none of {words(len(slices))} {plural}"
    clear = {0: "none is", 1: "one is"}.get(sure, f"{words(sure)} are")
    return f"{told}; {clear} clear of zero"


def _session_time(iso: str, calendar: str) -> Markup:
    """The session's own clock, shown to the pointer that rests on a time."""
    zone = _ZONES.get(calendar)
    if zone is None:
        return Markup("")
    try:
        local = datetime.fromisoformat(iso).astimezone(ZoneInfo(zone))
    except ZoneInfoNotFoundError:
        return Markup("")
    return Markup(' title="{:%H:%M} {}"').format(local, zone)


def _trade(trade: FalsePositive, i: int, calendar: str) -> Chart:
    said = f"{percent(trade.probability)} said, " if trade.probability is not None else ""
    title = f"{trade.symbol}: {said}{percent(trade.realised, sign=True)} came"
    table = Table(
        "the bars",
        (Column("Bar"), Column("Open"), Column("High"), Column("Low"), Column("Close")),
        tuple(
            (str(k - (trade.entry_bar or 0)), *(plain_number(v, 5) for v in bar))
            for k, bar in enumerate(
                zip(trade.open, trade.high, trade.low, trade.close, strict=True)
            )
        ),
    )
    note = Markup('Decided <time datetime="{}"{}>{}</time>.').format(
        trade.time, _session_time(trade.time, calendar), moment(trade.time)
    )
    return Chart(f"trade-{i}", title, note, price_bars.price_bars(trade), table, "trade")
