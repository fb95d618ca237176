"""A window of bars: what a counterfactual changes in it, and where attention looks."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.heat_map import steps
from touchstone.reports.charts.price_bars import bar
from touchstone.reports.charts.scales import Scale, ticks
from touchstone.reports.explain_contents import Attended, Counterfactual

_BARS_HEIGHT: Final = 150
_HEIGHT: Final = 210
_MOST_TICKS: Final = 9


def back(n: int) -> tuple[str, ...]:
    """Names of the bars of a window, oldest first."""
    return tuple("now" if age == 0 else f"\u2212{age}" for age in range(n - 1, -1, -1))


def changed_bars(row: Counterfactual) -> Markup:
    """The window's bars; behind them the bars that the change touches, the more the darker."""
    n = len(row.close)
    low, high = min(row.low), max(row.high)
    air = 0.06 * (high - low) or abs(high) * 0.01 or 1.0
    y = Scale(low - air, high + air)
    size = [sum(abs(move.change[i]) for move in row.moves) for i in range(n)]
    most = max(size, default=0.0)
    shapes = [
        _touched(i, n, size[i] / most, f"bar {back(n)[i]}: {size[i]:.2f} sd changed")
        for i in range(n)
        if most > 0 and size[i] > 0
    ]
    for i in range(n):
        shapes += bar(row, i, n, y)
    return frame.plot(Area(_BARS_HEIGHT, shapes, [], Axes((), ticks(y, 3), "", "price")), "bare")


def _touched(i: int, n: int, strength: float, hint: str) -> Markup:
    return Markup(
        '<rect class="bar ours" x="{}" y="0" width="{}" height="1000" fill-opacity="{}">'
        "<title>{}</title></rect>"
    ).format(f"{1000 * i / n:.1f}", f"{1000 / n:.1f}", f"{0.12 + 0.33 * strength:.2f}", hint)


def attended(layer: Attended) -> Markup:
    """Mean weight over the window, and the band in which 90 of 100 rows lie."""
    n = len(layer.over)
    x = [(i + 0.5) / n for i in range(n)]
    y = Scale(0.0, 1.08 * max(*layer.high, *layer.mean, 1e-9))
    even = 1 / n
    shapes = [
        frame.band(x, [y.place(v) for v in layer.low], [y.place(v) for v in layer.high], "band"),
        frame.rule_y(y.place(even), "reference"),
        frame.path(x, [y.place(v) for v in layer.mean], "line ours"),
    ]
    shapes += [
        frame.dot(a, y.place(v), "ours small", f"{name}: {100 * v:.1f} %")
        for a, v, name in zip(x, layer.mean, layer.over, strict=True)
    ]
    at = y.place(even)
    words = [frame.word(0.01, at, "all alike", "above-right quiet")] if at < 0.9 else []
    axes = Axes(
        steps(_named(layer.over), _MOST_TICKS), ticks(y, 4, " %", 100),
        "bars back" if layer.over[-1] == "0" else "", "weight",
    )  # fmt: skip
    return frame.plot(Area(_HEIGHT, shapes, words, axes))


def _named(over: Sequence[str]) -> tuple[str, ...]:
    return tuple("now" if name == "0" else name.replace("-", "\u2212") for name in over)
