"""Section 5: where the money came from and where the probabilities err; the worst mistakes."""

from collections.abc import Callable, Sequence
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
    p_value,
    percent,
    plain_number,
    plural,
    sentence,
    signed,
    words,
)
from touchstone.reports.result import FalsePositive, MarketResult, Slice, SliceTests
from touchstone.reports.sections import attribution

_GROUPS = {
    "symbol": ("symbol", "symbols"),
    "group": ("group", "groups"),
    "regime": ("regime of volatility", "regimes of volatility"),
    "trend": ("trend", "trends"),
    "year": ("year", "years"),
    "month": ("month", "months"),
    "weekday": ("weekday", "weekdays"),
    "hour": ("hour of the day", "hours of the day"),
}
_SORTED = ("symbol", "group", "regime", "trend")
_SURVIVES = " ✱"
_MOST_ROWS = 24
_FEW = _MOST_ROWS // 2
_MOST_NAMED = 6
_ALPHA = 0.05
_LONG_NAME = 8
_WEEK = {name: i for i, name in enumerate("Mon Tue Wed Thu Fri Sat Sun".split())}
_ZONES = {"XNYS": "America/New_York"}
"""Clock of the session by calendar; the others keep UTC."""


class View(NamedTuple):
    """What the template of section 5 needs."""

    luck: str
    """What of the slices may be luck, in a sentence or two; empty without trades."""
    groups: tuple[Chart, ...]
    probabilities: tuple[Chart, ...]
    trades: tuple[Chart, ...]
    missed: tuple[Chart, ...]
    money: attribution.View


def view(market: MarketResult) -> View:
    """A small chart for each group of slices, on one axis, and one for each bad mistake."""
    known = [s for s in market.where if s.net_return_bp_per_trade is not None]
    scale = _shared(known)
    groups = [
        _group(name, [s for s in known if s.group == name], scale)
        for name in _GROUPS
        if any(s.group == name for s in known)
    ]
    zone = market.data.calendar
    judged = market.sealed or market.walk_forward
    return View(
        _luck(market.where_tests),
        tuple(groups),
        _probabilities(market.where),
        mistakes("trade", market.worst_false_positives, zone),
        mistakes("missed", market.worst_false_negatives, zone),
        attribution.view(None if judged is None else judged.analysis),
    )


def mistakes(key: str, found: Sequence[FalsePositive], calendar: str) -> tuple[Chart, ...]:
    """A chart for each of the worst, with its bars."""
    return tuple(_trade(t, f"{key}-{i}", calendar) for i, t in enumerate(found[:5]) if t.close)


def _luck(tests: SliceTests | None) -> str:
    """How many parts were looked at and which are more than luck: nobody shall mine them."""
    if tests is None:
        return ""
    told = f"{plural(tests.n_slices, 'part')} traded"
    if not tests.n_tested:
        return (
            f"{told}, none on ten separate stretches of days inside and outside of it: no part can "
            "be told from luck."
        )
    told += (
        f"; {count(tests.n_tested)} can be tested against the other trades. "
        f"{sentence(words(tests.n_nominal))} {'is' if tests.n_nominal == 1 else 'are'} unlike them "
        f"at p ≤ 0.05, where luck alone gives {plain_number(tests.expected_by_luck, 2)}; "
    )
    if not tests.survivors:
        return f"{told}after Benjamini-Hochberg none remains. Choose no trade by these."
    n = len(tests.survivors)
    named = ", ".join(tests.survivors[:_MOST_NAMED])
    more = f" and {words(n - _MOST_NAMED)} more" if n > _MOST_NAMED else ""
    return (
        f"{told}after Benjamini-Hochberg {words(n)} {'remains' if n == 1 else 'remain'} (✱): "
        f"{named}{more}: a question for new data. Choose no trade by any of these."
    )


def _shared(slices: list[Slice]) -> Scale:
    """One axis for all: the values and most of the intervals; the widest whiskers are cut."""
    values = [s.net_return_bp_per_trade for s in slices]
    ends = sorted(abs(e) for s in slices if s.interval for e in s.interval)
    reach = ends[int(0.9 * (len(ends) - 1))] if ends else 0.0
    low = min([e for s in slices if s.interval for e in s.interval], default=0.0)
    extra = (0.0, reach, max(-reach, low)) if ends else (0.0,)
    return covering(values, include=extra)


def _ordered(name: str, slices: list[Slice], by: Callable[[Slice], float]) -> list[Slice]:
    """Parts of the calendar in its order, the others by a figure of theirs."""
    if name in _SORTED:
        return sorted(slices, key=by)
    if name == "weekday":
        return sorted(slices, key=lambda s: _WEEK.get(s.name[:3], 7))
    return sorted(slices, key=lambda s: s.name)


