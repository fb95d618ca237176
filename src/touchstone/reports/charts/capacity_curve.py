"""Net Sharpe over assets under management, on a logarithmic axis."""

import math
from typing import Final

from markupsafe import Markup

from touchstone.reports.analysis import CapacityResult
from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, Tick, covering, ticks
from touchstone.reports.figures import THIN, plain_number

_HEIGHT: Final = 260
_UNITS: Final = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))


def large(money: float | None) -> str:
    r"""Money in thousands, millions, billions.

    >>> large(3.16e7), large(250.0)
    ('31.6\u202fm', '250')
    """
    if money is None:
        return plain_number(None)
    unit, name = next((u for u in _UNITS if money >= u[0] * 0.9995), (1.0, ""))
    text = plain_number(money / unit)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}{THIN}{name}" if name else text


def capacity_curve(found: CapacityResult) -> Markup:
    """The curve, where half of it is left, and where nothing is."""
    known = [(p.deposit, p.sharpe) for p in found.points if p.sharpe is not None]
    x = Scale(known[0][0], known[-1][0], log=True)
    y = covering([ratio for _, ratio in known], include=(0.0,))
    places = [x.place(d) for d, _ in known], [y.place(s) for _, s in known]
    shapes = [frame.rule_y(y.place(0.0), "zero"), frame.path(*places, "line ours")]
    shapes += [
        frame.dot(a, b, "ours small", f"Sharpe {plain_number(s)} at {large(d)}")
        for a, b, (d, s) in zip(*places, known, strict=True)
    ]
    words = []
    for at, level, told in (
        (found.half_sharpe, known[0][1] / 2, "half is left"),
        (found.zero_sharpe, 0.0, "nothing is left"),
    ):
        if at is not None and known[0][0] <= at <= known[-1][0]:
            place = x.place(at)
            side = "above-right" if place < 0.5 else "under-left plate"
            shapes.append(frame.segment((place, 0), (place, y.place(level)), "reference"))
            words.append(frame.word(place, y.place(level), f"{told}: {large(at)}", f"{side} quiet"))
    axes = Axes(_decades(x), ticks(y, 5), "assets under management", "net Sharpe, annual")
    return frame.plot(Area(_HEIGHT, shapes, words, axes))


def _decades(x: Scale) -> tuple[Tick, ...]:
    first, last = math.ceil(math.log10(x.low) - 1e-9), math.floor(math.log10(x.high) + 1e-9)
    return tuple(Tick(x.place(10.0**k), large(10.0**k), k % 2 == 1) for k in range(first, last + 1))
