"""What each image shows: equity and drawdown, months, the cost ladder, capacity, instruments."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.reports.analysis import Analysis, Attributed, CapacityResult
from touchstone.reports.charts import lines
from touchstone.reports.charts.capacity_curve import large
from touchstone.reports.charts.months import NAMES, compounded
from touchstone.reports.charts.scales import (
    Scale,
    Tick,
    covering,
    day_number,
    day_ticks,
    growth_scale,
    spread_out,
    ticks,
)
from touchstone.reports.figures import money, percent, plain_number, signed, times
from touchstone.reports.findings import net_figure
from touchstone.reports.images.canvas import (
    BAND,
    BASE,
    BEFORE,
    GRID,
    INK,
    OURS,
    QUIET,
    Canvas,
    mixed,
    text_width,
)
from touchstone.reports.result import Performance

_WIDTH: Final = 1600
_MOST_BARS: Final = 20
_LINE_HEIGHT: Final = 30


class _Area(NamedTuple):
    """A plotting area in pixels, and what its places mean."""

    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale

    def at_x(self, values: Sequence[float]) -> Float64:
        places = np.array([self.x.place(v) for v in values])
        return np.asarray(self.left + places * (self.right - self.left))

    def at_y(self, values: Sequence[float]) -> Float64:
        places = np.array([self.y.place(v) for v in values])
        return np.asarray(self.bottom - places * (self.bottom - self.top))


def images(before: Performance | None, sealed: Performance | None) -> Mapping[str, bytes]:
    """Name -> PNG, for each figure that has something to show.

    Args:
        before: the tests before the seal; None where there are none.
        sealed: the sealed segment, or the whole run where nothing is sealed.
    """
    judged = sealed or before
    if judged is None:
        return {}
    found = {"equity": _equity(before, sealed), "costs": _ladder(judged)}
    if judged.analysis is not None:
        found["months"] = _months(judged.analysis)
        found["capacity"] = _capacity(judged.analysis.capacity)
        found["instruments"] = _instruments(judged.analysis)
    return {name: canvas.png() for name, canvas in found.items() if canvas is not None}


def _equity(before: Performance | None, sealed: Performance | None) -> Canvas | None:
    parts = lines.segments(before and before.curve, sealed and sealed.curve)
    if not parts:
        return None
    known = sealed or before
    assert known is not None
    net = net_figure(known)
    told = f"Net of costs {net.size}{' a year' if net.yearly else ''}"
    log = ", log scale" if lines.is_log(parts) else ""
    meets = "the seal" if len(parts) > 1 else "the start"
    canvas = _titled(
        940, told + (f", interval {net.interval}" if net.known else ""),
        f"Equity net of costs, 100 at {meets}{log}; below it the drawdown at each day's close",
    )  # fmt: skip
    days = [day_number(d) for part in parts for d in part.curve.day]
    x = Scale(days[0], days[-1])
    y = growth_scale(v for part in parts for v in lines.drawn_values(part))
    top = _Area(110, 1330, 130, 640, x, y)
    _grid(canvas, top, (), ticks(y, 6))
    deepest = max((d for part in parts for d in part.curve.drawdown), default=0.0)
    sunk = _Area(110, 1330, 690, 860, x, Scale(-max(deepest, 0.005) * 1.08, 0.0))
    _grid(canvas, sunk, day_ticks(x), ticks(sunk.y, 3, " %", 100))
    for part in parts:
        _segment(canvas, top, sunk, part)
    if len(parts) > 1:
        seal = float(top.at_x([day_number(parts[1].curve.day[0])])[0])
        canvas.line(np.array([seal, seal]), np.array([top.top - 10, sunk.bottom]), INK)
        canvas.word((seal - 8, top.top - 4), "before the seal", align="right")
        canvas.word((seal + 8, top.top - 4), "sealed", INK)
    _ends(canvas, top, parts[-1])
    return canvas


def _segment(canvas: Canvas, top: _Area, sunk: _Area, part: lines.Segment) -> None:
    curve = part.curve
    x = top.at_x([day_number(d) for d in curve.day])

    def drawn(values: Sequence[float]) -> Float64:
        return top.at_y([v * part.factor for v in values])

    if curve.band_low:
        canvas.area(x, drawn(curve.band_low), drawn(curve.band_high), BAND)
    for values in curve.baselines.values():
        if len(values) == len(curve.day):
            canvas.line(x, drawn(values), BASE)
    ours = OURS if part.sealed else BEFORE
    canvas.line(x, drawn(curve.equity), ours, 4.0)
    if curve.drawdown:
        depth = sunk.at_y([-d for d in curve.drawdown])
        canvas.area(x, depth, np.full(x.size, sunk.top), mixed(ours, 0.6))


def _ends(canvas: Canvas, top: _Area, last: lines.Segment) -> None:
    ends = [("ours", last.curve.equity[-1])]
    ends += [(lines.NAMES.get(n, n), v[-1]) for n, v in last.curve.baselines.items() if v]
    places = [-float(top.at_y([v * last.factor])[0]) for _, v in ends]
    for (name, value), at in zip(ends, spread_out(places, _LINE_HEIGHT), strict=True):
        colour = OURS if name == "ours" else QUIET
        told = f"{name} {plain_number(value * last.factor)}"
        canvas.word((top.right + 14, -at + 8), told, colour)


def _months(found: Analysis) -> Canvas | None:
    if not any(m.net_return for m in found.months):
        return None
    years = [(year, list(part)) for year, part in groupby(found.months, key=lambda m: m.year)]
    won = sum(m.net_return > 0 for m in found.months)
    told = f"It gained in {won} of {len(found.months)} months"
    canvas = _titled(150 + 96 * len(years), told, "Net return by month, percent; total of the year")
    largest = max(abs(m.net_return) for m in found.months)
    for row, (year, part) in enumerate(years):
        top = 120 + 96 * row
        canvas.word((40, top + 40), str(year), INK)
        canvas.word((40, top + 70), percent(compounded(part), sign=True))
        of = {m.month: m.net_return for m in part}
        for month, name in enumerate(NAMES, 1):
            left = 190 + 114 * (month - 1)
            net = of.get(month)
            share = 0.0 if net is None else 0.75 * abs(net) / largest
            colour = mixed(BASE if net is not None and net < 0 else OURS, share, "#f3f1eb")
            canvas.box((left, left + 108), (top, top + 88), colour)
            canvas.word((left + 54, top + 34), name, QUIET if net is None else INK, "middle")
            if net is not None:
                canvas.word((left + 54, top + 68), signed(100 * net, 2), INK, "middle")
    return canvas


def _ladder(part: Performance) -> Canvas | None:
    known = [(r.multiple, r.net_return, r.sharpe) for r in part.ladder if r.net_return is not None]
    if not known or not part.n_trades:
        return None
    rows = [
        (f"{times(m)} costs", net, f"{percent(net, sign=True)}   Sharpe {plain_number(ratio)}")
        for m, net, ratio in known
    ]
    title = "What is left at 0, 1, 2 and 3 times the costs"
    note = "Net return of the whole segment; the same orders, their fills costed anew"
    return _bars((title, note), rows, ours=1, percents=True)


def _capacity(found: CapacityResult | None) -> Canvas | None:
    known = [(p.deposit, p.sharpe) for p in found.points if p.sharpe is not None] if found else []
    if found is None or len(known) < 2:
        return None
    half = found.half_sharpe
    told = f"The Sharpe halves at {large(half)} under management" if half else "Capacity"
    note = "Net Sharpe of the same decisions at other deposits, square-root impact paid"
    canvas = _titled(800, told, note)
    x = Scale(known[0][0], known[-1][0], log=True)
    y = covering([ratio for _, ratio in known], include=(0.0,))
    area = _Area(110, 1540, 130, 710, x, y)
    decades = range(int(np.ceil(np.log10(x.low) - 1e-9)), int(np.log10(x.high) + 1e-9) + 1)
    _grid(canvas, area, [Tick(x.place(10.0**k), large(10.0**k)) for k in decades], ticks(y, 5))
    places = area.at_x([d for d, _ in known]), area.at_y([s for _, s in known])
    canvas.line(*places, OURS, 4.0)
    for a, b in zip(*places, strict=True):
        canvas.dot(float(a), float(b), OURS, 14.0)
    return canvas


def _instruments(found: Analysis) -> Canvas | None:
    parts: list[Attributed] = [a for a in found.attribution if a.by == "instrument"]
    if not parts:
        return None
    ordered = sorted(parts, key=lambda a: -a.net)
    shown = ordered
    note = "Net money by instrument, the account's currency"
    if len(ordered) > _MOST_BARS:
        shown = [*ordered[: _MOST_BARS // 2], *ordered[-_MOST_BARS // 2 :]]
        note += f"; the best and the worst {_MOST_BARS // 2} of {len(ordered)}"
    won = sum(a.net > 0 for a in parts)
    title = f"{won} of {len(parts)} earned"
    rows = [(a.name, a.net, ("+" if a.net > 0 else "") + money(a.net)) for a in shown]
    return _bars((title, note), rows, ours=None, percents=False)


def _bars(
    titles: tuple[str, str], rows: Sequence[tuple[str, float, str]], ours: int | None,
    percents: bool,
) -> Canvas:  # fmt: skip
    """Bars from zero; blue where `ours` says, or where it says nothing, above zero."""
    pitch = 38
    canvas = _titled(190 + pitch * len(rows), *titles)
    name = 60 + max(text_width(n) for n, *_ in rows)
    words = max(text_width(told) for *_, told in rows)
    x = covering([v for _, v, _ in rows], include=(0.0,))
    foot = 125 + pitch * len(rows)
    area = _Area(name, _WIDTH - 60 - words, 120, foot, x, Scale(0, 1))
    marks = ticks(x, 5, " %", 100) if percents else ticks(x, 4)
    _grid(canvas, area, marks, ())
    zero = float(area.at_x([0.0])[0])
    for k, (label, value, told) in enumerate(rows):
        top = 125 + pitch * k
        is_ours = value >= 0 if ours is None else k == ours
        end = float(area.at_x([value])[0])
        canvas.box((zero, end), (top + 5, top + pitch - 5), OURS if is_ours else BASE)
        canvas.word((40, top + 27), label, INK)
        canvas.word((_WIDTH - 40, top + 27), told, INK, "right")
    canvas.line(np.array([zero, zero]), np.array([120.0, foot]), QUIET)
    return canvas


def _titled(height: int, title: str, note: str) -> Canvas:
    canvas = Canvas(_WIDTH, height)
    canvas.word((40, 54), title, INK, bold=True)
    canvas.word((40, 92), note)
    return canvas


def _grid(canvas: Canvas, area: _Area, across: Sequence[Tick], up: Sequence[Tick]) -> None:
    for tick in up:
        y = area.bottom - tick.at * (area.bottom - area.top)
        canvas.line(np.array([area.left, area.right]), np.array([y, y]), GRID, 1.5)
        canvas.word((area.left - 12, y + 8), tick.text, align="right")
    for tick in across:
        x = area.left + tick.at * (area.right - area.left)
        canvas.line(np.array([x, x]), np.array([area.top, area.bottom]), GRID, 1.5)
        canvas.word((x, area.bottom + 32), tick.text, align="middle")
