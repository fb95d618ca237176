"""From one figure to another in steps: what each part adds or takes, on one axis."""

from collections.abc import Sequence

from markupsafe import Markup

from touchstone.reports.charts import frame, rows
from touchstone.reports.charts.rows import Grid, Row


def steps(start: Row, parts: Sequence[Row], end: Row, grid: Grid, kind: str = "") -> Markup:
    """A bar from zero for both ends, and between them a bar for each part where the last ended."""
    at = start.value or 0.0
    marks = [[_bar(0.0, at, start.kind, grid)]]
    for part in parts:
        marks.append([_bar(at, at + (part.value or 0.0), part.kind, grid)])
        at += part.value or 0.0
    marks.append([_bar(0.0, end.value or 0.0, end.kind, grid)])
    return rows.lay_out((start, *parts, end), grid, marks, kind)


def _bar(start: float, end: float, kind: str, grid: Grid) -> Markup:
    places = grid.scale.clipped(start), grid.scale.clipped(end)
    return frame.box(places, (0.18, 0.82), f"bar {kind}")
