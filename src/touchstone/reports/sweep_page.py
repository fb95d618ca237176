"""The page of a sweep: the map, what stands around the best, each axis alone, the table."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame, heat_map
from touchstone.reports.charts.frame import Area, Axes, Chart, Column, Table
from touchstone.reports.charts.heat_map import HeatMap
from touchstone.reports.charts.scales import covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    count,
    day,
    money,
    percent,
    plain_number,
    plural,
    sentence,
    signed,
)
from touchstone.reports.images import heat_map_image
from touchstone.reports.measurement import Band, Page, Section, render
from touchstone.reports.sweep import (
    CLEARED,
    SweepResult,
    SweptAccount,
    chance,
    ranked,
    settings_text,
    standing,
    value_text,
    warning,
)

_PANELS: Final = 6
"""Values of a third axis that get a map each."""
_ROWS: Final = 25
_CANNOT: Final = (
    "What this cannot show: that any of these settings earns money. They were compared on the "
    "rows they are shown on, and neighbours trade nearly the same trades, so a plateau says only "
    "that the best does not hang on one number. A study with sealed rows (touchstone run) judges."
)


def page(result: SweepResult, seed: int, command: str) -> str:
    """The page as HTML text."""
    winner = result.winner
    bands = [Band("warning", "Best of many", f"{warning(result)}.")]
    if winner is not None and not _is_cleared(result):
        bands.insert(0, Band("broken", "Within the luck of the search", _luck(result)))
    if winner is None:
        headline, deck = "No combination traded enough to be compared", _refused(result)
    else:
        headline = (
            f"Of {plural(result.n_trials, 'trial')} the best shows a Sharpe of "
            f"{plain_number(winner.sharpe)}"
        )
        deck = f"At {settings_text(result, winner)}. {standing(result)}."
    sections = _map(result)
    if winner is not None:
        sections += [_around(result, winner), _axes(result, winner)]
    sections.append(_table(result))
    return render(
        Page(
            name="sweep",
            seed=seed,
            kicker="Which settings, and is the best more than luck?",
            headline=headline,
            deck=deck,
            figure=chance(result.deflated_sharpe),
            unit=f"deflated Sharpe: the chance that the true Sharpe beats the luck of "
            f"{plural(result.n_candidates, 'trial')}",
            under=_under(result),
            facts=_facts(result),
            cannot=_CANNOT,
            bands=tuple(bands),
            sections=tuple(sections),
            command=command,
        )
    )


def picture(result: SweepResult) -> str:
    """The map as an SVG file of its own."""
    return heat_map.static(*_pictured(result))


def image(result: SweepResult) -> bytes:
    """The map as a PNG file."""
    return heat_map_image(*_pictured(result))


def _pictured(result: SweepResult) -> tuple[HeatMap, str, str]:
    """The map, its title and what stands below it."""
    chart, said = _maps(result)[0]
    winner = result.winner
    title = f"Sharpe of {plural(result.n_trials, 'trial')}, net of costs"
    if winner is not None:
        title += f": the best {plain_number(winner.sharpe)}, deflated "
        title += chance(result.deflated_sharpe)
    return chart, title, sentence(said)


def _is_cleared(result: SweepResult) -> bool:
    return (result.deflated_sharpe or 0) >= CLEARED


def _luck(result: SweepResult) -> str:
    return (
        f"The deflated Sharpe of the best is {chance(result.deflated_sharpe)}; {CLEARED:g} "
        f"is asked."
    )


def _refused(result: SweepResult) -> str:
    if not result.refused:
        return "Fewer than 20 trades each, or returns without variance."
    return f"{plural(sum(result.refused.values()), 'combination')} made no strategy."


def _under(result: SweepResult) -> str:
    if result.pbo is None:
        return ""
    return (
        f"Probability of backtest overfitting {percent(result.pbo)}: how often the best of half "
        "of the days ranks in the lower half on the others."
    )


def _facts(result: SweepResult) -> tuple[str, ...]:
    facts = [
        f"{plural(result.n_trials, 'trial')}, one row of the ledger",
        f"{plural(result.n_instruments, 'instrument')}, {plural(result.n_bars, 'bar')}",
        f"{day(result.first)} to {day(result.last)}, {plural(result.n_days, 'day')}",
    ]
    if result.refused:
        n = sum(result.refused.values())
        facts.append(f"{plural(n, 'combination')} left out: they make no strategy")
    return tuple(facts)


def _map_title(result: SweepResult) -> str:
    winner = result.winner
    if winner is None:
        return "Sharpe ratio of every combination"
    around = result.around
    word = f", {_WORDS[around.word]}" if around is not None else ""
    if around is not None and around.word == "alone" and around.n:
        word = ", and it earns nothing"
    return f"The best, {plain_number(winner.sharpe)}, at {settings_text(result, winner)}{word}"


_WORDS: Final = {
    "plateau": "on a plateau", "slope": "on a slope", "spike": "a spike",
    "alone": "without neighbours",
}  # fmt: skip


def _map(result: SweepResult) -> list[Section]:
    note = "Annual Sharpe net of costs{}. Blue: above 0; grey: below; the frame marks the best."
    (first, said), *others = _maps(result)
    chart = Chart(
        "map-0",
        _map_title(result),
        note.format(f", {said}" if said else ""),
        heat_map.heat_map(first),
        _map_table(result),
        "full",
    )
    say = "Each cell is one account with a deposit of its own, over the same bars and scores."
    sections = [Section("map", "Map", "Every combination", (say,), (chart,))]
    if others:
        charts = tuple(
            Chart(f"map-{i}", sentence(said), note.format(""), heat_map.heat_map(chart), None)
            for i, (chart, said) in enumerate(others, start=1)
        )
        title = "The same elsewhere"
        sections.append(Section("elsewhere", "Elsewhere", title, (), charts))
    return sections


class _Plan(NamedTuple):
    """Which axis runs where on a map; None: there is no such axis."""

    x: int
    y: int | None
    third: int | None
    """The axis that has a map for each of its values."""


def _plan(result: SweepResult) -> _Plan:
    sizes = [len(axis.values) for axis in result.axes]
    order = [k for k in sorted(range(len(sizes)), key=lambda k: -sizes[k]) if sizes[k] > 1]
    third = order[2] if len(order) > 2 and sizes[order[2]] <= _PANELS else None
    return _Plan(order[0], order[1] if len(order) > 1 else None, third)


def _maps(result: SweepResult) -> list[tuple[HeatMap, str]]:
    """The best's own map first, then one a value of a third axis; others stand as the best's."""
    plan, own = _plan(result), (result.winner or result.accounts[0]).place
    steps = [own]
    if plan.third is not None:
        k = plan.third
        steps += [
            (*own[:k], i, *own[k + 1 :]) for i in range(len(result.axes[k].values)) if i != own[k]
        ]
    tables = [_cells(result, plan, at) for at in steps]
    largest = max((abs(v) for t in tables for row in t for v in row if v is not None), default=0.0)
    x, y = result.axes[plan.x], None if plan.y is None else result.axes[plan.y]
    maps = []
    for at, cells in zip(steps, tables, strict=True):
        best = None
        if at == own and result.winner is not None:
            best = (0 if plan.y is None else own[plan.y], own[plan.x])
        fixed = [
            f"{axis.name} {value_text(axis.values[at[k]])}"
            for k, axis in enumerate(result.axes)
            if k not in (plan.x, plan.y) and len(axis.values) > 1
        ]
        labels = [""] if y is None else [value_text(v) for v in y.values]
        across = [value_text(v) for v in x.values]
        names = x.name, "" if y is None else y.name
        chart = HeatMap(cells, across, labels, *names, best, largest)
        maps.append((chart, f"with {', '.join(fixed)}" if fixed else ""))
    return maps


def _cells(result: SweepResult, plan: _Plan, at: tuple[int, ...]) -> list[list[float | None]]:
    """Sharpe by (y, x) at one place of all other axes."""
    known = {a.place: a.sharpe for a in result.accounts}
    rows = []
    for i in range(1 if plan.y is None else len(result.axes[plan.y].values)):
        place, row = list(at), list[float | None]()
        if plan.y is not None:
            place[plan.y] = i
        for j in range(len(result.axes[plan.x].values)):
            place[plan.x] = j
            row.append(known.get(tuple(place)))
        rows.append(row)
    return rows


def _map_table(result: SweepResult) -> Table:
    shown = ranked(result)[:200]
    note = f"The first 200 of {count(len(result.accounts))}." if len(result.accounts) > 200 else ""
    return _listed(result, "Every combination by its Sharpe", shown, note)


_FIGURES: Final = (
    "Sharpe", "net, %", "drawdown, %", "trades", "wins, %", "profit factor", "exposure, %",
    "cost paid", "break-even, bp a side",
)  # fmt: skip


def _listed(
    result: SweepResult, name: str, accounts: Sequence[SweptAccount], note: str = ""
) -> Table:
    """One row an account: a column for each key that was swept, then what it did."""
    kept = [k for k, axis in enumerate(result.axes) if len(axis.values) > 1]
    rows = tuple(
        (
            *(value_text(result.axes[k].values[a.place[k]]) for k in kept),
            signed(a.sharpe), bare_percent(a.net_return, sign=True), bare_percent(a.max_drawdown),
            count(a.n_trades), bare_percent(a.win_rate), plain_number(a.profit_factor),
            bare_percent(a.exposure), money(a.cost_paid), plain_number(a.break_even_cost_bp),
        )
        for a in accounts
    )  # fmt: skip
    head = (*(result.axes[k].name for k in kept), *_FIGURES)
    return Table(name, tuple(Column(h) for h in head), rows, note)


def _around(result: SweepResult, winner: SweptAccount) -> Section:
    around = result.around
    say = (
        f"{standing(result)}.",
        "Plateau: the neighbours' median is at least 0.8 of the best; spike: less than half of it. "
        "A neighbour differs by at most one step on each key that has three values or more, in "
        "order.",
    )
    if around is None or not around.accounts:
        return Section("around", "Around", "Plateau or spike?", say)
    near = {a.place for a in (winner, *(result.accounts[i] for i in around.accounts))}
    shown = [a for a in ranked(result) if a.place in near][:_ROWS]
    table = _listed(result, "The best and what differs from it by one step", shown)
    return Section("around", "Around", "Plateau or spike?", say, (), (table,))


def _axes(result: SweepResult, winner: SweptAccount) -> Section:
    charts = tuple(
        Chart(
            f"axis-{k}",
            f"{sentence(axis.name)}: the best at {value_text(axis.values[winner.place[k]])}",
            "Blue: the other keys as the best has them. Grey: median over all their values.",
            _axis(result, winner, k),
            None,
        )
        for k, axis in enumerate(result.axes)
        if len(axis.values) > 1
    )
    say = ("What each key does when the others are left as they are.",)
    return Section("axes", "Keys", "Each key alone", say, charts)


def _axis(result: SweepResult, winner: SweptAccount, k: int) -> Markup:
    axis, (alone, middle) = result.axes[k], _profile(result, winner, k)
    scale, n = covering([*alone, *middle], include=(0.0,)), len(result.axes[k].values)
    shapes = [frame.rule_y(scale.place(0.0), "zero")]
    for kind, values in (("base", middle), ("ours", alone)):
        known = [(i, v) for i, v in enumerate(values) if v is not None]
        x, y = [(i + 0.5) / n for i, _ in known], [scale.place(v) for _, v in known]
        if known:
            shapes.append(frame.path(x, y, f"line {kind} thin"))
        for (i, value), across, up in zip(known, x, y, strict=True):
            hint = f"{value_text(axis.values[i])}: {plain_number(value)}"
            shapes.append(frame.dot(across, up, kind, hint))
    labels = [value_text(v) for v in axis.values]
    bounds = Axes(heat_map.steps(labels, 10), ticks(scale, 5), axis.name, "Sharpe")
    return frame.plot(Area(220, shapes, [], bounds))


def _profile(
    result: SweepResult, winner: SweptAccount, k: int
) -> tuple[list[float | None], list[float | None]]:
    """Sharpe along one axis: beside the best, and the median over everything else."""
    alone, middle = list[float | None](), list[float | None]()
    for i in range(len(result.axes[k].values)):
        at = (*winner.place[:k], i, *winner.place[k + 1 :])
        here = [a for a in result.accounts if a.place[k] == i]
        known = sorted(a.sharpe for a in here if a.sharpe is not None)
        alone.append(next((a.sharpe for a in here if a.place == at), None))
        n = len(known)
        middle.append((known[(n - 1) // 2] + known[n // 2]) / 2 if n else None)
    return alone, middle


def _table(result: SweepResult) -> Section:
    shown = ranked(result)[:_ROWS]
    name = f"The first {len(shown)} of {plural(result.n_trials, 'trial')}"
    say = ("All of them stand in result.json, and in the table that --table FILE writes.",)
    table = _listed(result, name, shown)
    return Section("table", "Table", "The highest, and what they cost", say, (), (table,))
