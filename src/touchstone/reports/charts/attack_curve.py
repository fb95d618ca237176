"""What a model is worth over the size of what moves its inputs: a line each way of moving them."""

from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, covering, spread_out, ticks
from touchstone.reports.explain_contents import Estimate, RobustnessPoint
from touchstone.reports.figures import plain_number

_HEIGHT: Final = 240
_ASIDE: Final = 0.008
"""How far the whiskers of chance stand beside those of an attacker."""
NAMES: Final = {
    "random": "random noise", "fgsm": "FGSM", "pgd": "PGD", "greedy": "greedy search",
}  # fmt: skip
_KINDS: Final = {
    "random": "base", "fgsm": "before", "pgd": "ours", "greedy": "ours",
}  # fmt: skip


def attack_curve(
    points: Sequence[RobustnessPoint], of: Callable[[RobustnessPoint], Estimate],
    unit: tuple[str, str, float], reference: tuple[float, str] | None = None,
) -> Markup:  # fmt: skip
    """One measure over the share of the noise.

    Args:
        points: by attack, sizes rising.
        of: the measure.
        unit: title of the axis, suffix of its ticks, and what values are multiplied by.
        reference: a value that knows nothing, and its name.
    """
    ways = list(dict.fromkeys(p.attack for p in points))
    values = [v for p in points for v in (of(p).value, *(of(p).interval or ()))]
    title, suffix, factor = unit
    y = covering([*values, *([] if reference is None else [reference[0]])])
    x = Scale(0.0, max(p.share for p in points))
    shapes: list[Markup] = []
    ends: list[tuple[float, str, str]] = []
    for way in ways:
        mine = [p for p in points if p.attack == way and of(p).value is not None]
        shapes += _line(mine, of, (x, y), way)
        if mine:
            last = of(mine[-1]).value or 0.0
            ends.append((y.clipped(last), f"{NAMES[way]} {plain_number(factor * last)}", way))
    if reference is not None:
        at = y.place(reference[0])
        shapes.append(frame.rule_y(at, "reference"))
        ends.append((at, reference[1], "reference"))
    places = spread_out([e[0] for e in ends], 17 / _HEIGHT)
    words = [
        frame.word(1, at, text, f"end {_KINDS.get(way, 'base')}")
        for at, (_, text, way) in zip(places, ends, strict=True)
    ]
    axes = Axes(
        ticks(x, 5, " %", 100, thin=True), ticks(y, 4, suffix, factor),
        "size, share of a feature\u2019s noise", title,
    )  # fmt: skip
    legend = [(f"line {_KINDS[way]}", NAMES[way]) for way in ways]
    if reference is not None:
        legend.append(("reference", reference[1]))
    return frame.join(
        [frame.key(legend), frame.plot(Area(_HEIGHT, shapes, words, axes), "with-ends")]
    )


def _line(
    points: Sequence[RobustnessPoint], of: Callable[[RobustnessPoint], Estimate],
    scales: tuple[Scale, Scale], way: str,
) -> list[Markup]:  # fmt: skip
    """A line; a whisker at each size for chance and for the strongest attacker alone."""
    x, y = scales
    kind = _KINDS[way]
    at = [x.place(p.share) for p in points]
    shapes = []
    for place, p in zip(at, points, strict=True):
        ends = of(p).interval
        if ends is not None and p.share > 0 and way != "fgsm":
            low, high = (y.clipped(v) for v in ends)
            beside = place - _ASIDE if way == "random" else place
            shapes.append(frame.segment((beside, low), (beside, high), f"whisker {kind}"))
    shapes.append(frame.path(at, [y.clipped(of(p).value or 0.0) for p in points], f"line {kind}"))
    shapes += [
        frame.dot(
            place, y.clipped(of(p).value or 0.0), f"small {kind}",
            f"{NAMES[way]}, {100 * p.share:g} % of the noise: {plain_number(of(p).value)}",
        )
        for place, p in zip(at, points, strict=True)
    ]  # fmt: skip
    return shapes
