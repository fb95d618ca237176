"""Parallel coordinates laid down: a row an axis, each case a line from the first to the last.

Axes that lie instead of standing have room for their names on a phone.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes

_ROW: Final = 62
"""Pixels from one axis to the next."""
_TOP: Final = 22
_BOTTOM: Final = 24


class Axis(NamedTuple):
    """One row."""

    name: str
    low: str
    """What stands at its left end."""
    high: str
    """What stands at its right end."""
    marks: tuple[tuple[float, str], ...] = ()
    """Places between the ends that have a name, of choices."""


class Case(NamedTuple):
    """One line."""

    places: tuple[float | None, ...]
    """Where it crosses each axis, 0 to 1; None where it does not."""
    kind: str
    """Class of the line."""
    hint: str = ""
    """Words for the pointer that rests on it."""


def parallel(axes: Sequence[Axis], cases: Sequence[Case]) -> Markup:
    """The axes from above, the cases from the back to the front."""
    height = _TOP + _ROW * (len(axes) - 1) + _BOTTOM
    level = [1 - (_TOP + _ROW * i) / height for i in range(len(axes))]
    shapes = [frame.rule_y(at, "zero") for at in level]
    words = list[Markup]()
    for axis, at in zip(axes, level, strict=True):
        words += _words(axis, at)
        shapes += [frame.dot(place, at, "tiny base") for place, _ in axis.marks]
    for case in cases:
        known = [(p, at) for p, at in zip(case.places, level, strict=True) if p is not None]
        if len(known) > 1:
            shapes.append(_line(known, case))
    return frame.plot(Area(height, shapes, words, Axes((), ())), "lying")


def _words(axis: Axis, at: float) -> list[Markup]:
    words = [frame.word(0, at, axis.name, "axis-name")]
    named = [(place, text) for place, text in axis.marks if text]
    if not named:
        named = [(0.0, axis.low), (1.0, axis.high)]
    for place, text in named:
        side = "first" if place < 0.12 else "last" if place > 0.88 else "middle"
        words.append(frame.word(place, at, text, f"under-axis {side}"))
    return words


def _line(known: Sequence[tuple[float, float]], case: Case) -> Markup:
    """A line through the places, and words for the pointer."""
    points = "L".join(f"{1000 * x:.1f} {1000 * (1 - y):.1f}" for x, y in known)
    words = Markup("<title>{}</title>").format(case.hint) if case.hint else frame.EMPTY
    return Markup('<path class="{}" d="M{}">{}</path>').format(case.kind, points, words)
