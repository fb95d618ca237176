"""The charts of an ensemble's page."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.heat_map import HeatMap, heat_map
from touchstone.reports.charts.rows import Grid, Row, bars, dots
from touchstone.reports.charts.scales import Scale, covering, ticks
from touchstone.reports.ensemble import Combined, EnsembleResult, Student
from touchstone.reports.figures import day, interval, plain_number, signed

Shown: TypeAlias = Callable[[str], str]
"""A name as people write it."""
_HEIGHT = 260


def forest(result: EnsembleResult, shown: Shown) -> Markup:
    """Differences of Sharpe ratios to the best member, with intervals."""
    rows = [
        _difference(shown(e.figures.name), e.versus.difference, e.versus.interval, e.versus.better)
        for e in result.ensembles
    ]
    return _around_zero(rows, "annual Sharpe less that of the best member")


def skill_forest(result: EnsembleResult, shown: Shown) -> Markup:
    """Differences of PR-AUC to the best member, with intervals."""
    rows = []
    for e in result.ensembles:
        v, ends = e.versus, e.versus.pr_auc_interval
        above = ends is not None and ends[0] > 0
        rows.append(_difference(shown(e.figures.name), v.pr_auc, ends, above))
    return _around_zero(rows, "PR-AUC less that of the best member")


def _difference(
    name: str, value: float | None, ends: tuple[float, float] | None, ours: bool
) -> Row:
    hint = f"{name}: {signed(value)}, {interval(ends)}"
    return Row(name, value, signed(value), ends, "ours" if ours else "base", hint)


def _around_zero(rows: Sequence[Row], title: str) -> Markup:
    values = [v for r in rows for v in (r.value, *(r.interval or ()))]
    scale = covering(values, include=(0.0,))
    return dots(rows, Grid(scale, ticks(scale, 5, thin=True), 0.0, title, "difference"))


def sharpes(result: EnsembleResult, shown: Shown) -> Markup:
    """Sharpe net of costs of members, grey, and ensembles."""
    found = [(f, "base") for f in result.members]
    found += [(e.figures, "ours") for e in result.ensembles]
    rows = [
        Row(shown(f.name), f.sharpe, signed(f.sharpe), f.sharpe_interval, kind,
            f"{shown(f.name)}: {signed(f.sharpe)}")
        for f, kind in found
    ]  # fmt: skip
    values = [v for r in rows for v in (r.value, *(r.interval or ()))]
    scale = covering(values, include=(0.0,))
    return dots(rows, Grid(scale, ticks(scale, 5, thin=True), 0.0, "annual Sharpe", "Sharpe"))


def mean_weights(result: EnsembleResult, shown: Shown) -> Markup:
    """Ensembles over members, shares alone."""
    found = [e for e in result.ensembles if e.weights.shares][::-1]
    cells = [rounded(e.weights.mean) for e in found]
    names = [_short(shown(m.name), len(result.members)) for m in result.members]
    labels = [shown(e.figures.name) for e in found]
    largest = max((abs(v) for row in cells for v in row if v is not None), default=1.0)
    return heat_map(HeatMap(cells, names, labels, "member", "ensemble", None, largest, "named"))


def moving(result: EnsembleResult) -> Combined | None:
    """The ensemble of shares whose weights move most over time; None where none moves."""

    def reach(e: Combined) -> float:
        known = [[v for v in row if v is not None] for row in e.weights.over_time]
        return max((max(row) - min(row) for row in known if row), default=0.0)

    able = [e for e in result.ensembles if e.weights.shares]
    best = max(able, key=reach, default=None)
    return best if best is not None and reach(best) > 1e-3 else None


def over_time(result: EnsembleResult, one: Combined, shown: Shown) -> Markup:
    """Members over stretches of time."""
    weights = one.weights
    cells = [rounded(row) for row in weights.over_time][::-1]
    names = [shown(m.name) for m in result.members][::-1]
    days = [day(d) for d in weights.day]
    largest = max((abs(v) for row in cells for v in row if v is not None), default=1.0)
    return heat_map(HeatMap(cells, days, names, "from", "member", None, largest, "named", 2))


def rounded(weights: Sequence[float | None]) -> list[float | None]:
    """Weights to a thousandth: less counts for nothing, and its zeros fill a cell."""
    return [None if w is None else round(w, 3) for w in weights]


def alike(result: EnsembleResult, shown: Shown) -> Markup:
    """Correlation of errors, members over members."""
    names = [shown(n) for n in result.alike.members]
    cells = [list(row) for row in result.alike.error_correlation][::-1]
    across = [_short(name, len(names)) for name in names]
    return heat_map(HeatMap(cells, across, names[::-1], "member", "member", None, 1.0, "named"))


def _short(name: str, n: int) -> str:
    """A name as n of them stand beside each other on a phone."""
    most = max(4, 34 // n)
    return name if len(name) <= most else f"{name[: most - 1]}\u2026"


def paths(result: EnsembleResult) -> Markup:
    """Log-loss after each step of the selection, a line a fold, a dot where it ends."""
    lines = [[s.log_loss for s in p.steps if s.log_loss is not None] for p in result.pruning]
    y = covering([v for line in lines for v in line])
    x = Scale(1.0, float(max(2, *(len(line) for line in lines))))
    shapes = []
    for path, line in zip(result.pruning, lines, strict=True):
        across = [x.clipped(float(i)) for i in range(1, len(line) + 1)]
        shapes.append(frame.path(across, [y.clipped(v) for v in line], "line ours"))
        at = path.n_best - 1
        hint = f"fold {path.fold}: {plain_number(line[at], 4)} after {path.n_best} steps"
        shapes.append(frame.dot(across[at], y.clipped(line[at]), "ours", hint))
    axes = Axes(ticks(x, 6, thin=True), ticks(y, 5), "steps", "log-loss, nats a row")
    return frame.plot(Area(_HEIGHT, shapes, [], axes))


def student_skill(student: Student, shown: Shown) -> Markup:
    """PR-AUC of teacher, student, and the untaught network."""
    found = (
        (f"teacher, {shown(student.teacher)}", student.ensemble_pr_auc, "base"),
        ("student", student.pr_auc, "ours"),
        ("untaught", student.untaught_pr_auc, "base"),
    )
    rows = [Row(n, v, plain_number(v), None, kind) for n, v, kind in found]
    scale = covering([v for _, v, _ in found], include=(0.0,))
    return bars(rows, Grid(scale, ticks(scale, 4), 0.0, "PR-AUC"))


def student_time(student: Student, shown: Shown) -> Markup:
    """Microseconds a row."""
    machine = student.machine
    found = (
        (f"teacher, {shown(student.teacher)}", machine.ensemble_us, "base"),
        ("student", machine.student_us, "ours"),
    )
    rows = [Row(n, v, plain_number(v), None, kind) for n, v, kind in found]
    scale = covering([v for _, v, _ in found], include=(0.0,))
    return bars(rows, Grid(scale, ticks(scale, 4), 0.0, "microseconds a row"))
