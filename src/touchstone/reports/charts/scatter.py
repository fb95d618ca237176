"""Marks over two axes: one kind a state, so that shape and colour both tell them apart."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale

HOLLOW: Final = "hollow"
"""A kind with this word is drawn as a ring."""


class Mark(NamedTuple):
    """One mark."""

    x: float
    """In the unit of the axis."""
    y: float
    """In the unit of the axis."""
    kind: str
    """Class of the mark, as in `ours`, `base`, `failed` or `base hollow`."""
    hint: str = ""
    """Words for the pointer that rests on it."""


class Scatter(NamedTuple):
    """What is drawn, from the back to the front."""

    x: Scale
    y: Scale
    axes: Axes
    marks: Sequence[Mark]
    back: Sequence[Markup] = ()
    """Lines below the marks."""
    words: Sequence[Markup] = ()
    """Words on the plot."""
    height: int = 260
    """CSS pixels."""


def scatter(chart: Scatter, kind: str = "") -> Markup:
    """The marks; those outside stand on the edge."""
    shapes = [*chart.back]
    for mark in chart.marks:
        at = chart.x.clipped(mark.x), chart.y.clipped(mark.y)
        shapes += dot(*at, mark.kind, mark.hint)
    return frame.plot(Area(chart.height, shapes, chart.words, chart.axes), kind)


def dot(x: float, y: float, kind: str, hint: str = "") -> list[Markup]:
    """A mark at a place, 0 to 1; a ring where its kind is hollow."""
    shapes = [frame.dot(x, y, kind, hint)]
    if HOLLOW in kind.split():
        shapes.append(frame.dot(x, y, "hole"))
    return shapes


def legend(entries: Iterable[tuple[str, str]]) -> Markup:
    """What each kind of mark means, (its class, words); a class that begins with `line` is one."""
    items = (
        Markup('<li><svg viewBox="0 0 20 10" aria-hidden="true">{}</svg>{}</li>').format(
            _sample(kind), text
        )
        for kind, text in entries
    )
    return Markup('<ul class="key shown">{}</ul>').format(frame.join(items))


def _sample(kind: str) -> Markup:
    if kind.startswith("line"):
        return Markup('<path class="{}" d="M0 5H20"/>').format(kind)
    shape = Markup('<path class="dot {}" d="M10 5h0.01"/>').format(kind)
    if HOLLOW in kind.split():
        shape += Markup('<path class="dot hole" d="M10 5h0.01"/>')
    return shape
