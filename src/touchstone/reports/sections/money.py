"""Section 2: equity before and after the seal, drawdown, and the measures of both."""

from typing import NamedTuple

from touchstone.reports.analysis import Analysis
from touchstone.reports.charts import lines
from touchstone.reports.charts.frame import Chart, Column, Table
from touchstone.reports.figures import (
    NONE,
    bare_percent,
    bp,
    count,
    day,
    interval,
    money,
    percent,
    plain_number,
    words,
)
from touchstone.reports.findings import net_figure
from touchstone.reports.result import MarketResult, Performance
from touchstone.reports.sections import over_time


class MeasureRow(NamedTuple):
    """One measure, on the sealed segment and before it."""

    key: str
    unit: str
    sealed: str
    before: str


class View(NamedTuple):
    """What the template of section 2 needs."""

    chart: Chart | None
    earned: tuple[MeasureRow, ...]
    traded: tuple[MeasureRow, ...]
    baselines: Table | None
    exits: str
    controls: str
    where: str
    """Which rows they are of."""
    time: over_time.View
    """Months, drawdowns, exposure, benchmarks."""


def view(market: MarketResult) -> View:
    """Equity, drawdown and measures."""
    measures = _measures(market.sealed, market.walk_forward)
    judged = market.sealed or market.walk_forward
    return View(
        chart=_chart(market),
        earned=measures[:_FIRST_OF_TRADING],
        traded=measures[_FIRST_OF_TRADING:],
        baselines=_baselines(judged, where_of(market)),
        where=where_of(market),
        exits=_exits(judged),
        controls=_controls(judged),
        time=over_time.view(*_analysed(market), where_of(market)),
    )


def _analysed(market: MarketResult) -> tuple[Analysis | None, Analysis | None]:
    """Of the segment that is judged, and of the tests before it where that is the sealed one."""
    before = None if market.walk_forward is None else market.walk_forward.analysis
    if market.sealed is None:
        return before, None
    return market.sealed.analysis, before


def _chart(market: MarketResult) -> Chart | None:
    parts = lines.segments(
        market.walk_forward.curve if market.walk_forward else None,
        market.sealed.curve if market.sealed else None,
    )
    if not parts:
        return None
    log = ", log scale" if lines.is_log(parts) else ""
    note = "Equity net of costs, all lines drawn to meet at 100 where the seal begins"
    if len(parts) == 1:
        note = "Equity net of costs, 100 at the start"
    table = lines.equity_table(parts)
    return Chart("equity", _title(market), note + log + ".", lines.equity(parts), table, "full")


def _title(market: MarketResult) -> str:
    sealed = market.sealed
    if sealed is None and market.walk_forward is not None:
        made = market.walk_forward.net_return
        told = "" if made is None else f" {'lost' if made < 0 else 'made'} {percent(abs(made))}:"
        return f"Before the seal the best candidate{told} nothing was tried on the sealed segment"
    if sealed is None:
        return "Nothing was tried on the sealed segment"
    if sealed.n_trades == 0:
        return "No trade was made on the sealed segment: equity stays flat"
    net = net_figure(sealed)
    if net.value is None:
        return "Equity before the seal and on the sealed segment"
    edge = "the strategy gained" if net.value >= 0 else "the strategy lost"
    span = "a year on" if net.yearly else "on"
    tail = f", interval {net.interval}" if net.known else ""
    return f"Net of costs {edge} {percent(abs(net.value))} {span} the sealed segment{tail}"


def _measures(sealed: Performance | None, before: Performance | None) -> tuple[MeasureRow, ...]:
    if sealed is None and before is None:
        return ()
    one, two = _column(sealed), _column(before)
    return tuple(MeasureRow(key, unit, one[i], two[i]) for i, (key, unit) in enumerate(_MEASURES))


