"""The page of an architecture search: the cell, whether it beats random ones, how it was found."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from touchstone.reports.architecture import (
    ArchitectureResult,
    CellFound,
    Compared,
    EpochFound,
    SearchTold,
    place_name,
    sentence_of,
    wiring,
)
from touchstone.reports.charts import frame
from touchstone.reports.charts.cell_graph import cell_graph
from touchstone.reports.charts.frame import Area, Axes, Chart, Column, Table
from touchstone.reports.charts.rows import Grid, Row, dots
from touchstone.reports.charts.scales import Scale, Tick, covering, ticks
from touchstone.reports.figures import (
    count,
    day,
    interval,
    percent,
    plain_number,
    plural,
    signed,
)
from touchstone.reports.measurement import Band, Page, Section, render

_CANNOT: Final = (
    "What this cannot show: that the found network earns money, or that it is the best there is. "
    "It stands beside random cells of its own size and space; touchstone run takes it to a verdict."
)
_HYPHEN: Final = "\u2011"
_SPACE: Final = "\u00a0"
"""Neither ends a line."""
_HEIGHT: Final = 190


def page(result: ArchitectureResult, command: str) -> str:
    """The page as HTML text."""
    one = result.on_test
    return render(
        Page(
            name=result.name,
            seed=", ".join(map(str, result.seeds)),
            kicker="Does a searched wiring foresee better than one drawn at random?",
            headline=sentence_of(result),
            deck=_deck(result),
            figure=signed(one.difference),
            unit=f"PR-AUC over random cells on pooled test rows (95 %: {interval(one.interval)})",
            under=_under(result),
            facts=_facts(result),
            cannot=_CANNOT,
            bands=_bands(result),
            sections=(_cell(result), _compared(result), _search(result), _how(result)),
            command=command,
        )
    )


def _deck(result: ArchitectureResult) -> str:
    one, n_found = result.on_test, len(result.found)
    who = "Found" if n_found == 1 else f"{n_found} found cells"
    said = (
        f"{who}: PR-AUC {plain_number(one.found)} on test rows; {len(result.random)} random cells "
        f"of the same size, trained alike: {plain_number(one.random)}."
    )
    if one.interval is None:
        return f"{said} Too few days for an interval, so nothing is claimed."
    if result.verdict == "does not beat":
        return f"{said} The interval holds 0: the two are not told apart."
    return f"{said} The interval does not hold 0."


def _under(result: ArchitectureResult) -> str:
    one = next(c for c in result.compared if c.rows == "validation")
    return (
        f"On validation rows, which chose each fit\u2019s epoch: {signed(one.difference)} "
        f"({interval(one.interval)}). Knowing nothing gives {plain_number(result.base_rate)}."
    )


def _bands(result: ArchitectureResult) -> tuple[Band, ...]:
    text = (
        f"Nothing from {day(result.sealed_from)} on was scored. Every cell, found or random, is a "
        "candidate in the ledger."
    )
    notes = tuple(Band("warning", "Note", note) for note in result.notes)
    return (*notes, Band("warning", "A comparison, no verdict", text))


def _facts(result: ArchitectureResult) -> tuple[str, ...]:
    stages = ", ".join(
        f"{plural(s.cells, 'cell')} with {s.operations or len(result.operations) + 1} operations"
        + f" and {percent(s.skip_dropout)} of skips silenced at first" * bool(s.skip_dropout)
        for s in result.stages
    )
    return (
        f"{plural(len(result.searches), 'search')[:-1]}es"
        if len(result.searches) > 1
        else "1 search",
        f"{result.order} order; stages: {stages}",
        f"{len(result.random)} random cells, {plural(len(result.seeds), 'seed')}, "
        f"{plural(result.n_folds, 'fold')}",
        f"{plural(result.won.parameters, 'parameter')} in the {_winner(result)} network",
        f"{plural(result.on_test.n_rows, 'test row')}, base rate {percent(result.base_rate)}",
        f"{plural(result.n_candidates, 'candidate')} on these rows in the ledger",
    )


def _cell(result: ArchitectureResult) -> Section:
    won = result.won
    note = (
        "A line down for each place; on it, in a node\u2019s rows, the operation that takes from "
        "it. A node is the sum of its two. The first cell hears the stem twice."
    )
    words = _wired(won)
    chart = Chart("cell", words, note, cell_graph(won.genotype, words), None)
    n_cells = int(result.network["cells"])
    upon = ", one upon the other" if n_cells > 1 else ""
    say = [
        f"{plural(n_cells, 'cell')} of this wiring{upon}, "
        f"{result.network['width']} channels a node. {won.file} beside this page holds it: "
        "touchstone run takes it to its one look at the sealed rows.",
    ]
    if len(result.found) > 1:
        say.insert(0, f"The best on validation rows of {len(result.found)} found cells.")
    return Section("cell-found", "Cell", f"The {_winner(result)} cell", tuple(say), (chart,))


def _winner(result: ArchitectureResult) -> str:
    """What the cell that goes on is called."""
    return "found" if len(result.found) == 1 else "winning"


def _compared(result: ArchitectureResult) -> Section:
    say = (
        "A search is worth its time only if its cell is better than a random one of the same "
        "size, trained with the same recipe and as many seeds. Random cells are drawn from the "
        "space that was searched.",
        f"Who draws cells instead of searching keeps the best on validation rows as well: that is "
        f"{result.drawn.name}, with PR-AUC {plain_number(result.drawn.test)} on test rows beside "
        f"the winner\u2019s {plain_number(result.won.test)}. A search costs its epochs on top.",
    )
    charts = (
        Chart(
            "cells", _cells_title(result), "PR-AUC on pooled test rows, mean over the seeds; "
            "whisker: 95 %, days and seeds drawn again.", _cell_dots(result), None, "full",
        ),
        Chart(
            "difference", "Found less random, PR-AUC",
            "Whisker: 95 %; other days, other cells, other seeds. Line: no difference.",
            _difference_dots(result), None, "full",
        ),
    )  # fmt: skip
    head = (
        Column("cell", number=False), Column("parameters"),
        Column("validation PR-AUC"), Column("test PR-AUC"), Column("95 %"),
        Column("test, by seed"), Column("wiring", number=False),
    )  # fmt: skip
    rows = tuple(
        (
            _name(cell, result).replace(" ", _SPACE, 1), count(cell.parameters),
            plain_number(cell.validation), plain_number(cell.test),
            interval(cell.test_interval, sign=False),
            _SPACE.join(plain_number(v) for v in cell.test_by_seed),
            "; ".join(node.replace(" ", _SPACE) for node in _wired(cell).split("; ")),
        )
        for cell in result.cells
    )  # fmt: skip
    note = "c-2: the cell before the last; c-1: the last cell; n1, n2, ...: nodes of the cell."
    table = Table("Every cell", head, rows, note)
    return Section("compared", "Beside random", "Beside random cells", say, charts, (table,))


def _wired(cell: CellFound) -> str:
    """On one line, places unbroken."""
    return wiring(cell.genotype).replace("-", _HYPHEN)


def _name(cell: CellFound, result: ArchitectureResult) -> str:
    return cell.name + (" (winner)" if cell.name == result.winner else "")


def _cells_title(result: ArchitectureResult) -> str:
    better = sum((cell.test or 0) > (result.won.test or 0) for cell in result.random)
    return (
        f"{better} of {len(result.random)} random cells did better than the {_winner(result)} one "
        "on test rows"
    )


def _cell_dots(result: ArchitectureResult) -> Markup:
    values = [v for cell in result.cells for v in (cell.test, *(cell.test_interval or ()))]
    scale = covering([*values, result.base_rate])
    rows = [
        Row(_name(cell, result), cell.test, plain_number(cell.test), cell.test_interval,
            "ours" if cell.searched else "base",
            f"{cell.name}: {plain_number(cell.test)}, {_wired(cell)}")
        for cell in result.cells
    ]  # fmt: skip
    grid = Grid(
        scale, ticks(scale, 5, thin=True), result.base_rate, "solid line: base rate", "mean"
    )
    return dots(rows, grid)


def _difference_dots(result: ArchitectureResult) -> Markup:
    values = [v for one in result.compared for v in (one.difference, *(one.interval or ()))]
    scale = covering(values, include=(0.0,))
    rows = [_difference(one) for one in reversed(result.compared)]
    return dots(rows, Grid(scale, ticks(scale, 5, thin=True), 0.0, "difference of PR-AUC"))


def _difference(one: Compared) -> Row:
    kind = "ours" if one.rows == "test" else "base"
    words = f"{one.rows}: {signed(one.difference)}, {interval(one.interval)}"
    return Row(
        f"{one.rows} rows", one.difference, signed(one.difference), one.interval, kind, words
    )


def _search(result: ArchitectureResult) -> Section:
    one = next(s for s in result.searches if s.cell == result.winner)
    say = [
        "On each edge all operations stand at once, weighed by a softmax that learns from rows "
        "that the weights do not see. A dashed line: a new stage, deeper and with fewer "
        "operations, begun afresh. Blue: what the found cell took.",
    ]
    if len(result.searches) > 1:
        say.append(f"Shown: search {one.number}, which came to the winner.")
    edges = one.history[-1].shares
    charts = [_loss_chart(one)]
    charts += [_edge_chart(result, one, edge) for edge in edges]
    head = (Column("edge", number=False), Column("operation", number=False), Column("weight, %"))
    rows = tuple(
        (_edge_words(edge), name.replace("_", " "), plain_number(100 * share))
        for edge, shares in edges.items()
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
    )
    table = Table("Weights after the last epoch", head, rows)
    return Section("search", "Search", "How it was found", tuple(say), tuple(charts), (table,))


def _loss_chart(one: SearchTold) -> Chart:
    lines = {
        "weights\u2019 rows": [e.train_loss for e in one.history],
        "architecture\u2019s rows": [e.held_loss for e in one.history],
    }
    scale = covering([v for values in lines.values() for v in values])
    blue, grey = "architecture\u2019s rows", "weights\u2019 rows"
    legend = frame.key((("line ours", blue), ("line base", grey)))
    body = frame.join([legend, _lines(one.history, lines, blue, (scale, ticks(scale, 4)))])
    note = "Mean loss of an epoch; the weights\u2019 while they learn."
    return Chart("losses", "Loss over the epochs", note, body, None)


def _edge_chart(result: ArchitectureResult, one: SearchTold, edge: str) -> Chart:
    took = _took(result.won, edge)
    names = one.history[0].shares[edge]
    lines = {
        name: [epoch.shares[edge].get(name) for epoch in one.history] for name in names
    }  # fmt: skip
    most = max(v for values in lines.values() for v in values if v is not None)
    scale = Scale(0.0, min(1.0, 1.1 * most))
    title = f"{_edge_words(edge)}: " + (took.replace("_", " ") if took else "not taken")
    body = _lines(one.history, lines, took, (scale, ticks(scale, 3, " %", 100)))
    return Chart(f"edge-{edge.replace(' ', '-')}", title, "Weight of each operation.", body, None)


def _took(cell: CellFound, edge: str) -> str | None:
    node, place = map(int, edge.split())
    return dict(cell.genotype[node]).get(place)


def _edge_words(edge: str) -> str:
    node, place = map(int, edge.split())
    return f"node {node + 1} from {place_name(place)}"


def _lines(
    history: Sequence[EpochFound], lines: Mapping[str, Sequence[float | None]], blue: str | None,
    axis: tuple[Scale, tuple[Tick, ...]],
) -> Markup:  # fmt: skip
    """Lines over the epochs, each stage by itself; `blue` names the one that stands out."""
    scale, y_ticks = axis
    x = Scale(1.0, float(max(len(history), 2)))
    shapes = _stage_rules(history, x)
    for name in sorted(lines, key=lambda one: one == blue):
        kind = "ours" if name == blue else "base"
        for stage in sorted({epoch.stage for epoch in history}):
            known = [
                (x.place(epoch.index), scale.clipped(value))
                for epoch, value in zip(history, lines[name], strict=True)
                if epoch.stage == stage and value is not None
            ]
            if known:
                across, up = zip(*known, strict=True)
                shapes.append(frame.path(across, up, f"line {kind}"))
                shapes.append(frame.dot(*known[-1], f"small {kind}", name.replace("_", " ")))
    axes = Axes(_epoch_ticks(len(history), x), y_ticks, "epoch")
    return frame.plot(Area(_HEIGHT, shapes, (), axes))


def _stage_rules(history: Sequence[EpochFound], x: Scale) -> list[Markup]:
    return [
        frame.rule_x(x.place(later.index - 0.5), "reference")
        for before, later in pairwise(history)
        if later.stage != before.stage
    ]


def _epoch_ticks(n: int, x: Scale) -> tuple[Tick, ...]:
    step = max(1, -(-n // 6))
    return tuple(Tick(x.place(i), str(i), i % (2 * step) != 1) for i in range(1, n + 1, step))


def _how(result: ArchitectureResult) -> Section:
    rows = (
        f"The search saw the train rows of the first fold alone, which no fold validates or tests "
        f"on: {count(result.n_weights)} earlier rows for the weights, {count(result.n_held)} later "
        f"ones for the architecture; {count(result.n_purged)} between them were left out, so that "
        "no outcome of the earlier half reaches into a window of the later.",
        f"Then every cell was trained from the start on each of {plural(result.n_folds, 'fold')}, "
        f"with {plural(len(result.seeds), 'seed')}, by the study\u2019s recipe. Of the found "
        "the one with the best mean on validation rows is the winner; test rows choose nothing.",
        "The verdict is that of the mean of all found cells against that of all random ones, by "
        "the interval on test "
        "rows. Whole days are drawn again; and cells differ as those that were trained do, seeds "
        "included. One found cell is taken to differ from the next as random ones do: so a search "
        "that drew at random would be called better in one of forty cases or fewer. More random "
        "cells, or more searches, make the interval narrower.",
        f"Bars of {day(result.first)} to {day(result.last)}.",
    )
    return Section("how", "How", "How it was done", rows)
