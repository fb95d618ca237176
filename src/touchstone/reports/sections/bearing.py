"""Of section 3: what costs take from the Sharpe ratio, how much money the decisions bear."""

from typing import Final, NamedTuple

from touchstone.reports.analysis import AmbiguityResult, CapacityResult, CostsInSharpeResult
from touchstone.reports.charts import steps
from touchstone.reports.charts.capacity_curve import capacity_curve, large
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.rows import Grid, Row
from touchstone.reports.charts.scales import covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    count,
    money,
    percent,
    plain_number,
    plural,
    short,
    signed,
)
from touchstone.reports.result import Performance

_SHOWN: Final = ("commission", "spread", "slippage", "impact")


class View(NamedTuple):
    """What the template needs."""

    in_sharpe: Chart | None
    capacity: Chart | None
    ambiguity: str


def view(part: Performance | None, where: str) -> View:
    """Of the sealed segment, or of what stands for it; `where` names it."""
    if part is None or part.analysis is None or not part.n_trades:
        return View(None, None, "")
    found = part.analysis
    return View(
        _in_sharpe(found.costs_in_sharpe, where),
        _capacity(found.capacity, where),
        _ambiguity(found.ambiguity, part.starting_equity),
    )


def _in_sharpe(found: CostsInSharpeResult, where: str) -> Chart | None:
    gross, net = found.gross, found.net
    if gross is None or net is None or not found.taken:
        return None
    taken = [(kind, found.taken.get(kind, 0.0)) for kind in _SHOWN]
    taken = [(kind, size) for kind, size in taken if size]
    run, reached = gross, [gross, net, 0.0]
    for _, size in taken:
        run -= size
        reached.append(run)
    scale = covering(reached, include=(0.0,))
    grid = Grid(scale, ticks(scale, 5, thin=True), 0.0, f"Sharpe, annual, {where}", "Sharpe")
    parts = [Row(kind.capitalize(), -size, signed(-size)) for kind, size in taken]
    first = Row("Before costs", gross, plain_number(gross), kind="before")
    last = Row("After costs", net, plain_number(net), kind="ours")
    rows = (
        ("Before costs", plain_number(gross)),
        *((kind.capitalize(), signed(-size)) for kind, size in taken),
        ("After costs", plain_number(net)),
    )
    table = Table("Sharpe by cost", (Column("Kind", number=False), Column("Sharpe")), rows)
    title = f"Costs take {plain_number(gross - net)} of a Sharpe of {plain_number(gross)}"
    if gross <= 0:
        title = "Even before costs the Sharpe is not above zero"
    note = "Orders and quantities fixed; each kind's share is its mean over all orders of adding. "
    note += "Costs come back to each day alone; the ladder's account keeps them from day to day."
    return Chart("in-sharpe", title, note, steps.steps(first, parts, last, grid), table)


def _capacity(found: CapacityResult | None, where: str) -> Chart | None:
    if found is None or sum(p.sharpe is not None for p in found.points) < 2:
        return None
    head = (
        Column("Assets"),
        Column("Net Sharpe"),
        Column("Net return, %"),
        Column("Profit"),
        Column("Impact, bp"),
        Column("Filled, %"),
    )
    rows = tuple(
        (
            large(p.deposit),
            plain_number(p.sharpe),
            bare_percent(p.net_return, sign=True),
            money(p.profit),
            plain_number(p.impact_bp),
            bare_percent(p.filled),
        )
        for p in found.points
    )
    note = (
        f"The same decisions at other deposits, {where}: impact {short(found.impact)} × volatility "
        f"× (share of the bar's volume)^{short(found.impact_power)}, at most "
        f"{percent(found.volume_cap)} of a bar's volume filled; the rest of an order waits."
    )
    table = Table("capacity", head, rows)
    return Chart("capacity", capacity_title(found), note, capacity_curve(found), table)


def capacity_title(found: CapacityResult) -> str:
    """What the curve shows, in a sentence."""
    known = [p for p in found.points if p.sharpe is not None]
    first, last = known[0], known[-1]
    if (first.sharpe or 0.0) <= 0:
        return f"At {large(first.deposit)} nothing is earned, so there is no capacity to speak of"
    thin = last.filled is not None and last.filled < 0.9
    but = f", but only {percent(last.filled)} of the orders is filled" * thin
    if found.half_sharpe is None:
        return f"At {large(last.deposit)} more than half of the Sharpe is left{but}"
    if found.zero_sharpe is None:
        told = f"; at {large(last.deposit)} {plain_number(last.sharpe)} remains{but}"
    else:
        told = f", and is gone at {large(found.zero_sharpe)}"
    return f"The Sharpe halves at {large(found.half_sharpe)} under management{told}"


def _ambiguity(found: AmbiguityResult | None, equity: float | None) -> str:
    if found is None:
        return ""
    if not found.n_bars:
        return "No bar spanned both the stop and the target of a position."
    told = (
        f"{plural(found.n_bars, 'bar')} spanned both the stop and the target of a position "
        f"({percent(found.share)} of the trades); had the target always come first instead of the "
        f"stop, the account would hold {count(round(found.between))} more"
    )
    return told + (f", {percent(found.between / equity)} of the first equity." if equity else ".")
