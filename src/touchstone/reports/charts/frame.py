"""What every chart is drawn with: shapes in a stretching SVG, words in HTML, a table behind it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from touchstone.reports.charts.scales import Tick

_SIZE = 1000
EMPTY = Markup("")


class Column(NamedTuple):
    """Head of a table's column."""

    text: str
    number: bool = True
    """Right-aligned, tabular figures."""


class Table(NamedTuple):
    """What a chart shows, for those who cannot see it."""

    name: str
    """What the table holds; stands on its disclosure."""
    head: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Chart(NamedTuple):
    """A chart as the page places it."""

    key: str
    """Unique on the page."""
    title: str
    """The finding, computed from the data."""
    note: str
    """What is drawn, in which unit, over which rows."""
    body: Markup
    table: Table | None
    kind: str = ""
    """A class for the page's layout."""


class Axes(NamedTuple):
    """Ticks and words around a plot."""

    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    x_title: str = ""
    y_title: str = ""


class Area(NamedTuple):
    """One plotting area."""

    height: int
    """CSS pixels."""
    shapes: Sequence[Markup]
    words: Sequence[Markup]
    axes: Axes
    cross: Markup = EMPTY
    """Attributes for the crosshair."""


def plot(area: Area, kind: str = "") -> Markup:
    """One area with its gridlines, shapes, words and ticks."""
    lines = [rule_y(t.at, "grid") for t in area.axes.y] + [
        rule_x(t.at, "grid") for t in area.axes.x
    ]
    words = [_y_tick(t) for t in area.axes.y] + [_x_tick(t) for t in area.axes.x]
    if area.axes.y_title:
        words.append(Markup('<span class="t yname">{}</span>').format(area.axes.y_title))
    if area.axes.x_title:
        words.append(Markup('<span class="t xname">{}</span>').format(area.axes.x_title))
    return Markup(
        '<div class="plot {}{}{}"><div class="area" style="height:{}px"{}>{}{}</div></div>'
    ).format(
        kind,
        " has-x" if area.axes.x else "",
        " has-xname" if area.axes.x_title else "",
        area.height,
        area.cross,
        svg([*lines, *area.shapes]),
        join([*words, *area.words]),
    )


def svg(shapes: Iterable[Markup]) -> Markup:
    """Shapes that stretch to their box."""
    return Markup(
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true"'
        ' focusable="false">{}</svg>'
    ).format(join(shapes))


def join(parts: Iterable[Markup]) -> Markup:
    """Parts one after the other."""
    return EMPTY.join(parts)


def path(x: Sequence[float], y: Sequence[float], kind: str) -> Markup:
    """A line through places, 0 to 1, y upwards."""
    return Markup('<path class="{}" d="M{}"/>').format(kind, _points(x, y))


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str) -> Markup:
    """The area between two lines."""
    points = _points([*x, *reversed(x)], [*low, *reversed(high)])
    return Markup('<path class="{}" d="M{}Z"/>').format(kind, points)


def box(x: tuple[float, float], y: tuple[float, float], kind: str, title: str = "") -> Markup:
    """A rectangle, with words for the pointer that rests on it."""
    (left, right), (bottom, top) = sorted(x), sorted(y)
    words = Markup("<title>{}</title>").format(title) if title else EMPTY
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
        kind,
        _number(left),
        _number(1 - top),
        _number(right - left),
        _number(top - bottom),
        words,
    )


def dot(x: float, y: float, kind: str, title: str = "") -> Markup:
    """A round mark that stays round: a line of no length with round ends."""
    words = Markup("<title>{}</title>").format(title) if title else EMPTY
    return Markup('<path class="dot {}" d="M{} {}h0.01">{}</path>').format(
        kind, _number(x), _number(1 - y), words
    )


def rule_x(x: float, kind: str) -> Markup:
    """A vertical line over the whole height."""
    return Markup('<path class="{}" d="M{} 0V1000"/>').format(kind, _number(x))


def rule_y(y: float, kind: str) -> Markup:
    """A horizontal line over the whole width."""
    return Markup('<path class="{}" d="M0 {}H1000"/>').format(kind, _number(1 - y))


def segment(start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
    """A straight line between two places."""
    return path((start[0], end[0]), (start[1], end[1]), kind)


def word(x: float, y: float, text: str, kind: str = "") -> Markup:
    """Words laid over the plot at a place; `kind` says which side of it they stand on."""
    return Markup('<span class="t {}" style="left:{}%;top:{}%">{}</span>').format(
        kind, f"{100 * x:.2f}", f"{100 * (1 - y):.2f}", text
    )


def key(entries: Iterable[tuple[str, str]]) -> Markup:
    """A legend, (class of the line, words), for widths at which direct labels have no room."""
    items = (
        Markup('<li><svg viewBox="0 0 20 10" aria-hidden="true">{}</svg>{}</li>').format(
            Markup('<path class="{}" d="M0 5H20"/>').format(kind), text
        )
        for kind, text in entries
    )
    return Markup('<ul class="key">{}</ul>').format(join(items))


def _y_tick(tick: Tick) -> Markup:
    return word(0, tick.at, tick.text, "ytick" + (" minor" if tick.minor else ""))


def _x_tick(tick: Tick) -> Markup:
    side = " first" if tick.at < 0.03 else " last" if tick.at > 0.95 else ""
    return word(tick.at, 0, tick.text, "xtick" + side + (" minor" if tick.minor else ""))


def _points(x: Sequence[float], y: Sequence[float]) -> str:
    pairs = zip(x, y, strict=True)
    return "L".join(f"{_number(a)} {_number(1 - b)}" for a, b in pairs)


def _number(place: float) -> str:
    return f"{_SIZE * place:.1f}"
