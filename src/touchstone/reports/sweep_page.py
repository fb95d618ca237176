"""The page of a sweep: the map, what stands around the best, each axis alone, the table."""

from collections.abc import Sequence
from typing import Final

from touchstone.reports.charts import frame, heat_map
from touchstone.reports.charts.frame import Area, Axes, Chart, Column, Table
from touchstone.reports.charts.heat_map import HeatMap
from touchstone.reports.charts.scales import Tick, covering, ticks
from touchstone.reports.figures import (
    bare_percent,
    count,
    day,
    money,
    percent,
    plain_number,
    plural,
    signed,
)
from touchstone.reports.measurement import Band, Page, Section, render
from touchstone.reports.sweep import (
    CLEARED,
    SweepResult,
    SweptAccount,
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
    sections = [_map(result)]
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
            figure=plain_number(result.deflated_sharpe),
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
    chart, said = _maps(result)[0]
    return heat_map.static(chart, _map_title(result), said)


def _is_cleared(result: SweepResult) -> bool:
    return (result.deflated_sharpe or 0) >= CLEARED


def _luck(result: SweepResult) -> str:
    return (
        f"The deflated Sharpe of the best is {plain_number(result.deflated_sharpe)}; {CLEARED:g} "
        f"is asked. So many worthless settings would show {plain_number(result.luck)} by chance."
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
    word = "" if result.around is None else f", {_WORDS[result.around.word]}"
    return f"The best, {plain_number(winner.sharpe)}, at {settings_text(result, winner)}{word}"


_WORDS: Final = {
    "plateau": "on a plateau", "slope": "on a slope", "spike": "a spike",
    "alone": "without neighbours",
}  # fmt: skip


def _map(result: SweepResult) -> Section:
    table = _map_table(result)
    charts = [
        Chart(
            f"map-{i}",
            _map_title(result) if i == 0 else said,
            f"Annual Sharpe net of costs{'' if i else f'; {said}' if said else ''}. Blue: above "
            "0; grey: below; the frame marks the best of all.",
            heat_map.heat_map(chart),
            table if i == 0 else None,
        )
        for i, (chart, said) in enumerate(_maps(result))
    ]
    say = (
        "Each cell is one account with a deposit of its own, over the same bars and scores, all "
        "costs paid.",
    )
    return Section("map", "Map", "Every combination", say, tuple(charts))


def _maps(result: SweepResult) -> list[tuple[HeatMap, str]]:
    """One map, or one a value of a third axis; further axes stand at the best's values."""
    sizes = [len(axis.values) for axis in result.axes]
    order = sorted(range(len(sizes)), key=lambda k: -sizes[k])
    x, y = order[0], order[1] if len(order) > 1 and sizes[order[1]] > 1 else None
    third = order[2] if len(order) > 2 and 1 < sizes[order[2]] <= _PANELS else None
    winner = result.winner or result.accounts[0]
    known = {a.place: a for a in result.accounts}
    largest = max((abs(a.sharpe) for a in result.accounts if a.sharpe is not None), default=0.0)
    steps: Sequence[int] = range(sizes[third]) if third is not None else (-1,)
    if third is not None:  # the best's own map first
        own = winner.place[third]
        steps = [own, *(i for i in steps if i != own)]
    maps = []
    for step in steps:
        at = list(winner.place)
        if third is not None:
            at[third] = step
        rows = []
        for i in range(1 if y is None else sizes[y]):
            row: list[float | None] = []
            for j in range(sizes[x]):
                at[x] = j
                if y is not None:
                    at[y] = i
                found = known.get(tuple(at))
                row.append(None if found is None else found.sharpe)
            rows.append(row)
        is_best = result.winner is not None and (third is None or step == winner.place[third])
        best = (0 if y is None else winner.place[y], winner.place[x]) if is_best else None
        fixed = [
            f"{axis.name} {value_text(axis.values[at[k]])}"
            for k, axis in enumerate(result.axes)
            if k not in (x, y) and len(axis.values) > 1
        ]
        maps.append(
            (
                HeatMap(
                    rows,
                    [value_text(v) for v in result.axes[x].values],
                    [""] if y is None else [value_text(v) for v in result.axes[y].values],
                    result.axes[x].name,
                    "" if y is None else result.axes[y].name,
                    best,
                    largest,
                ),
                ("with " + ", ".join(fixed)) if fixed else "",
            )
        )
    return maps


def _map_table(result: SweepResult) -> Table:
    head = (Column("settings", number=False), Column("Sharpe"), Column("trades"))
    rows = tuple(
        (settings_text(result, a), plain_number(a.sharpe), count(a.n_trades))
        for a in ranked(result)[:200]
    )
    note = f"The first 200 of {count(len(result.accounts))}." if len(result.accounts) > 200 else ""
    return Table("Every combination by its Sharpe", head, rows, note)


def _around(result: SweepResult, winner: SweptAccount) -> Section:
    around = result.around
    say = (f"{standing(result)}.", "Plateau: the neighbours' median is at least 0.8 of the best; "
           "spike: less than half of it. A neighbour differs by one step on any ordered axis.")  # fmt: skip
    if around is None or not around.accounts:
        return Section("around", "Around", "Plateau or spike?", say)
    near = [winner, *(result.accounts[i] for i in around.accounts)]
    rows = tuple(
        (
            ("best: " if a is winner else "") + settings_text(result, a), signed(a.sharpe),
            bare_percent(a.net_return, sign=True), bare_percent(a.max_drawdown), count(a.n_trades),
        )
        for a in sorted(near, key=lambda a: -(a.sharpe if a.sharpe is not None else -99.0))[:_ROWS]
    )  # fmt: skip
    head = ("Sharpe", "net, %", "drawdown, %", "trades")
    columns = (Column("settings", number=False), *(Column(h) for h in head))
    table = Table("The best and what differs from it by one step", columns, rows)
    return Section("around", "Around", "Plateau or spike?", say, (), (table,))


def _axes(result: SweepResult, winner: SweptAccount) -> Section:
    charts = []
    for k, axis in enumerate(result.axes):
        if len(axis.values) < 2:
            continue
        alone, middle = _profile(result, winner, k)
        scale = covering([*alone, *middle], include=(0.0,))
        n = len(axis.values)
        x = [(i + 0.5) / n for i in range(n)]
        shapes, legend = [frame.rule_y(scale.place(0.0), "zero")], []
        for name, kind, values in (
            ("median of all others", "base", middle), ("the others as the best has them", "ours",
             alone),
        ):  # fmt: skip
            at = [i for i, v in enumerate(values) if v is not None]
            y = [scale.place(float(values[i] or 0.0)) for i in at]
            if at:
                shapes.append(frame.path([x[i] for i in at], y, f"line {kind} thin"))
            shapes += [
                frame.dot(x[i], p, kind, f"{value_text(axis.values[i])}: {plain_number(values[i])}")
                for i, p in zip(at, y, strict=True)
            ]
            legend.append((f"line {kind}", name))
        step = max(1, -(-n // 10))
        across = tuple(
            Tick((i + 0.5) / n, value_text(axis.values[i]), j % 2 == 1 and n > 5)
            for j, i in enumerate(range(0, n, step))
        )
        body = frame.plot(Area(220, shapes, [], Axes(across, ticks(scale, 5), axis.name, "Sharpe")))
        charts.append(
            Chart(
                f"axis-{k}",
                f"{axis.name}: the best at {value_text(axis.values[winner.place[k]])}",
                "Blue: the other keys as the best has them. Grey: median over all their values.",
                body,
                None,
            )
        )
    say = ("What each key does when the others are left as they are.",)
    return Section("axes", "Axes", "Each key alone", say, tuple(charts))


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
    head = (
        "Sharpe", "net, %", "drawdown, %", "trades", "wins, %", "profit factor", "exposure, %",
        "cost paid", "break-even, bp a side",
    )  # fmt: skip
    rows = tuple(
        (
            settings_text(result, a), signed(a.sharpe), bare_percent(a.net_return, sign=True),
            bare_percent(a.max_drawdown), count(a.n_trades), bare_percent(a.win_rate),
            plain_number(a.profit_factor), bare_percent(a.exposure), money(a.cost_paid),
            plain_number(a.break_even_cost_bp),
        )
        for a in ranked(result)[:_ROWS]
    )  # fmt: skip
    columns = (Column("settings", number=False), *(Column(h) for h in head))
    table = Table(f"The first {len(rows)} of {plural(result.n_trials, 'trial')}", columns, rows)
    say = ("All of them stand in result.json, and in the table that --table FILE writes.",)
    return Section("table", "Table", "The highest, and what they cost", say, (), (table,))
