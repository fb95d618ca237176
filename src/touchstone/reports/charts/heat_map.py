"""A table of numbers as coloured cells: blue above zero, grey below, the best one framed."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Tick
from touchstone.reports.figures import NONE, plain_number

_ROW: Final = 34
_HEIGHTS: Final = (120, 520)
MOST_WORDS: Final = 20
"""Columns above which cells carry no number."""
_NARROW: Final = 5
"""Columns above which they carry none on a phone."""
_LOWEST: Final = 18
"""Pixels of a row below which they carry none."""
DARK: Final = 0.88
"""Opacity of blue above which words on a cell are light."""
_PAPER: Final = Markup('<rect width="1000" height="1000" style="fill:var(--paper)"/>')
"""Under the cells, which let through what lies below them: the lines of the axes."""


class HeatMap(NamedTuple):
    """A grid of values."""

    values: Sequence[Sequence[float | None]]
    """Rows from the bottom, each from the left; None where there is none."""
    x: Sequence[str]
    """Label of each column."""
    y: Sequence[str]
    x_title: str
    y_title: str
    best: tuple[int, int] | None
    """(row, column) to be framed."""
    largest: float
    """The absolute value that is drawn in full colour."""
    kind: str = ""
    """A class beside `heat`: `named` leaves room for rows that have names and not numbers."""
    most: int = 12
    """Labels of columns at most."""


def heat_map(chart: HeatMap) -> Markup:
    """The cells with their numbers, as many as there is room for."""
    n_rows, n_columns = len(chart.y), len(chart.x)
    height = min(max(_ROW * n_rows, _HEIGHTS[0]), _HEIGHTS[1])
    shapes, words = [_PAPER], []
    for i, row in enumerate(chart.values):
        for j, value in enumerate(row):
            hint = f"{chart.x_title} {chart.x[j]}, {chart.y_title} {chart.y[i]}"
            shapes.append(_cell(chart, (i, j), f"{hint}: {plain_number(value)}"))
            if n_columns <= MOST_WORDS and height / n_rows >= _LOWEST:
                words.append(_number(chart, (i, j), "minor" if n_columns > _NARROW else ""))
    if chart.best is not None:
        shapes.append(_frame(chart, chart.best))
    rows = steps(chart.y, 14)
    if chart.kind == "named":  # a row is as high on a phone, and nobody can guess its name
        rows = tuple(tick._replace(minor=False) for tick in rows)
    axes = Axes(steps(chart.x, chart.most), rows, chart.x_title, chart.y_title)
    return frame.plot(Area(height, shapes, words, axes), f"heat {chart.kind}".strip())


class _Sheet(NamedTuple):
    """Where the cells of a file lie, pixels."""

    left: float
    top: float
    across: float
    up: float
    n_rows: int

    def corner(self, at: tuple[int, int]) -> tuple[float, float]:
        """The upper left corner of a cell."""
        return self.left + at[1] * self.across, self.top + (self.n_rows - 1 - at[0]) * self.up


def static(chart: HeatMap, title: str, note: str) -> str:
    """The same as an SVG file of its own, for slides: no style sheet, no script."""
    n_rows, n_columns = len(chart.y), len(chart.x)
    height = min(max(34 * n_rows, 160), 620)
    sheet = _Sheet(90, 84, 820 / n_columns, height / n_rows, n_rows)
    right, bottom = 910, 84 + height
    parts = [
        _text((90, 30), title, 'font-size="20" font-weight="700"'),
        _text((90, 52), note, _QUIET),
        _text((90, 76), chart.y_title, _QUIET),
        _text((right, bottom + 38), chart.x_title, f'{_QUIET} text-anchor="end"'),
    ]
    for i, row in enumerate(chart.values):
        _, y = sheet.corner((i, 0))
        parts.append(_text((82, y + sheet.up / 2 + 4), chart.y[i], 'text-anchor="end"'))
        parts += [_drawn(chart, sheet, (i, j)) for j in range(len(row))]
    if chart.best is not None:
        parts.append(_rect(sheet, chart.best, 'fill="none" stroke="#1b1a18" stroke-width="3"'))
    parts += [
        _text((90 + tick.at * 820, bottom + 18), tick.text, 'text-anchor="middle"')
        for tick in steps(chart.x, 14)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right + 30} {bottom + 54}" '
        'font-family="sans-serif" font-size="12" fill="#1b1a18">'
        f'<rect width="100%" height="100%" fill="#fcfbf8"/>{"".join(parts)}</svg>\n'
    )


_QUIET: Final = 'font-size="13" fill="#5d5a54"'


def _drawn(chart: HeatMap, sheet: _Sheet, at: tuple[int, int]) -> str:
    """A cell of a file with its number."""
    value = chart.values[at[0]][at[1]]
    colour = "#0072b2" if (value or 0) > 0 else "#8f8b84"
    strength = opacity(chart.largest, value)
    look = f'fill="{colour}" fill-opacity="{strength:.2f}" stroke="#fcfbf8" stroke-width="2"'
    cell = _rect(sheet, at, look)
    if len(chart.x) > MOST_WORDS or sheet.up < _LOWEST:
        return cell
    x, y = sheet.corner(at)
    ink = "#ffffff" if strength > DARK and (value or 0) > 0 else "#1b1a18"
    place = (x + sheet.across / 2, y + sheet.up / 2 + 4)
    return cell + _text(place, plain_number(value, 2), f'text-anchor="middle" fill="{ink}"')


def _rect(sheet: _Sheet, at: tuple[int, int], look: str) -> str:
    x, y = sheet.corner(at)
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{sheet.across:.1f}" height="{sheet.up:.1f}" {look}/>'
    )


def _text(at: tuple[float, float], text: str, look: str) -> str:
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" {look}>{escape(text)}</text>'


def opacity(largest: float, value: float | None) -> float:
    """Of a cell's colour; none where there is no value."""
    if value is None or largest <= 0:
        return 0.0
    return 0.06 + 0.94 * min(abs(value) / largest, 1.0)