_MEASURES = (
    ("net_return", "%"),
    ("annual_return", "%"),
    ("interval", "% a year"),
    ("sharpe", "annual"),
    ("interval", "Sharpe"),
    ("sortino", "annual"),
    ("volatility", "% a year"),
    ("max_drawdown", "%"),
    ("drawdown_from_peak_to_trough", "UTC"),
    ("drawdown_recovered", "UTC"),
    ("calmar", ""),
    ("var", "% a day at 95, 99 %"),
    ("es", "% a day at 95, 99 %"),
    ("profit_factor", ""),
    ("win_rate", "%"),
    ("expectancy", "bp"),
    ("exposure", "% of equity"),
    ("turnover", "× equity a year"),
    ("trades", "closed"),
    ("cost_paid", "currency"),
    ("cost_paid", "% of first equity"),
    ("break_even_cost", "bp a side"),
    ("controls", "% beaten"),
)

_FIRST_OF_TRADING = 13


def _column(part: Performance | None) -> tuple[str, ...]:
    if part is None:
        return (NONE,) * len(_MEASURES)
    traded, yearly = part.n_trades > 0, net_figure(part).yearly
    return (
        bare_percent(part.net_return, sign=True),
        bare_percent(part.annual_return, sign=True) if yearly else NONE,
        interval(part.annual_return_interval, 100) if yearly else NONE,
        plain_number(part.sharpe),
        interval(part.sharpe_interval),
        plain_number(part.sortino),
        bare_percent(part.volatility),
        bare_percent(part.max_drawdown),
        f"{day(part.drawdown_peak)} to {day(part.drawdown_trough)}" if part.drawdown_peak else NONE,
        day(part.drawdown_recovery) if part.drawdown_recovery else "not yet" * traded or NONE,
        plain_number(part.calmar) if yearly else NONE,
        _two(part.var95, part.var99),
        _two(part.es95, part.es99),
        plain_number(part.profit_factor),
        bare_percent(part.win_rate),
        bp(None if part.expectancy is None else 1e4 * part.expectancy, sign=True).removesuffix(
            "\u202fbp"
        ),
        bare_percent(part.exposure),
        plain_number(part.turnover),
        count(part.n_trades),
        money(part.cost_paid),
        _relative_cost(part),
        plain_number(part.break_even_cost_bp),
        bare_percent(part.controls_rank),
    )


def _two(at95: float | None, at99: float | None) -> str:
    if at95 is None and at99 is None:
        return NONE
    return f"{bare_percent(at95)} · {bare_percent(at99)}"


def _relative_cost(part: Performance) -> str:
    if part.cost_paid is None or not part.starting_equity:
        return NONE
    return bare_percent(part.cost_paid / part.starting_equity)


def where_of(market: MarketResult) -> str:
    """Which rows the trades of the page are of."""
    return "sealed segment" if market.sealed is not None else "tests before the seal"


def _baselines(part: Performance | None, where: str) -> Table | None:
    if part is None or not part.baselines:
        return None
    ours = (
        "Ours",
        bare_percent(part.net_return, sign=True),
        plain_number(part.sharpe),
        bare_percent(part.max_drawdown),
    )
    rows = [
        (
            lines.NAMES.get(b.name, b.name).capitalize(),
            bare_percent(b.net_return, sign=True),
            plain_number(b.sharpe),
            bare_percent(b.max_drawdown),
        )
        for b in part.baselines
    ]
    head = (
        Column(where.capitalize(), number=False),
        Column("Net, %"),
        Column("Sharpe"),
        Column("Drawdown, %"),
    )
    return Table("ours beside the baselines", head, (ours, *rows))


def _exits(part: Performance | None) -> str:
    if part is None or not part.exits:
        return ""
    named = {
        "time": "ran out their time",
        "probability": "left on a fallen probability",
        "stop": "hit the stop",
        "target": "reached the target",
        "rebalance": "were left for other weights",
        "order": "were closed by an order",
        "limit": "were left at a loss limit of the account",
        "delisted": "ended with their instrument",
    }
    total = sum(part.exits.values()) or 1
    ordered = sorted(part.exits.items(), key=lambda item: -item[1])
    told = [f"{percent(n / total)} {named.get(name, name)}" for name, n in ordered if n]
    return f"Of {count(total)} trades " + ", ".join(told) + "." if told else ""


def _controls(part: Performance | None) -> str:
    if part is None or part.controls_rank is None:
        return ""
    beaten = round(200 * part.controls_rank)
    if beaten == 200:
        return "It beat all 200 random strategies that trade as often."
    return f"It beat {words(beaten)} of 200 random strategies that trade as often."
