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
_MOST_WORDS: Final = 14
"""Columns above which cells carry no number."""
_NARROW: Final = 5
"""Columns above which they carry none on a phone."""
_DARK: Final = 0.55
"""Opacity above which words on a cell are light."""


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


def heat_map(chart: HeatMap) -> Markup:
    """The cells with their numbers, as many as there is room for."""
    n_rows, n_columns = len(chart.y), len(chart.x)
    height = min(max(_ROW * n_rows, _HEIGHTS[0]), _HEIGHTS[1])
    shapes, words = [], []
    for i, row in enumerate(chart.values):
        for j, value in enumerate(row):
            hint = f"{chart.x_title} {chart.x[j]}, {chart.y_title} {chart.y[i]}"
            shapes.append(_cell(chart, (i, j), f"{hint}: {plain_number(value)}"))
            if n_columns <= _MOST_WORDS and height / n_rows >= 18:
                words.append(_number(chart, (i, j), "minor" if n_columns > _NARROW else ""))
    if chart.best is not None:
        shapes.append(_frame(chart, chart.best))
    axes = Axes(_ticks(chart.x, 12), _ticks(chart.y, 14), chart.x_title, chart.y_title)
    return frame.plot(Area(height, shapes, words, axes), "heat")


def static(chart: HeatMap, title: str, note: str) -> str:
    """The same as an SVG file of its own, for slides: no style sheet, no script."""
    n_rows, n_columns = len(chart.y), len(chart.x)
    left, top, width, height = 90, 84, 820, min(max(34 * n_rows, 160), 620)
    across, up = width / n_columns, height / n_rows
    parts = [
        f'<text x="{left}" y="30" font-size="20" font-weight="700">{escape(title)}</text>',
        f'<text x="{left}" y="52" font-size="13" fill="#5d5a54">{escape(note)}</text>',
        f'<text x="{left}" y="76" font-size="12" fill="#5d5a54">{escape(chart.y_title)}</text>',
    ]
    for i, row in enumerate(chart.values):
        y = top + height - (i + 1) * up
        parts.append(
            f'<text x="{left - 8}" y="{y + up / 2 + 4:.1f}" font-size="12" text-anchor="end">'
            f"{escape(chart.y[i])}</text>"
        )
        for j, value in enumerate(row):
            x, opacity = left + j * across, _opacity(chart, value)
            colour = "#0072b2" if (value or 0) > 0 else "#8f8b84"
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{across:.1f}" height="{up:.1f}" '
                f'fill="{colour}" fill-opacity="{opacity:.2f}" stroke="#fcfbf8" stroke-width="2"/>'
            )
            if n_columns <= _MOST_WORDS and up >= 18:
                ink = "#ffffff" if opacity > _DARK else "#1b1a18"
                parts.append(
                    f'<text x="{x + across / 2:.1f}" y="{y + up / 2 + 4:.1f}" font-size="12" '
                    f'text-anchor="middle" fill="{ink}">{plain_number(value, 2)}</text>'
                )
    if chart.best is not None:
        i, j = chart.best
        parts.append(
            f'<rect x="{left + j * across:.1f}" y="{top + height - (i + 1) * up:.1f}" '
            f'width="{across:.1f}" height="{up:.1f}" fill="none" stroke="#1b1a18" '
            'stroke-width="3"/>'
        )
    step = _step(n_columns, 14)
    parts += [
        f'<text x="{left + (j + 0.5) * across:.1f}" y="{top + height + 18}" font-size="12" '
        f'text-anchor="middle">{escape(text)}</text>'
        for j, text in enumerate(chart.x)
        if j % step == 0
    ]
    parts.append(
        f'<text x="{left + width}" y="{top + height + 38}" font-size="12" text-anchor="end" '
        f'fill="#5d5a54">{escape(chart.x_title)}</text>'
    )
    size = f'viewBox="0 0 {left + width + 30} {top + height + 54}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" fill="#1b1a18">'
        f'<rect width="100%" height="100%" fill="#fcfbf8"/>{"".join(parts)}</svg>\n'
    )


def _opacity(chart: HeatMap, value: float | None) -> float:
    if value is None or chart.largest <= 0:
        return 0.0
    return 0.06 + 0.94 * min(abs(value) / chart.largest, 1.0)


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
    ).format(kind, x, y, width, height, f"{_opacity(chart, value):.2f}", hint)


def _frame(chart: HeatMap, at: tuple[int, int]) -> Markup:
    x, y, width, height = (f"{v:.1f}" for v in _place(chart, at))
    return Markup(
        '<rect class="seal" x="{}" y="{}" width="{}" height="{}" style="stroke-width:3"/>'
    ).format(x, y, width, height)


def _number(chart: HeatMap, at: tuple[int, int], kind: str) -> Markup:
    value = chart.values[at[0]][at[1]]
    x, y, width, height = _place(chart, at)
    ink = "--on-mark" if _opacity(chart, value) > _DARK else "--ink"
    return Markup(
        '<span class="t {}" style="left:{}%;top:{}%;transform:translate(-50%,-50%);'
        'color:var({})">{}</span>'
    ).format(
        kind, f"{(x + width / 2) / 10:.2f}", f"{(y + height / 2) / 10:.2f}", ink,
        NONE if value is None else plain_number(value, 2),
    )  # fmt: skip


def _ticks(labels: Sequence[str], most: int) -> tuple[Tick, ...]:
    n, step = len(labels), _step(len(labels), most)
    shown = range(0, n, step)
    return tuple(
        Tick((i + 0.5) / n, labels[i], len(shown) > _NARROW and k % 2 == 1)
        for k, i in enumerate(shown)
    )


def _step(n: int, most: int) -> int:
    return -(-n // most)
