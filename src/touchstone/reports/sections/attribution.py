"""Of section 5: which instruments, sides, hours, regimes and exits the money came from."""

from typing import Final, NamedTuple

from touchstone.reports.analysis import Analysis, Attributed, RegimeResult
from touchstone.reports.charts import rows
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.charts.scales import Scale, Tick, covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    count,
    money,
    percent,
    plain_number,
    sentence,
)

_NAMES: Final = {
    "instrument": "instrument",
    "side": "side",
    "hour": "hour of the entry, UTC",
    "regime": "volatility at the entry",
    "exit": "why it was left",
    "cost": "before costs, and each cost",
}
_IN_ORDER: Final = ("hour", "regime", "side", "cost")
_PREFIX: Final = {"hour": "hour ", "exit": "exits by "}
_MOST_ROWS: Final = 24


class View(NamedTuple):
    """What the template needs."""

    charts: tuple[Chart, ...]
    regimes: Table | None
    total: str


def view(found: Analysis | None) -> View:
    """Money by part; every division adds up to the profit."""
    if found is None or not found.attribution:
        return View((), None, "")
    divisions = {by: [a for a in found.attribution if a.by == by] for by in _NAMES}
    shown = {
        by: parts
        for by, parts in divisions.items()
        if len(parts) > 1 or (by == "instrument" and parts)
    }
    charts = tuple(_chart(by, parts, found.profit) for by, parts in shown.items())
    total = f"{_signed(found.profit)}, the account's whole profit"
    return View(charts, _regimes(found.regimes), total)


def _chart(by: str, parts: list[Attributed], profit: float) -> Chart:
    ordered = parts if by in _IN_ORDER else sorted(parts, key=lambda a: -a.net)
    half = _MOST_ROWS // 2
    drawn = ordered if len(ordered) <= _MOST_ROWS else [*ordered[:half], *ordered[-half:]]
    scale = covering([a.net for a in drawn], include=(0.0,))
    grid = rows.Grid(
        scale, _ticks(scale), 0.0, _axis(scale), "net" if by == "cost" else "net · positions"
    )
    body = rows.bars(
        [
            rows.Row(
                sentence(a.name),
                a.net,
                f"{_signed(a.net)}" + (f" · {count(a.n)}" if a.n and by != "cost" else ""),
                kind="ours" if a.net >= 0 else "base",
            )
            for a in drawn
        ],
        grid,
        "money-value" + (" long-names" if max(len(a.name) for a in drawn) > 8 else ""),
    )
    note = f"Net money by {_NAMES[by]}."
    if by == "cost":
        note = "What the positions earned before costs, and what each cost took."
    if len(drawn) < len(ordered):
        note += f" Best and worst {half} of {len(ordered)}; all in the table."
    head = (
        Column(sentence(by), number=False),
        *(Column(c) for c in ("Positions", "Before costs", "Costs", "Net")),
    )
    cells = tuple(
        (sentence(a.name), count(a.n), _signed(a.gross), money(a.costs), _signed(a.net))
        for a in ordered
    )
    table = Table(f"money by {by}", head, cells)
    return Chart(f"from-{by}", _title(by, parts, profit), note, body, table, "slice")


def _title(by: str, parts: list[Attributed], profit: float) -> str:
    best = max(parts, key=lambda a: a.net)
    named = _named(by, best)
    if by == "cost":
        paid = sum(a.costs for a in parts)
        earned = sum(a.gross for a in parts)
        if earned <= 0:
            return f"Nothing was earned before costs, and costs took {money(paid)}"
        return f"Costs took {percent(paid / earned)} of what was earned before them"
    if best.net <= 0:
        worst = min(parts, key=lambda a: a.net)
        return f"No part earned anything; {_named(by, worst)} lost the most"
    held = [a for a in parts if a.n]  # dividends and borrowing are the account's
    told = f"{count(sum(a.net > 0 for a in held))} of {count(len(held))} earned"
    if profit > 0 and best.net < profit:
        return f"{told}; {named} made {percent(best.net / profit)} of the profit"
    return f"{told}; {named} made the most"


def _named(by: str, part: Attributed) -> str:
    if by == "regime":
        return f"volatility {part.name}" if " " in part.name else f"{part.name} volatility"
    return f"{_PREFIX.get(by, '')}{part.name}"


def _signed(value: float) -> str:
    return ("+" if round(value) > 0 else "") + money(value)


def _unit(scale: Scale) -> tuple[float, str]:
    largest = max(abs(scale.low), abs(scale.high))
    return (
        (1e6, "millions") if largest >= 2e6 else (1e3, "thousands") if largest >= 2e3 else (1, "")
    )


def _ticks(scale: Scale) -> tuple[Tick, ...]:
    return ticks(scale, 4, factor=1 / _unit(scale)[0], thin=True)


def _axis(scale: Scale) -> str:
    name = _unit(scale)[1]
    return f"net, {name} of the account's currency" if name else "net, the account's currency"


def _regimes(found: tuple[RegimeResult, ...]) -> Table | None:
    if not found:
        return None
    head = (
        Column("Volatility the day before", number=False),
        *(Column(c) for c in ("Days", "Net, %", "Sharpe", "Volatility, %", "Worst day, %")),
    )
    cells = tuple(
        (
            sentence(r.name),
            count(r.n_days),
            bare_percent(r.net_return, sign=True),
            plain_number(r.sharpe),
            bare_percent(r.volatility),
            bare_percent(r.worst_day, sign=True),
        )
        for r in found
    )
    return Table("days by regime of volatility", head, cells)
