"""Quantiles of p-values beside those of a correct test, with the band that luck leaves."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, ticks
from touchstone.reports.figures import plain_number

_HEIGHT = 300
_MOST: Final = 240
"""Points drawn; the numbers are never thinned."""
_LEVEL: Final = 0.05


class Quantiles(NamedTuple):
    """p-values against the uniform law, all (n,), rising."""

    expected: Sequence[float]
    seen: Sequence[float]
    low: Sequence[float]
    """Of the pointwise band."""
    high: Sequence[float]


def uniform(points: Quantiles) -> Markup:
    """Seen over expected: a correct test follows the diagonal, one that lies below it is fooled."""
    scale = Scale(0.0, 1.0)
    keep = _thinned(len(points.seen))
    x, y, low, high = ([column[i] for i in keep] for column in points)
    shapes = [
        frame.band(x, low, high, "band"),
        frame.segment((0, 0), (1, 1), "ideal"),
        frame.rule_y(_LEVEL, "reference"),
        *(
            frame.dot(a, b, "ours small", f"{plain_number(b)} where {plain_number(a)} is expected")
            for a, b in zip(x, y, strict=True)
        ),
    ]
    words = [
        frame.word(0.99, _LEVEL, "rejected at 5 %", "below-left quiet level"),
        frame.word(0.62, 0.62, "a correct test", "below-right quiet"),
    ]
    across, up = (ticks(scale, 5, thin=thin) for thin in (True, False))
    axes = Axes(across, up, "p-value expected of a correct test", "p-value seen")
    return frame.plot(Area(_HEIGHT, shapes, words, axes), "square")


def _thinned(n: int) -> list[int]:
    """Places of the points to draw: the smallest twenty, and others evenly."""
    if n <= _MOST:
        return list(range(n))
    step = (n - 20) / (_MOST - 20)
    return [*range(20), *(min(20 + int(i * step), n - 1) for i in range(_MOST - 20))]
