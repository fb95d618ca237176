"""A window of bars: what a counterfactual changes in it, and where attention looks."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.price_bars import bar
from touchstone.reports.charts.scales import Scale, ticks
from touchstone.reports.charts.strips import Strip, from_last, strips, tall
from touchstone.reports.explain_contents import Attended, Counterfactual
from touchstone.reports.figures import plain_number, signed

_BARS_HEIGHT: Final = 150
_HEIGHT: Final = 210
_MOST_TICKS: Final = 9


def back(n: int) -> tuple[str, ...]:
    """Names of the bars of a window, oldest first."""
    return tuple("now" if age == 0 else f"\u2212{age}" for age in range(n - 1, -1, -1))


def changed_bars(row: Counterfactual, most: int) -> Markup:
    """The window's bars over the features that change, on one axis.

    Behind the bars those that the change touches, the more the darker; below a row of cells for
    each of the first `most` features.
    """
    n = len(row.close)
    low, high = min(row.low), max(row.high)
    air = 0.06 * (high - low) or abs(high) * 0.01 or 1.0
    y = Scale(low - air, high + air)
    size = [sum(abs(move.change[i]) for move in row.moves) for i in range(n)]
    largest = max(size, default=0.0)
    places = back(n)
    shapes = [
        _touched(i, n, size[i] / largest, f"bar {places[i]}: {size[i]:.2f} sd changed")
        for i in range(n)
        if largest > 0 and size[i] > 0
    ]
    for i in range(n):
        shapes += bar(row, i, n, y)
    rows = [
        Strip(move.name, move.change, signed(move.after - move.before, 2))
        for move in row.moves[:most]
    ]
    return strips(
        rows, places, ("bars back", "at most by" if rows else "", "bar"), "long-names",
        tall("price", _BARS_HEIGHT, shapes, plain_number(row.close[-1], 4)),
    )  # fmt: skip


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
        from_last(_named(layer.over), _MOST_TICKS), ticks(y, 4, " %", 100),
        "bars back" if layer.over[-1] == "0" else "", "weight",
    )  # fmt: skip
    return frame.plot(Area(_HEIGHT, shapes, words, axes))


def _named(over: Sequence[str]) -> tuple[str, ...]:
    return tuple("now" if name == "0" else name.replace("-", "\u2212") for name in over)