def _place(chart: HeatMap, at: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, width and height of a cell, of 1,000."""
    (i, j), across, up = at, 1000 / len(chart.x), 1000 / len(chart.y)
    return j * across, 1000 - (i + 1) * up, across, up


def _cell(chart: HeatMap, at: tuple[int, int], hint: str) -> Markup:
    value = chart.values[at[0]][at[1]]
    x, y, width, height = (f"{v:.1f}" for v in _place(chart, at))
    kind = "bar ours share" if (value or 0) > 0 else "bar share"
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" fill-opacity="{}">'
        "<title>{}</title></rect>"
    ).format(kind, x, y, width, height, f"{opacity(chart.largest, value):.2f}", hint)


def _frame(chart: HeatMap, at: tuple[int, int]) -> Markup:
    x, y, width, height = (f"{v:.1f}" for v in _place(chart, at))
    return Markup(
        '<rect class="seal" x="{}" y="{}" width="{}" height="{}" style="stroke-width:3"/>'
    ).format(x, y, width, height)


def _number(chart: HeatMap, at: tuple[int, int], kind: str) -> Markup:
    value = chart.values[at[0]][at[1]]
    x, y, width, height = _place(chart, at)
    is_dark = opacity(chart.largest, value) > DARK and (value or 0) > 0
    ink = "--on-mark" if is_dark else "--ink"
    return Markup(
        '<span class="t {}" style="left:{}%;top:{}%;transform:translate(-50%,-50%);'
        'color:var({})">{}</span>'
    ).format(
        kind, f"{(x + width / 2) / 10:.2f}", f"{(y + height / 2) / 10:.2f}", ink,
        NONE if value is None else plain_number(value, 2),
    )  # fmt: skip


def steps(labels: Sequence[str], most: int) -> tuple[Tick, ...]:
    """A tick in the middle of each of so many equal steps, `most` of them at most."""
    n, step = len(labels), _step(len(labels), most)
    shown = range(0, n, step)
    return tuple(
        Tick((i + 0.5) / n, labels[i], len(shown) > _NARROW and k % 2 == 1)
        for k, i in enumerate(shown)
    )


def _step(n: int, most: int) -> int:
    return -(-n // most)