def _group(name: str, slices: list[Slice], scale: Scale) -> Chart:
    singular, plural = _GROUPS[name]
    slices = _ordered(name, slices, lambda s: -(s.net_return_bp_per_trade or 0.0))
    shown = _ends(slices)
    grid = rows.Grid(scale, ticks(scale, 4, thin=True), 0.0, "bp a trade, net", "bp · trades")
    drawn = [
        rows.Row(
            s.name + (_SURVIVES if _survives(s) else ""),
            s.net_return_bp_per_trade,
            f"{signed(s.net_return_bp_per_trade, 2)} · {count(s.n_trades)}",
            s.interval,
            "ours",
        )
        for s in shown
    ]
    note = f"Net return a trade by {singular}, mean and 95 % interval."
    if shown is not slices:
        note += f" {_which(name, 'Best and worst')} {_FEW} of {len(slices)}; all in the table."
    table = Table(
        f"by {singular}",
        (
            Column(singular.capitalize(), number=False),
            Column("Trades"),
            Column("Net, bp a trade"),
            Column("95 % interval, bp"),
            Column("Precision, %"),
            Column("95 % interval, %"),
            Column("p, unlike the rest"),
            Column("p, adjusted"),
        ),
        tuple(_cells(s) for s in slices),
    )
    title = _group_title(slices, plural)
    body = rows.dots(drawn, grid, _names_kind(shown))
    return Chart(f"where-{name}", title, note, body, table, "slice")


def _cells(s: Slice) -> tuple[str, ...]:
    return (
        s.name,
        count(s.n_trades),
        signed(s.net_return_bp_per_trade),
        interval(s.interval),
        bare_percent(s.precision),
        interval(s.precision_interval, scale=100, sign=False),
        p_value(s.p_value),
        p_value(s.adjusted_p),
    )


def _survives(s: Slice) -> bool:
    return s.adjusted_p is not None and s.adjusted_p <= _ALPHA


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


def _probabilities(where: tuple[Slice, ...]) -> tuple[Chart, ...]:
    """The squared error of the probabilities by part, on one axis, the worst first."""
    known = [s for s in where if s.brier is not None and s.n_rows]
    if not known:
        return ()
    scale = covering([e for s in known for e in (s.brier, *(s.brier_interval or ()))], (0.0,))
    found = []
    for name in _GROUPS:
        slices = [s for s in known if s.group == name]
        if len(slices) > 1:
            slices = _ordered(name, slices, lambda s: -(s.brier or 0.0))
            found.append(_errs(name, slices, scale))
    return tuple(found)


def _errs(name: str, slices: list[Slice], scale: Scale) -> Chart:
    singular, plural = _GROUPS[name]
    n_rows = sum(s.n_rows or 0 for s in slices)
    whole = sum((s.brier or 0.0) * (s.n_rows or 0) for s in slices) / n_rows
    shown = _ends(slices)
    grid = rows.Grid(scale, ticks(scale, 4, thin=True), whole, "Brier; lower is better", "Brier")
    drawn = [rows.Row(s.name, s.brier, plain_number(s.brier), s.brier_interval) for s in shown]
    clear = sum(s.brier_interval is not None and s.brier_interval[0] > whole for s in slices)
    told = {0: "none", 1: "one"}.get(clear, words(clear))
    title = f"Interval above all rows' error in {told} of {words(len(slices))} {plural}"
    note = (
        f"Squared error of the probability by {singular}; the line is that of all rows. One "
        "interval in forty lies above by luck."
    )
    if shown is not slices:
        note += f" {_which(name, 'Worst and best')} {_FEW} of {len(slices)}; all in the table."
    head = (
        Column(singular.capitalize(), number=False),
        *(Column(c) for c in ("Rows", "Base rate, %", "Brier", "95 % interval")),
    )
    cells = tuple(
        (
            s.name,
            count(s.n_rows),
            bare_percent(s.base_rate),
            plain_number(s.brier),
            interval(s.brier_interval, sign=False),
        )
        for s in slices
    )
    body = rows.dots(drawn, grid, _names_kind(shown))
    table = Table(f"Brier by {singular}", head, cells)
    return Chart(f"brier-{name}", title, note, body, table, "slice")


def _which(name: str, by_figure: str) -> str:
    """Which parts are drawn of many."""
    return by_figure if name in _SORTED else "First and last"


def _ends(slices: list[Slice]) -> list[Slice]:
    """The first and the last of many; all of a few."""
    if len(slices) <= _MOST_ROWS:
        return slices
    return [*slices[:_FEW], *slices[-_FEW:]]


def _names_kind(shown: list[Slice]) -> str:
    return "long-names" if max(len(s.name) for s in shown) > _LONG_NAME else ""


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


def _trade(trade: FalsePositive, key: str, calendar: str) -> Chart:
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
    return Chart(key, title, note, price_bars.price_bars(trade), table, "trade")
