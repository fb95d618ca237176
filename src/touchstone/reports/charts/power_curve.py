"""Rates over a true Sharpe: each point with the interval of its rate, and of its truth."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, ticks
from touchstone.reports.figures import percent, plain_number

_HEIGHT = 320


class Mark(NamedTuple):
    """One point."""

    x: float
    """Mean true Sharpe."""
    x_interval: tuple[float, float] | None
    y: float
    """Rate."""
    y_interval: tuple[float, float]


class Curve(NamedTuple):
    """Marks of one question, rising in x."""

    name: str
    kind: str
    """`ours` or `base`."""
    marks: Sequence[Mark]


def power(curves: Sequence[Curve], goal: tuple[float, float]) -> Markup:
    """Rates of each curve, and the goal: a rate at a true Sharpe."""
    known = [m.x for c in curves for m in c.marks] + [goal[0]]
    x, y = Scale(min(0.0, *known), 1.08 * max(known)), Scale(0.0, 1.0)
    shapes = [frame.rule_y(goal[1], "reference"), frame.rule_x(x.place(goal[0]), "reference")]
    words = [
        frame.word(0.01, goal[1], f"goal: {percent(goal[1])} at {goal[0]:g}", "above-right quiet")
    ]
    for curve in curves:
        at, rates = [x.place(m.x) for m in curve.marks], [m.y for m in curve.marks]
        shapes.append(frame.path(at, rates, f"line {curve.kind} thin"))
        for m, place in zip(curve.marks, at, strict=True):
            low, high = m.y_interval
            shapes.append(frame.segment((place, low), (place, high), f"whisker {curve.kind}"))
            if m.x_interval is not None:
                ends = [(x.clipped(v), m.y) for v in m.x_interval]
                shapes.append(frame.segment(ends[0], ends[1], f"whisker {curve.kind}"))
            hint = f"{curve.name}: {percent(m.y)} at a true Sharpe of {plain_number(m.x)}"
            shapes.append(frame.dot(place, m.y, curve.kind, hint))
    legend = frame.key((f"line {c.kind}", c.name) for c in curves)
    axes = Axes(
        ticks(x, 6, thin=True),
        ticks(y, 5, " %", 100),
        "true annual net Sharpe of the chosen candidate",
        "markets",
    )
    return frame.join([legend, frame.plot(Area(_HEIGHT, shapes, words, axes))])
