"""The wiring of a cell: a line down for each place, an operation where a node takes from it."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.charts import frame

_WIDTH: Final = 360
_TOP: Final = 46
_ROW: Final = 34
_GAP: Final = 14
"""Between nodes."""
_LEFT, _RIGHT = 46, 318
_LETTER: Final = 6.6
"""Width of a letter of 12 units, about."""
_TEXT: Final = 'font-size="12" fill="var(--ink)" text-anchor="middle"'
_STYLE: Final = 'stroke="var(--base-mark)" fill="none"'

Wiring = Sequence[Sequence[tuple[int, str]]]
"""Of each node its edges: place and operation, as `models.darts` counts them."""


def cell_graph(wiring: Wiring, description: str) -> Markup:
    """A cell as a drawing that keeps its shape, with words for those who cannot see it.

    Places run down: the two cells before, then each node from where it is made. On a node's rows
    an operation stands on the line that it takes from, and an arrow leads to the node.
    """
    n_places = 2 + len(wiring)
    x = [_LEFT + (_RIGHT - _LEFT) * i / (n_places - 1) for i in range(n_places)]
    rows, y = [], float(_TOP)
    for node in wiring:
        rows.append([y + _ROW * (i + 0.5) for i in range(len(node))])
        y += _ROW * len(node) + _GAP
    bottom = y + 16
    begins = [float(_TOP - 12)] * 2 + [row[-1] for row in rows]
    shapes = [_line((x[i], begins[i]), (x[i], bottom), _STYLE) for i in range(n_places)][2:]
    last = [_last_use(wiring, rows, place) for place in (0, 1)]
    shapes = [
        _line((x[i], begins[i]), (x[i], last[i]), _STYLE) for i in (0, 1) if last[i] > begins[i]
    ] + shapes
    for k, (node, at) in enumerate(zip(wiring, rows, strict=True)):
        shapes += _node(x, (k, node), at)
    shapes += [_words((x[0], 14), "cell", ""), _words((x[0], 28), "before last", "")]
    shapes += [_words((x[1], 14), "last", ""), _words((x[1], 28), "cell", "")]
    shapes.append(_line((x[2], bottom), (x[-1], bottom), _STYLE))
    shapes.append(_words(((x[2] + x[-1]) / 2, bottom + 18), "side by side: the cell gives", ""))
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" style="display:block;width:100%;'
        'max-width:520px;height:auto;overflow:visible">{}</svg>'
    ).format(_WIDTH, round(bottom + 26), description, frame.join(shapes))


def _last_use(wiring: Wiring, rows: Sequence[Sequence[float]], place: int) -> float:
    used = [
        y
        for node, at in zip(wiring, rows, strict=True)
        for (source, _), y in zip(node, at, strict=True)
        if source == place
    ]
    return max(used, default=0.0)


def _node(
    x: Sequence[float], of: tuple[int, Sequence[tuple[int, str]]], at: Sequence[float]
) -> list[Markup]:
    """Arrows, operations and the dot of one node."""
    number, node = of
    end, shapes = x[2 + number], []
    shapes.append(_line((end, at[0]), (end, at[-1]), 'stroke="var(--ours-mark)" fill="none"'))
    for (place, name), y in zip(node, at, strict=True):
        shapes.append(_line((x[place], y), (end, y), 'stroke="var(--ours-mark)" fill="none"'))
        words = name.replace("_", " ")
        half = _LETTER * len(words) / 2 + 8
        middle = min(max(x[place], half + 1), _WIDTH - half - 1)
        shapes.append(
            Markup(
                '<rect x="{}" y="{}" width="{}" height="24" rx="12" fill="var(--paper)" '
                'stroke="var(--ours-mark)"/>'
            ).format(_number(middle - half), _number(y - 12), _number(2 * half))
        )
        shapes.append(_words((middle, y + 4), words, ""))
    shapes.append(
        Markup('<circle cx="{}" cy="{}" r="9" fill="var(--ours-mark)" stroke="none"/>').format(
            _number(end), _number(at[-1])
        )
    )
    shapes.append(
        Markup(
            '<text x="{}" y="{}" font-size="12" fill="var(--on-mark)" stroke="none" '
            'text-anchor="middle">{}</text>'
        ).format(_number(end), _number(at[-1] + 4), number + 1)
    )
    return shapes


def _line(start: tuple[float, float], end: tuple[float, float], style: str) -> Markup:
    (x0, y0), (x1, y1) = start, end
    return Markup('<path d="M{} {}L{} {}" stroke-width="1.5" {}/>').format(
        _number(x0), _number(y0), _number(x1), _number(y1), Markup(style)
    )


def _words(at: tuple[float, float], text: str, more: str) -> Markup:
    return Markup('<text x="{}" y="{}" stroke="none" {}{}>{}</text>').format(
        _number(at[0]), _number(at[1]), Markup(_TEXT), Markup(more), text
    )


def _number(value: float) -> str:
    return f"{value:.1f}"
