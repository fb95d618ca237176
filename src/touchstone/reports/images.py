"""The main figures as PNG files, for documents and messages that hold no page.

The page's charts stay SVG (decision 2); these show the same figures in the colours of its light
scheme. Equal results give equal bytes on one machine: no date, no random name stands in a file.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from touchstone.reports.analysis import Analysis, CapacityResult, MonthResult
from touchstone.reports.charts import lines
from touchstone.reports.charts.capacity_curve import large
from touchstone.reports.charts.months import NAMES, compounded
from touchstone.reports.charts.scales import day_number, spread_out
from touchstone.reports.figures import money, percent, plain_number, short, signed, times
from touchstone.reports.findings import net_figure
from touchstone.reports.result import Performance

if TYPE_CHECKING:  # slow to import, and wanted at the end of a run only
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PAPER, _PANEL, _INK, _QUIET, _GRID = "#fcfbf8", "#f3f1eb", "#1b1a18", "#5d5a54", "#e6e3da"
_OURS, _BEFORE, _BASE, _BAND = "#0072b2", "#6aa9d0", "#8f8b84", "#dedbd2"
_DPI: Final = 160
_MOST_BARS: Final = 20
_LETTERS: Final = str.maketrans({"\u202f": " ", "\u00a0": " "})
"""Spaces that the font does not have."""


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
        found["months"] = _months(judged.analysis.months)
        found["capacity"] = _capacity(judged.analysis.capacity)
        found["instruments"] = _instruments(judged.analysis)
    return {name: _png(figure) for name, figure in found.items() if figure is not None}


def _equity(before: Performance | None, sealed: Performance | None) -> "Figure | None":
    curves = [None if part is None else part.curve for part in (before, sealed)]
    parts, judged = lines.segments(*curves), sealed or before
    if not parts or judged is None:
        return None
    net = net_figure(judged)
    title = f"Net of costs {net.size}{' a year' if net.yearly else ''}"
    title += f", interval {net.interval}" if net.known else ""
    log, meets = lines.is_log(parts), "the seal" if len(parts) > 1 else "the start"
    note = f"Equity net of costs, 100 at {meets}{', log scale' if log else ''}; drawdown below"
    figure = _titled((10, 6.2), title, note)
    grid = figure.add_gridspec(
        2, height_ratios=(3, 1), hspace=0.08, left=0.07, right=0.83, bottom=0.07, top=0.84
    )
    top = figure.add_subplot(grid[0])
    sunk = figure.add_subplot(grid[1], sharex=top)
    for part in parts:
        _segment(top, sunk, part)
    if log:
        top.set_yscale("log")
        _round_ticks(top)
    top.yaxis.set_major_formatter(lambda v, _: short(v).translate(_LETTERS))
    if len(parts) > 1:
        seal = _days(parts[1])[0]
        for axes in (top, sunk):
            axes.axvline(seal, color=_INK, lw=1.2)
        top.text(seal, 1.02, " sealed", weight="bold", transform=top.get_xaxis_transform())
    for axes in (top, sunk):
        _plain(axes)
        axes.margins(x=0)
    sunk.xaxis_date()
    top.tick_params(labelbottom=False)
    sunk.yaxis.set_major_formatter(lambda v, _: _percent(v))
    _ends(top, parts[-1])
    return figure


def _segment(top: "Axes", sunk: "Axes", part: lines.Segment) -> None:
    day, curve, ours = _days(part), part.curve, _OURS if part.sealed else _BEFORE
    if curve.band_low:
        low, high = (np.array(v) * part.factor for v in (curve.band_low, curve.band_high))
        top.fill_between(day, low, high, color=_BAND, lw=0)
    for name, values in curve.baselines.items():
        if len(values) == len(curve.day):
            style = "--" if name == "equal_weight" else "-"
            top.plot(day, np.array(values) * part.factor, style, color=_BASE, lw=1.1)
    top.plot(day, np.array(curve.equity) * part.factor, color=ours, lw=2.2)
    if curve.drawdown:
        sunk.fill_between(day, -np.array(curve.drawdown), 0, color=ours, alpha=0.6, lw=0)


def _ends(top: "Axes", last: lines.Segment) -> None:
    ends = [("ours", last.curve.equity)]
    ends += [(lines.NAMES.get(n, n), v) for n, v in last.curve.baselines.items() if v]
    values = [series[-1] * last.factor for _, series in ends]
    top.get_ylim()  # scales are set when they are asked for
    across = top.transAxes.inverted()
    places = [float(across.transform(top.transData.transform((0, v)))[1]) for v in values]
    for (name, _), value, at in zip(ends, values, spread_out(places, 0.055), strict=True):
        told = f"{name} {plain_number(value)}".translate(_LETTERS)
        colour = _OURS if name == "ours" else _QUIET
        top.text(1.012, at, told, color=colour, va="center", transform=top.transAxes)


def _months(found: Sequence[MonthResult]) -> "Figure | None":
    if not any(m.net_return for m in found):
        return None
    years = [(year, list(part)) for year, part in groupby(found, key=lambda m: m.year)]
    largest = max(abs(m.net_return) for m in found)
    title = f"It gained in {sum(m.net_return > 0 for m in found)} of {len(found)} months"
    high = 1.05 + 0.55 * len(years)
    figure = _titled((10, high), title, "Net return by month, percent, and of the year")
    axes = figure.add_axes((0.09, 0.05, 0.89, 1 - 1.1 / high))
    axes.set(xlim=(0, 12), ylim=(len(years), 0))
    axes.axis("off")
    for row, (year, part) in enumerate(years):
        told = f"{year}\n{percent(compounded(part), sign=True)}".translate(_LETTERS)
        axes.text(-0.12, row + 0.5, told, ha="right", va="center")
        net = {m.month: m.net_return for m in part}
        for k, name in enumerate(NAMES):
            size = net.get(k + 1)
            strength = 0.0 if size is None else 0.75 * abs(size) / largest
            colour = _BASE if (size or 0) < 0 else _OURS
            for face, alpha in ((_PANEL, 1.0), (colour, strength)):
                axes.fill_between((k + 0.03, k + 0.97), row + 0.04, row + 0.96, color=face,
                                  alpha=alpha, lw=0)  # fmt: skip
            text = name if size is None else f"{name}\n{signed(100 * size, 2)}"
            ink = _QUIET if size is None else _INK
            axes.text(k + 0.5, row + 0.5, text, ha="center", va="center", color=ink)
    return figure


def _ladder(part: Performance) -> "Figure | None":
    known = [r for r in part.ladder if r.net_return is not None]
    if not known or not part.n_trades:
        return None
    rows = [
        (f"{times(r.multiple)} costs", r.net_return or 0.0,
         f"{percent(r.net_return, sign=True)}  Sharpe {plain_number(r.sharpe)}")
        for r in known
    ]  # fmt: skip
    colours = [_OURS if r.multiple == 1 else _BASE for r in known]
    titles = ("What is left at 0, 1, 2 and 3 times the costs", "Net return; orders fixed")
    return _bars(titles, rows, colours, _percent)


def _instruments(found: Analysis) -> "Figure | None":
    parts = sorted((a for a in found.attribution if a.by == "instrument"), key=lambda a: -a.net)
    if not parts:
        return None
    note, half = "Net money by instrument, the account's currency", _MOST_BARS // 2
    shown = parts
    if len(parts) > _MOST_BARS:
        shown = [*parts[:half], *parts[-half:]]
        note += f"; the best and the worst {half} of {len(parts)}"
    rows = [(a.name, a.net, ("+" if a.net > 0 else "") + money(a.net)) for a in shown]
    colours = [_OURS if a.net >= 0 else _BASE for a in shown]
    title = f"{sum(a.net > 0 for a in parts)} of {len(parts)} earned"
    return _bars((title, note), rows, colours, money)


def _bars(
    titles: tuple[str, str], rows: Sequence[tuple[str, float, str]], colours: Sequence[str],
    said: Any,
) -> "Figure":  # fmt: skip
    """A bar from zero for each (name, value, words)."""
    high = 1.4 + 0.27 * len(rows)
    figure = _titled((10, high), *titles)
    axes = figure.add_axes((0.12, 0.45 / high, 0.66, 1 - 1.35 / high))
    axes.barh(range(len(rows)), [v for _, v, _ in rows], color=colours, height=0.7, zorder=2)
    axes.set(ylim=(len(rows) - 0.5, -0.5))
    # A name is shown as it is written: "$" begins no formula.
    axes.set_yticks(range(len(rows)), [n for n, *_ in rows], parse_math=False)
    axes.axvline(0, color=_QUIET, lw=1)
    for k, (*_, told) in enumerate(rows):
        axes.text(1.25, k, told.translate(_LETTERS), ha="right", va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.xaxis.set_major_formatter(lambda v, _: said(v).translate(_LETTERS))
    _plain(axes, "x")
    return figure


def _capacity(found: CapacityResult | None) -> "Figure | None":
    known = [(p.deposit, p.sharpe) for p in found.points if p.sharpe is not None] if found else []
    if found is None or len(known) < 2:
        return None
    half = found.half_sharpe
    told = f"The Sharpe halves at {large(half)} under management" if half else "Capacity"
    note = "Net Sharpe of the same decisions at other deposits, square-root impact paid"
    figure = _titled((10, 5), told, note)
    axes = figure.add_axes((0.07, 0.1, 0.89, 0.72))
    axes.semilogx(*zip(*known, strict=True), "o-", color=_OURS, lw=2.2)
    axes.axhline(0, color=_BASE, lw=1)
    axes.xaxis.set_major_formatter(lambda v, _: large(v).translate(_LETTERS))
    _plain(axes)
    return figure


def _titled(inches: tuple[float, float], title: str, note: str) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415  (see above)

    figure = Figure(inches, facecolor=_PAPER)
    for text, size, weight, colour, down in (
        (title, 15, "bold", _INK, 0.36), (note, 10, "normal", _QUIET, 0.62),
    ):  # fmt: skip
        figure.text(
            0.025, 1 - down / inches[1], text.translate(_LETTERS), color=colour, size=size,
            weight=weight, parse_math=False,
        )  # fmt: skip
    return figure


def _round_ticks(axes: "Axes") -> None:
    """Round values on a logarithmic axis that spans less than a power of ten."""
    from matplotlib.ticker import MaxNLocator, NullLocator  # noqa: PLC0415  (see above)

    low, high = axes.get_ylim()
    if high < 10 * low:
        axes.yaxis.set_major_locator(MaxNLocator(7))
        axes.yaxis.set_minor_locator(NullLocator())


def _percent(value: float) -> str:
    return short(100 * value) + " %"


def _plain(axes: "Axes", grid: Any = "both") -> None:
    axes.set_facecolor(_PAPER)
    axes.grid(axis=grid, color=_GRID, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, colors=_QUIET)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _days(part: lines.Segment) -> list[float]:
    return [day_number(d) for d in part.curve.day]


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (see above)

    buffer = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": "touchstone"})
    return buffer.getvalue()
