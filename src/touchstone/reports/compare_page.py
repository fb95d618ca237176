"""The page of a comparison: what was asked, what was found, money, skill, epochs, data."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.charts import frame, rows
from touchstone.reports.charts.frame import Area, Axes, Chart, Column, Table
from touchstone.reports.charts.rows import Grid, Row
from touchstone.reports.charts.scales import (
    Scale,
    Tick,
    covering,
    day_number,
    day_ticks,
    growth_scale,
    ticks,
)
from touchstone.reports.compare import Comparison, Figure, figures, judged, warnings
from touchstone.reports.contents import Interval
from touchstone.reports.figures import (
    interval,
    percent,
    plain_number,
    plural,
    sentence,
    short,
    signed,
    words,
)
from touchstone.reports.folds import ChoiceScores
from touchstone.reports.measured import Curve
from touchstone.reports.measurement import Band, Page, Section, render
from touchstone.reports.result import StudyResult

_CANNOT: Final = (
    "What this cannot show: that one run is better than another. Each interval is of its own run; "
    "and whoever takes the best of several runs on the same sealed days has chosen on them."
)
_HEIGHT: Final = 170
_FEW_KEYS: Final = 12
_NEAR: Final = 0.3
"""Of an axis: two marks that are nearer would be written over each other."""
_NAMED: Final = 4
"""Folds whose best epoch stands in a title."""


def page(told: Comparison, results: Sequence[StudyResult], command: str) -> str:
    """The page as HTML text.

    Args:
        told: the runs side by side.
        results: of the same runs, in the same order, for their curves.
        command: what was typed.
    """
    n = len(told.differing)
    bands = [Band("broken" if w.broken else "warning", w.title, w.text) for w in warnings(told)]
    groups = figures(told)
    found = Section(
        "found", "Found", "The verdicts", _sentences(told), (),
        (_table("Verdicts", told, groups["verdict"]),),
    )  # fmt: skip
    data = _table("Data and identity", told, groups["data"])
    sections = [
        found,
        _money(told, results, groups["money"]),
        _skill(told, groups["skill"]),
        *_epochs(told, results),
        Section("data", "Data", _data_title(told), (), (), (data,)),
    ]
    # A few keys are the first thing to see; a long list would stand before every figure.
    sections.insert(0 if n <= _FEW_KEYS else len(sections) - 1, _asked(told))
    return render(
        Page(
            name="compare",
            seed=", ".join(dict.fromkeys(str(run.seed) for run in told.runs)),
            kicker="What did these runs find, and what set them apart?",
            headline=_headline(told),
            deck=_deck(told),
            figure=str(n),
            unit=f"key{'' if n == 1 else 's'} of the config differ{'s' if n == 1 else ''}",
            under="The same bars." if told.same_data else "Not the same bars.",
            facts=tuple(f"{run.name}: {run.verdict}" for run in told.runs),
            cannot=_CANNOT,
            bands=tuple(bands),
            sections=tuple(sections),
            command=command,
        )
    )  # fmt: skip


def _headline(told: Comparison) -> str:
    n, total = sum(run.verdict == "evidence" for run in told.runs), words(len(told.runs))
    if n == len(told.runs):
        return f"{'Both' if n == 2 else f'All {total}'} runs show evidence of an edge"
    told_n = f"None of {total} runs shows" if n == 0 else f"{sentence(words(n))} of {total} runs "
    return f"{told_n}{'' if n == 0 else 'shows' if n == 1 else 'show'} evidence of an edge"


def _deck(told: Comparison) -> str:
    known = [r for r in told.runs if r.net_return is not None]
    if not known:
        return "None of them traded enough to be judged."
    nets = ", ".join(f"{r.name} {percent(r.net_return, sign=True)}" for r in known)
    return f"Net of costs: {nets}."


def _asked(told: Comparison) -> Section:
    head = (Column("key", number=False), *(Column(r.name, number=False) for r in told.runs))
    rows_ = tuple((key, *values) for key, values in told.differing.items())
    if not rows_:
        say = "Every key of the config is the same: whatever differs comes of data or code."
        return Section("asked", "Asked", "The same question", (say,))
    title = f"{sentence(plural(len(rows_), 'key'))} differ" + ("s" if len(rows_) == 1 else "")
    say = "All other keys are the same in every run; a dash stands where a run has no such key."
    table = Table("Keys of the config that differ", head, rows_)
    return Section("asked", "Asked", title, (say,), (), (table,))


def _sentences(told: Comparison) -> tuple[str, ...]:
    return tuple(f"{run.name}: {run.sentence}" for run in told.runs)


def _table(name: str, told: Comparison, found: Sequence[Figure]) -> Table:
    head = (Column("", number=False), *(Column(run.name) for run in told.runs))
    return Table(name, head, tuple((row.name.strip(), *row.cells) for row in found))


def _dots(told: Comparison, field: str, ends: str, unit: tuple[float, str], zero: float) -> Markup:
    """A row a run: a dot with its interval."""
    factor, suffix = unit
    values: list[tuple[float | None, Interval]] = [
        (getattr(run, field), getattr(run, ends)) for run in told.runs
    ]
    sizes = [v for value, span in values for v in (value, *(span or ()))]
    scale = covering(sizes, include=(zero,))
    number = plain_number if zero else signed
    drawn = [
        Row(
            run.name,
            value,
            number(None if value is None else factor * value),
            span,
            "ours" if run.verdict == "evidence" else "base",
            interval(span, factor, sign=False),
        )
        for run, (value, span) in zip(told.runs, values, strict=True)
    ]
    marks = [t for t in ticks(scale, 3, suffix, factor) if abs(t.at - scale.place(zero)) > _NEAR]
    marks.append(Tick(scale.place(zero), f"{short(factor * zero)}{suffix}"))
    grid = Grid(scale, tuple(marks), zero)
    return rows.dots(drawn, grid, "wide-name")


def _money(told: Comparison, results: Sequence[StudyResult], found: Sequence[Figure]) -> Section:
    note = "Dot: the run; line: its 95 % interval. Blue: its verdict is evidence."
    over = "over a year" if all(r.net_yearly for r in told.runs) else "over each run's segment"
    charts = [
        Chart("net", f"Net return {over}, percent", note,
              _dots(told, "net_return", "net_interval", (100, " %"), 0.0), None),
        Chart("sharpe", "Sharpe ratio, annual, net of costs", note,
              _dots(told, "sharpe", "sharpe_interval", (1, ""), 0.0), None),
    ]  # fmt: skip
    curves = [part.curve for _, part in map(judged, results) if part is not None]
    values = [v for curve in curves for v in (*curve.equity, *_held(curve))]
    for run, result in zip(told.runs, results, strict=True):
        _, part = judged(result)
        if part is None or len(part.curve.equity) < 2:
            continue
        scale = growth_scale(values)
        said = ", log scale" if scale.log else ""
        title = f"{run.name}: {percent(part.net_return, sign=True)}"
        about = f"Equity net of costs, 1 at the start; grey: buy and hold{said}. One scale for all."
        key = f"equity-{len(charts)}"
        charts.append(Chart(key, title, about, _equity(part.curve, scale), None))
    say = ("After all costs, on the rows that each run is judged by.",)
    table = _table("Money", told, found)
    return Section("money", "Money", "What they earned", say, tuple(charts), (table,))


def _equity(curve: Curve, y: Scale) -> Markup:
    days = [day_number(d) for d in curve.day]
    x = Scale(days[0], days[-1])
    across = [x.place(d) for d in days]
    shapes = []
    if held := _held(curve):
        shapes.append(frame.path(across, [y.clipped(v) for v in held], "line base thin"))
    shapes.append(frame.path(across, [y.clipped(v) for v in curve.equity], "line ours"))
    return frame.plot(Area(_HEIGHT, shapes, [], Axes(day_ticks(x), ticks(y, 4))))


def _held(curve: Curve) -> tuple[float, ...]:
    """Whoever bought and held, on the same days."""
    held = curve.baselines.get("buy_and_hold", ())
    return tuple(held) if len(held) == len(curve.day) else ()


def _skill(told: Comparison, found: Sequence[Figure]) -> Section:
    note = "Dot: the run; line: its 95 % interval; 0.5 is no skill. Blue: its verdict is evidence."
    charts = tuple(
        Chart(field, title, note, _dots(told, field, f"{field}_interval", (1, ""), 0.5), None)
        for field, title in (
            ("direction_auc", "Direction: the first touch of a symmetric barrier"),
            ("touch_auc", "Touch: above 0.5 without any edge, by volatility alone"),
        )
    )
    say = ("Direction is what earns; skill at volatility is no edge.",)
    return Section("skill", "Skill", "Is it skill?", say, charts, (_table("Skill", told, found),))


def _epochs(told: Comparison, results: Sequence[StudyResult]) -> list[Section]:
    """A small chart a run and model: what was looked at after each epoch, a line a fold."""
    charts: list[Chart] = []
    for run, result in zip(told.runs, results, strict=True):
        found: dict[str, list[ChoiceScores]] = {}
        for fold in result.market.folds:
            for choice in fold.choices:
                if choice.choice == "epoch":
                    found.setdefault(choice.model, []).append(choice)
        for model, folds in found.items():
            best = ", ".join(short(f.chosen) for f in folds[:_NAMED])
            best += ", ..." if len(folds) > _NAMED else ""
            note = f"{folds[0].measure} on validation rows after each epoch or tree, a line a fold."
            title = f"{run.name}, {model}: best at {best}"
            body = _curves(folds)
            charts.append(Chart(f"epochs-{len(charts)}", title, note, body, None))
    if not charts:
        return []
    say = ("Dots mark the epoch that went on to the test rows.",)
    return [Section("epochs", "Epochs", "How they learned", say, tuple(charts))]


def _curves(folds: Sequence[ChoiceScores]) -> Markup:
    x = covering([at for f in folds for at in f.options])
    y = covering([v for f in folds for v in f.scores])
    shapes = []
    for fold in folds:
        known = [(a, v) for a, v in zip(fold.options, fold.scores, strict=True) if v is not None]
        if not known:
            continue
        places = [x.place(a) for a, _ in known], [y.place(v) for _, v in known]
        shapes.append(frame.path(*places, "line base"))
        hit = next(((a, v) for a, v in known if a == fold.chosen), None)
        if hit is not None:
            words_ = f"{plain_number(hit[0])}: {plain_number(hit[1])}"
            shapes.append(frame.dot(x.place(hit[0]), y.place(hit[1]), "ours", words_))
    epochs = sorted({at for f in folds for at in f.options})
    some = epochs[:: -(-len(epochs) // 4)]
    marks = tuple(Tick(x.place(at), short(at)) for at in some)
    axes = Axes(marks, ticks(y, 4), "epoch or tree", folds[0].measure)
    return frame.plot(Area(_HEIGHT, shapes, [], axes))


def _data_title(told: Comparison) -> str:
    if not told.same_data:
        return "Not the same data"
    return "The same data" if told.same_days else "The same bars, judged on other days"
