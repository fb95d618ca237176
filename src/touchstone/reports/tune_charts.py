"""The charts of a search: history, importance, parallel coordinates, slices, front, winner."""

import math
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Axes
from touchstone.reports.charts.parallel import Axis, Case, parallel
from touchstone.reports.charts.rows import Grid, Row, bars, lay_out
from touchstone.reports.charts.scales import Scale, Tick, covering, ticks
from touchstone.reports.charts.scatter import Mark, Scatter, dot, legend, scatter
from touchstone.reports.figures import plain_number
from touchstone.reports.tune import SearchFound, SpaceKey, TrialFound, TuneResult, WinnerFound
from touchstone.reports.tune_words import (
    brief,
    count_of,
    ended,
    key_text,
    last_seen,
    objective,
    place,
    records,
    scale_of,
    setting_text,
    settings_text,
    top,
    value,
)

_KINDS: Final = {
    "complete": "before", "pruned": "small base", "failed": "failed", "infeasible": "base hollow",
}  # fmt: skip
_WORDS: Final = {
    "complete": "ended", "pruned": "pruned, at its last look", "failed": "failed",
    "infeasible": "ended, breaks a constraint",
}  # fmt: skip
_MOST_STEPS: Final = 8
"""Steps of a range that are each marked."""
_ROOM: Final = 34
"""Letters that an axis of a small chart has room for."""
_FAILED_AT: Final = 0.02
"""Where trials without any value stand on the upright axis."""


def history(result: TuneResult, search: SearchFound) -> Markup:
    """Every trial in its order, and the best so far as a staircase."""
    direction = result.directions[0]
    known = [v for t in search.trials if (v := last_seen(result, t)) is not None]
    y = covering(_without_far(known, [value(t) for t in search.trials], direction))
    n = max((t.number for t in search.trials), default=0)
    x = Scale(-0.6, n + 0.6)
    best = set(search.best)
    order = sorted(search.trials, key=lambda t: (t.number in best, t.state == "complete"))
    marks = [_mark(result, t, y, t.number in best) for t in order]
    steps = records(search, direction) if len(result.objectives) == 1 else []
    back = [frame.path(*_stairs(steps, x, y), "line ours")] if steps else []
    axes = Axes(_whole(x, n), ticks(y, 5), "trial", objective(result))
    drawn = scatter(Scatter(x, y, axes, marks, back, (), 300))
    return frame.join([_legend(result, search), drawn])


