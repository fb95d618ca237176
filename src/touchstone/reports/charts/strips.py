"""Named rows of cells: how much each bar of a window counts, a row a feature, on one time axis."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.heat_map import opacity
from touchstone.reports.charts.rows import Grid, Row, lay_out
from touchstone.reports.charts.scales import Scale, Tick
from touchstone.reports.figures import plain_number

_MOST_TICKS: Final = 8


class Strip(NamedTuple):
    """One row."""

    name: str
    cells: Sequence[float]
    """Above zero drawn in blue, below in grey; zero is left empty."""
    text: str
    """Right of the row."""


def strips(
    rows: Sequence[Strip], places: Sequence[str], titles: tuple[str, str, str], kind: str = "",
    above: Markup = frame.EMPTY,
) -> Markup:  # fmt: skip
    """Cells in the strength of their size, the largest of all in full colour.

    Args:
        rows: top to bottom, cells each as many as places.
        places: what each cell stands for, left to right.
        titles: of the axis, of the numbers on the right, and of a cell's hint ("bar").
        kind: a class for the layout.
        above: rows that stand over them on the same axis, as `tall` makes them.
    """
    largest = max((abs(v) for row in rows for v in row.cells), default=0.0)
    axis, value, what = titles
    # Lines would cut the cells: the axis has words alone.
    grid = Grid(Scale(0, 1), from_last(places, _MOST_TICKS), None, axis, value, has_lines=False)
    marks = [
        [
            _cell(row, (k, len(places)), largest, f"{row.name}, {what} {places[k]}")
            for k in range(len(places))
        ]
        for row in rows
    ]
    named = [Row(row.name, None, row.text) for row in rows]
    drawn = lay_out(named, grid, marks, f"strips {kind}".strip())
    return Markup('<div class="rows {}">{}</div>{}').format(kind, above, drawn) if above else drawn


def tall(name: str, height: int, shapes: Sequence[Markup], text: str) -> Markup:
    """One row of any height, its shapes over the whole of it."""
    return Markup(
        '<div class="row"><span class="name">{}</span><span class="mark" style="height:{}px">{}'
        '</span><span class="value">{}</span></div>'
    ).format(name, height, frame.svg(shapes), text)


def from_last(places: Sequence[str], most: int) -> tuple[Tick, ...]:
    """A tick in the middle of the last place and of every so many before it, `most` at most."""
    n = len(places)
    step = -(-n // most)
    shown = range(n - 1, -1, -step)
    return tuple(
        Tick((i + 0.5) / n, places[i], len(shown) > 4 and k % 2 == 1) for k, i in enumerate(shown)
    )


def _cell(row: Strip, at: tuple[int, int], largest: float, hint: str) -> Markup:
    (k, n), value = at, row.cells[at[0]]
    if not value:
        return frame.EMPTY
    kind = "bar ours" if value > 0 else "bar"
    return Markup(
        '<rect class="{}" x="{}" y="80" width="{}" height="840" fill-opacity="{}">'
        "<title>{}: {}</title></rect>"
    ).format(
        kind, f"{1000 * k / n + 1:.1f}", f"{1000 / n - 2:.1f}",
        f"{opacity(largest, value):.2f}", hint, plain_number(value),
    )  # fmt: skip
