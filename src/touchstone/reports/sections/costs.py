"""Section 3: what is left at 0, 1, 2 and 3 times the costs, and where the money went."""

from typing import NamedTuple

from touchstone.reports.charts import rows, shares
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.scales import covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    bp,
    money,
    percent,
    plain_number,
    times,
)
from touchstone.reports.result import LadderRung, MarketResult, Performance
from touchstone.reports.sections import bearing
from touchstone.reports.sections.money import where_of


class View(NamedTuple):
    """What the template of section 3 needs."""

    ladder: Chart | None
    shares: Chart | None
    break_even: str
    bearing: bearing.View
    """Sharpe by cost, capacity, ambiguous bars."""


def view(market: MarketResult) -> View:
    """The ladder and the shares of what was traded, on the sealed segment or else before it."""
    part = market.sealed or market.walk_forward
    if part is None or part.n_trades == 0:
        return View(None, None, "", bearing.view(None, ""))
    where = where_of(market)
    told = bearing.view(part, where)
    return View(_ladder(part, where), _shares(part, where), _break_even(part), told)


def _ladder(part: Performance, where: str) -> Chart | None:
    known = [r for r in part.ladder if r.net_return is not None]
    if not known:
        return None
    scale = covering([r.net_return for r in known], include=(0.0,))
    grid = rows.Grid(
        scale,
        ticks(scale, 5, " %", 100, thin=True),
        zero=0.0,
        x_title=f"net return, {where}",
        value_title="net return · Sharpe",
    )
    drawn = [
        rows.Row(
            times(r.multiple) + (" costs" if r.multiple else ", before costs"),
            r.net_return,
            f"{percent(r.net_return, sign=True)} · {plain_number(r.sharpe)}",
            kind="ours" if r.multiple == 1 else "base",
        )
        for r in known
    ]
    table = Table(
        "the cost ladder",
        (Column("Costs", number=False), Column("Net return, %"), Column("Sharpe")),
        tuple(
            (times(r.multiple), bare_percent(r.net_return, sign=True), plain_number(r.sharpe))
            for r in known
        ),
    )
    note = "The same orders, their fills costed anew. Decisions were made at 1×."
    return Chart("ladder", _ladder_title(known), note, rows.bars(drawn, grid, "wide-value"), table)


def _ladder_title(rungs: list[LadderRung]) -> str:
    lost = [r for r in rungs if (r.net_return or 0) <= 0]
    if not lost:
        last = rungs[-1]
        left = percent(last.net_return, sign=True)
        return f"At {times(last.multiple)} its costs the strategy would still have made {left}"
    first = lost[0]
    if first.multiple == 0:
        return "It loses even before costs: there is nothing for costs to take"
    if first.multiple == 1:
        return "What it wins before costs is less than it pays: it loses at its own costs"
    return f"The edge is gone at {times(first.multiple)} costs: {percent(first.net_return, True)}"


def _shares(part: Performance, where: str) -> Chart | None:
    parts = sorted(((k, v) for k, v in part.costs_by_kind.items() if v > 0), key=lambda p: -p[1])
    if not parts:
        return None
    total = sum(v for _, v in parts)
    title = f"{parts[0][0].capitalize()} took {percent(parts[0][1] / total)} of the cost paid"
    if part.starting_equity:
        title += f", which was {percent(total / part.starting_equity)} of the first equity"
    table = Table(
        "costs by kind",
        (Column("Kind", number=False), Column("Paid, currency"), Column("Share, %")),
        tuple((k.capitalize(), money(v), bare_percent(v / total)) for k, v in parts),
    )
    note = f"{money(total)} in all, units of the account's currency, {where}."
    return Chart("shares", title, note, shares.shares(parts), table)


def _break_even(part: Performance) -> str:
    if part.break_even_cost_bp is None:
        return ""
    if part.break_even_cost_bp <= 0:
        return "These trades lose even before costs."
    return f"These trades would have earned nothing at {bp(part.break_even_cost_bp)} a side."
