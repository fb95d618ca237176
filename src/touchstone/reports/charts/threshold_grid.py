"""What each threshold of a grid gives: precision and its break-even, F1, money a row, and rows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, Tick, covering, spread_out, ticks
from touchstone.reports.figures import needed, percent, plain_number
from touchstone.reports.thresholds import ThresholdScore

_TALL, _LOW = 200, 110
_LABEL_PIXELS = 17


class _Line(NamedTuple):
    field: str
    kind: str
    name: str
    said: Callable[[float], str]


_SHARES = (
    _Line("break_even", "base break_even", "break-even", needed),
    _Line("precision", "ours", "precision", percent),
)
_F1 = (_Line("f1", "ours", "F1", plain_number),)
_NET = (_Line("net", "ours", "net", lambda v: percent(v, sign=True)),)


def threshold_grid(points: Sequence[ThresholdScore]) -> Markup:
    """Three plots over one grid, its steps evenly apart; points where no row is left are not drawn.

    Args:
        points: rising, each with a threshold.
    """
    drawn = [p for p in points if p.count]
    top = max([v for p in drawn for v in (p.precision, p.break_even) if v is not None] + [0.01])
    shares = Scale(0.0, min(1.05, 1.1 * top))
    f1 = Scale(0.0, max([1.15 * (p.f1 or 0.0) for p in drawn] + [0.01]))
    money = covering([p.net for p in drawn if p.net is not None] or [0.0], include=(0.0,))
    legend = frame.key((f"line {line.kind}", line.name) for line in _SHARES)
    return frame.join(
        [
            legend,
            _plot(points, _SHARES, (_TALL, shares), ("precision", ticks(shares, 4, " %", 100))),
            _plot(points, _F1, (_LOW, f1), ("F1", ticks(f1, 3))),
            _plot(
                points, _NET, (_LOW, money),
                ("net return a selected row", ticks(money, 3, " %", 100)), is_last=True,
            ),
        ]
    )  # fmt: skip


def _plot(
    points: Sequence[ThresholdScore],
    lines: Sequence[_Line],
    size: tuple[int, Scale],
    named: tuple[str, tuple[Tick, ...]],
    *,
    is_last: bool = False,
) -> Markup:
    height, y = size
    step = 1 / max(len(points) - 1, 1)
    shapes, ends = [], []
    if y.low < 0:
        shapes.append(frame.rule_y(y.place(0.0), "zero"))
    for line in lines:
        known = [
            (i * step, p, float(value))
            for i, p in enumerate(points)
            if p.count and (value := getattr(p, line.field)) is not None
        ]
        if not known:
            continue
        places = [x for x, _, _ in known], [y.clipped(v) for _, _, v in known]
        shapes.append(frame.path(*places, f"line {line.kind}"))
        shapes += [
            frame.dot(x, y.clipped(v), line.kind, f"{line.name} {line.said(v)}, {_at(p)}")
            for x, p, v in known
        ]
        ends.append((places[1][-1], f"{line.name} {line.said(known[-1][2])}", f"end {line.kind}"))
    at = spread_out([e[0] for e in ends], _LABEL_PIXELS / height)
    words = [frame.word(1, a, text, kind) for a, (_, text, kind) in zip(at, ends, strict=True)]
    across = tuple(
        Tick(i * step, f"{100 * (p.threshold or 0):g} %", i % 2 == 1) for i, p in enumerate(points)
    )
    axes = Axes(across if is_last else (), named[1], _AXIS if is_last else "", named[0])
    return frame.plot(Area(height, shapes, words, axes), "with-ends")


_AXIS = "least probability selected; steps are drawn evenly"


def _at(point: ThresholdScore) -> str:
    return f"at {percent(point.threshold)}: {point.count:,} rows"
