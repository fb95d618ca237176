"""Named rows with a dot and a whisker, or a bar, on one shared axis."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.scales import Scale, Tick


class Row(NamedTuple):
    """One row."""

    name: str
    value: float | None
    text: str
    """The number as read, right of the row."""
    interval: tuple[float, float] | None = None
    kind: str = "base"
    """`ours` or `base`."""
    hint: str = ""
    """Words for the pointer that rests on the mark."""


class Grid(NamedTuple):
    """What the rows share."""

    scale: Scale
    ticks: tuple[Tick, ...]
    zero: float | None = None
    """Value of the reference line."""
    x_title: str = ""
    value_title: str = ""
    has_lines: bool = True
    """Whether a line runs through the rows at each tick."""


def dots(rows: Sequence[Row], grid: Grid, kind: str = "") -> Markup:
    """A dot for each value, a line for its interval, cut at the axis where it reaches beyond."""
    return lay_out(rows, grid, [_dot(row, grid) for row in rows], kind)


def bars(rows: Sequence[Row], grid: Grid, kind: str = "") -> Markup:
    """A bar from the reference line to each value."""
    return lay_out(rows, grid, [_bar(row, grid) for row in rows], kind)


def _dot(row: Row, grid: Grid) -> list[Markup]:
    shapes = []
    if row.interval is not None:
        low, high = (grid.scale.clipped(v) for v in row.interval)
        shapes.append(frame.segment((low, 0.5), (high, 0.5), f"whisker {row.kind}"))
    if row.value is not None:
        shapes.append(frame.dot(grid.scale.clipped(row.value), 0.5, row.kind, row.hint))
    return shapes


def _bar(row: Row, grid: Grid) -> list[Markup]:
    if row.value is None:
        return []
    start = grid.scale.clipped(grid.zero or 0.0)
    return [frame.box((start, grid.scale.clipped(row.value)), (0.18, 0.82), f"bar {row.kind}")]


def lay_out(
    rows: Sequence[Row], grid: Grid, marks: Sequence[Sequence[Markup]], kind: str
) -> Markup:
    """Names left, marks on the shared axis, numbers right."""
    back = [frame.rule_x(t.at, "grid") for t in grid.ticks if grid.has_lines]
    if grid.zero is not None:
        back.append(frame.rule_x(grid.scale.clipped(grid.zero), "zero"))
    cells = [
        Markup(
            '<div class="row {}"><span class="name">{}</span><span class="mark">{}</span>'
            '<span class="value">{}</span></div>'
        ).format(row.kind, row.name, frame.svg([*back, *shapes]), row.text)
        for row, shapes in zip(rows, marks, strict=True)
    ]
    words = [
        frame.word(
            t.at,
            0,
            t.text,
            "xtick"
            + (" first" if t.at < 0.04 else " last" if t.at > 0.96 else "")
            + (" minor" if t.minor else ""),
        )
        for t in grid.ticks
    ]
    foot = Markup(
        '<div class="row axis"><span class="name"></span><span class="mark">{}</span>'
        '<span class="value"></span></div><p class="xtitle">{}</p>'
    ).format(frame.join(words), grid.x_title)
    head = Markup(
        '<div class="row head"><span class="name"></span><span class="mark"></span>'
        '<span class="value">{}</span></div>'
    ).format(grid.value_title)
    return Markup('<div class="rows {}">{}{}{}</div>').format(
        kind, head if grid.value_title else frame.EMPTY, frame.join(cells), foot
    )
