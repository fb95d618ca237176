"""Curves of skill: calibration, precision against break-even, precision against recall."""

from collections.abc import Sequence

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, spread_out, ticks
from touchstone.reports.figures import count, needed, percent
from touchstone.reports.result import CalibrationPoint, PrPoint, ThresholdPoint

_HEIGHT = 260


def calibration(points: Sequence[CalibrationPoint]) -> Markup:
    """Frequency over probability, with the diagonal of a calibrated score."""
    most = max((max(p.probability, p.frequency) for p in points), default=1.0)
    scale = Scale(0.0, max(1.08 * most, 0.01))
    x = [scale.place(p.probability) for p in points]
    y = [scale.place(p.frequency) for p in points]
    shapes = [frame.segment((0, 0), (1, 1), "ideal"), frame.path(x, y, "line ours thin")]
    shapes += [
        frame.dot(
            a,
            b,
            "ours",
            f"said {percent(p.probability)}, came {percent(p.frequency)}, {count(p.count)} rows",
        )
        for a, b, p in zip(x, y, points, strict=True)
    ]
    below = sum(b < a for a, b in zip(x, y, strict=True)) * 2 >= len(x)
    sides = ("above-left", "below-right") if below else ("below-right", "above-left")
    words = [frame.word(0.56, 0.56, "calibrated", f"{sides[0]} quiet")]
    if points:
        at = max(len(points) - 2, 0)
        words.append(frame.word(x[at], y[at], "ours", f"{sides[1]} ours"))
    across, up = (ticks(scale, 4, " %", 100, thin=thin) for thin in (True, False))
    axes = Axes(across, up, "probability said", "share that came")
    return frame.plot(Area(_HEIGHT, shapes, words, axes))


def precision_recall(points: Sequence[PrPoint], base_rate: float | None) -> Markup:
    """Precision over recall, and the base rate that a score without skill has everywhere."""
    most = max([p.precision for p in points] + [base_rate or 0.0])
    y, x = Scale(0.0, max(1.1 * most, 0.01)), Scale(0.0, 1.0)
    line = frame.path(
        [x.place(p.recall) for p in points], [y.place(p.precision) for p in points], "line ours"
    )
    shapes, words = [line], []
    if base_rate is not None:
        at = y.place(base_rate)
        shapes.append(frame.rule_y(at, "reference"))
        words.append(frame.word(0.99, at, f"base rate {percent(base_rate)}", "below-left quiet"))
    if points:
        first = points[len(points) // 5]
        words.append(
            frame.word(x.place(first.recall), y.place(first.precision), "ours", "above-right ours")
        )
    axes = Axes(ticks(x, 4, " %", 100, thin=True), ticks(y, 4, " %", 100), "recall", "precision")
    return frame.plot(Area(_HEIGHT, shapes, words, axes))


def precision_by_threshold(points: Sequence[ThresholdPoint]) -> Markup:
    """Precision and break-even precision over the threshold; below, how many rows are selected."""
    x = Scale(points[0].threshold, max(points[-1].threshold, points[0].threshold + 1e-6))
    known = [v for p in points for v in (p.precision, p.break_even) if v is not None]
    y = Scale(0.0, min(1.05, max([1.1 * v for v in known] + [0.01])))
    shapes, ends = [], []
    for field, kind, name in (
        ("break_even", "base break_even", "break-even"),
        ("precision", "ours", "precision"),
    ):
        drawn = [(p.threshold, getattr(p, field)) for p in points if getattr(p, field) is not None]
        if not drawn:
            continue
        places = [x.place(t) for t, _ in drawn], [y.clipped(v) for _, v in drawn]
        shapes.append(frame.path(*places, f"line {kind}"))
        ends.append((places[1][-1], f"{name} {needed(drawn[-1][1])}", f"end {kind}"))
    at = spread_out([e[0] for e in ends], 17 / _HEIGHT)
    words = [frame.word(1, a, text, kind) for a, (_, text, kind) in zip(at, ends, strict=True)]
    top = Area(_HEIGHT, shapes, words, Axes((), ticks(y, 4, " %", 100), "", "precision"))
    legend = frame.key((("line ours", "precision"), ("line base break_even", "break-even")))
    return frame.join(
        [legend, frame.plot(top, "with-ends"), _selected(points, x)],
    )


def _selected(points: Sequence[ThresholdPoint], x: Scale) -> Markup:
    counted = [(x.place(p.threshold), float(p.count)) for p in points if p.count > 0]
    high = max([n for _, n in counted] + [10.0])
    y = Scale(1.0, high * 1.3, log=True)
    half = 0.35 / max(len(points), 2)
    shapes = [
        frame.box((max(a - half, 0), min(a + half, 1)), (0, y.clipped(n)), "bar base")
        for a, n in counted
    ]
    axes = Axes(
        ticks(x, 5, " %", 100, thin=True),
        ticks(y, 2),
        "least probability selected",
        "rows selected, log scale",
    )
    return frame.plot(Area(80, shapes, [], axes), "with-ends")