def _whole(x: Scale, n: int) -> tuple[Tick, ...]:
    """Ticks at whole numbers: a trial has no half."""
    step = next(s * 10**p for p in range(9) for s in (1, 2, 5) if n <= 6 * s * 10**p)
    return tuple(Tick(x.place(i), str(i), (i // step) % 2 == 1) for i in range(0, n + 1, step))


def _without_far(
    seen: Sequence[float], final: Sequence[float | None], direction: str
) -> list[float]:  # fmt: skip
    """Values that the axis covers: one that is far off on the bad side stands on the edge."""
    known = sorted(v for v in final if v is not None) or sorted(seen)
    if not known:
        return [0.0, 1.0]
    quarter, three = known[len(known) // 4], known[(3 * len(known)) // 4]
    reach = 3 * (three - quarter) or abs(three) or 1.0
    if direction == "higher":
        return [v for v in (*known, *seen) if v >= quarter - reach] or known
    return [v for v in (*known, *seen) if v <= three + reach] or known


def _mark(result: TuneResult, trial: TrialFound, y: Scale, best: bool) -> Mark:
    seen = last_seen(result, trial)
    at = y.low + _FAILED_AT * (y.high - y.low) if seen is None else seen
    said = "" if seen is None else f" {plain_number(seen)}"
    why = f", {trial.reason}" if trial.reason else ""
    hint = f"trial {trial.number}: {trial.state}{said}{why}; {settings_text(trial.params)}"
    return Mark(float(trial.number), at, "ours" if best else _KINDS[trial.state], hint)


def _stairs(
    steps: Sequence[TrialFound], x: Scale, y: Scale
) -> tuple[list[float], list[float]]:  # fmt: skip
    """The best so far: level until the trial that beats it."""
    across, up = list[float](), list[float]()
    for trial in steps:
        at, high = x.place(trial.number), y.clipped(value(trial) or 0.0)
        if up:
            across.append(at)
            up.append(up[-1])
        across.append(at)
        up.append(high)
    return [*across, 1.0], [*up, up[-1]]


def _legend(result: TuneResult, search: SearchFound) -> Markup:
    several = len(result.objectives) > 1
    entries = [("ours", "not beaten in all objectives" if several else "the best")]
    if not several:
        entries.append(("line ours", "best so far"))
    entries += [(_KINDS[s], _WORDS[s]) for s in _KINDS if count_of(search, s)]
    return legend(entries)


def importance(found: dict[str, float]) -> Markup:
    """Shares as bars, largest first."""
    order = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    rows = [
        Row(brief(key_text(k)), v, f"{100 * v:.0f}\u202f%", None, "ours" if i == 0 else "base")
        for i, (k, v) in enumerate(order)
    ]  # fmt: skip
    scale = Scale(0.0, max(0.01, *(v for _, v in order)) * 1.02)
    return bars(rows, Grid(scale, ticks(scale, 4, "\u202f%", 100), 0.0, "share of the variance"))


def coordinates(result: TuneResult, search: SearchFound) -> Markup:
    """Every trial that ended as a line over its settings, the best ones in blue."""
    best = {t.number for t in top(search, result.directions[0])} | set(search.best)
    known = ended(search)
    scale = covering([value(t) for t in known])
    axes = [_axis(key) for key in search.space]
    low, high = (plain_number(v) for v in _ends(known))
    axes.append(Axis(objective(result), low, high))
    first = {True: 2, False: 0}
    order = sorted(known, key=lambda t: first[t.number in search.best] or t.number in best)
    cases = [
        Case(
            (*(place(key, t.params) for key in search.space),
             _between(value(t), _ends(known)) if scale else None),
            "line ours" if t.number in search.best else
            "line before" if t.number in best else "line base faint",
            f"trial {t.number}: {plain_number(value(t))}; {settings_text(t.params)}",
        )
        for t in order
    ]  # fmt: skip
    entries = [("line ours", "the best"), ("line before", f"the best {len(best)}"),
               ("line base", "the others that ended")]  # fmt: skip
    return frame.join([legend(entries), parallel(axes, cases)])


def _ends(known: Sequence[TrialFound]) -> tuple[float, float]:
    values = [v for t in known if (v := value(t)) is not None]
    return min(values), max(values)


def _between(mine: float | None, ends: tuple[float, float]) -> float | None:
    return None if mine is None else Scale(*ends).clipped(mine)


def _axis(key: SpaceKey) -> Axis:
    name = key_text(key.key) + (", log scale" if key.log else "")
    if scale_of(key) is not None:
        return Axis(name, setting_text(key.low), setting_text(key.high))
    n = len(key.choices)
    marks = [((i + 0.5) / n, brief(setting_text(c))) for i, c in enumerate(key.choices)]
    room = sum(len(text) for _, text in marks) + 3 * n <= 42
    if not room:  # the first and the last are named, the table names them all
        marks = [(at, text if i in (0, n - 1) and n * len(text) else "")
                 for i, (at, text) in enumerate(marks)]  # fmt: skip
        if len(marks[0][1]) + len(marks[-1][1]) > 38:
            marks = [(at, text if i == 0 else "") for i, (at, text) in enumerate(marks)]
    return Axis(name, "", "", tuple(marks))


def slices(
    result: TuneResult, search: SearchFound, keys: Sequence[tuple[SpaceKey, str]]
) -> Markup:  # fmt: skip
    """Small charts, a setting each with its title: what the trials with each value came to."""
    cells = (
        Markup('<div class="slice-cell"><h4>{}</h4>{}</div>').format(
            title, _slice(result, search, key)
        )
        for key, title in keys
    )
    return Markup('<div class="slice-cells">{}</div>').format(frame.join(cells))


def _slice(result: TuneResult, search: SearchFound, key: SpaceKey) -> Markup:
    best = {t.number for t in top(search, result.directions[0])}
    known = [
        (p, v, t)
        for t in ended(search)
        if (p := place(key, t.params)) is not None and (v := value(t)) is not None
    ]
    values = [v for _, v, _ in known]
    y = covering(_without_far(values, values, result.directions[0]))
    marks = [
        Mark(
            p, v, "small ours" if t.number in best else "small base",
            f"trial {t.number}: {setting_text(t.params[key.key])}, {plain_number(v)}",
        )
        for p, v, t in sorted(known, key=lambda one: one[2].number in best)
    ]  # fmt: skip
    axes = Axes(_slice_ticks(key), ticks(y, 4), "log scale" if key.log else "", "")
    return scatter(Scatter(Scale(-0.03, 1.03), y, axes, marks, (), (), 150))


def _slice_ticks(key: SpaceKey) -> tuple[Tick, ...]:
    outer = Scale(-0.03, 1.03)
    scale = scale_of(key)
    if scale is None:
        n = len(key.choices)
        at = [(i + 0.5) / n for i in range(n)]
        texts = [brief(setting_text(c)) for c in key.choices]
    elif key.step and not key.log and (scale.high - scale.low) / key.step <= _MOST_STEPS:
        n = round((scale.high - scale.low) / key.step) + 1
        known = [scale.low + i * key.step for i in range(n)]
        at, texts = [scale.place(v) for v in known], [setting_text(v) for v in known]
    else:
        return tuple(t._replace(at=outer.place(t.at)) for t in ticks(scale, 3))
    step = max(1, math.ceil(sum(len(t) + 2 for t in texts) / _ROOM))
    return tuple(
        Tick(outer.place(a), text)
        for i, (a, text) in enumerate(zip(at, texts, strict=True))
        if i % step == 0
    )


def front(result: TuneResult, search: SearchFound, pair: tuple[int, int]) -> Markup:
    """Two objectives: those that are beaten in neither in blue."""
    a, b = pair
    best = set(search.best)
    known = [
        (u, v, t)
        for t in sorted(search.trials, key=lambda t: t.number in best)
        if (u := value(t, a)) is not None and (v := value(t, b)) is not None
    ]
    x, y = covering([u for u, _, _ in known]), covering([v for _, v, _ in known])
    marks = [
        Mark(
            u, v, "ours" if t.number in best else _KINDS[t.state],
            f"trial {t.number}: {plain_number(u)}, {plain_number(v)}; {settings_text(t.params)}",
        )
        for u, v, t in known
    ]  # fmt: skip
    line = sorted((x.place(u), y.place(v)) for u, v, t in known if t.number in best)
    back = [frame.path([p for p, _ in line], [q for _, q in line], "line before thin")]
    axes = Axes(ticks(x, 5, thin=True), ticks(y, 5), objective(result, a), objective(result, b))
    entries = [("ours", "beaten in no objective by another in all")]
    entries += [(_KINDS[s], _WORDS[s]) for s in ("complete", "infeasible") if count_of(search, s)]
    chart = Scatter(x, y, axes, marks, back if len(line) > 1 else ())
    return frame.join([legend(entries), scatter(chart)])


def versions(result: TuneResult, winner: WinnerFound) -> Markup:
    """The checkpoint beside those trained anew: means as dots, folds as small ones."""
    values = [v for one in winner.versions for v in (one.mean, *one.by_fold)]
    scale = covering(values)
    first = winner.versions[0].mean
    back = [] if first is None else [frame.rule_x(scale.clipped(first), "reference")]
    rows, marks = [], []
    for one in winner.versions:
        kind = "ours" if one.name == winner.kept else "base"
        shapes = list(back)
        for i, v in enumerate(one.by_fold, start=1):
            if v is not None:
                hint = f"{one.name}, fold {i}: {plain_number(v)}"
                shapes += dot(scale.clipped(v), 0.5, "small base", hint)
        if one.mean is not None:
            hint = f"{one.name}: {plain_number(one.mean)}"
            shapes += dot(scale.clipped(one.mean), 0.5, kind, hint)
        rows.append(Row(one.name, one.mean, plain_number(one.mean), None, kind))
        marks.append(shapes)
    grid = Grid(scale, ticks(scale, 4, thin=True), None, f"{objective(result)}, validation", "mean")
    return lay_out(rows, grid, marks, "version-rows")


def leaders(result: TuneResult, searches: Sequence[tuple[str, SearchFound]]) -> Markup:
    """The best trial of every architecture, its others that ended as small dots."""
    values = [v for _, s in searches for t in s.trials if t.state == "complete"
              and (v := value(t)) is not None]  # fmt: skip
    scale = covering(_without_far(values, values, result.directions[0]))
    rows, marks = [], []
    for i, (name, search) in enumerate(searches):
        kind = "ours" if i == 0 else "base"
        best = best_value(search)
        shapes = [
            s for t in search.trials
            if t.state == "complete" and (v := value(t)) is not None
            for s in dot(scale.clipped(v), 0.5, "tiny base")
        ]  # fmt: skip
        if best is not None:
            shapes += dot(scale.clipped(best), 0.5, kind, f"{name}: {plain_number(best)}")
        rows.append(Row(name, best, plain_number(best), None, kind))
        marks.append(shapes)
    return lay_out(rows, Grid(scale, ticks(scale, 5, thin=True), None, objective(result), "best"),
                   marks, "")  # fmt: skip


def best_value(search: SearchFound) -> float | None:
    """The first objective of the trial that won, or of the best one."""
    number = search.winner.number if search.winner is not None else None
    if number is None and search.best:
        number = search.best[0]
    found = [value(t) for t in search.trials if t.number == number]
    return found[0] if found else None
