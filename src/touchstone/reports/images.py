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
from touchstone.reports.charts.heat_map import DARK, MOST_WORDS, HeatMap, opacity
from touchstone.reports.charts.months import NAMES, compounded, in_tile
from touchstone.reports.charts.scales import day_number, spread_out
from touchstone.reports.figures import MINUS, money, percent, plain_number, short, times
from touchstone.reports.findings import net_figure
from touchstone.reports.result import Performance
from touchstone.reports.sections.bearing import capacity_title

if TYPE_CHECKING:  # slow to import, and wanted at the end of a run only
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, PANEL, INK, QUIET, _GRID = "#fcfbf8", "#f3f1eb", "#1b1a18", "#5d5a54", "#e6e3da"
OURS, _BEFORE, BASE, _BAND = "#0072b2", "#6aa9d0", "#8f8b84", "#dedbd2"
_DPI: Final = 160
_MOST_BARS: Final = 20
LETTERS: Final = str.maketrans({"\u202f": " ", "\u00a0": " "})
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
    return {name: png(figure) for name, figure in found.items() if figure is not None}


def _equity(before: Performance | None, sealed: Performance | None) -> "Figure | None":
    curves = [None if part is None else part.curve for part in (before, sealed)]
    parts, judged = lines.segments(*curves), sealed or before
    if judged is None or sum(len(part.curve.day) for part in parts) < 2:
        return None
    net = net_figure(judged)
    title = f"Net of costs {net.size}{' a year' if net.yearly else ''}"
    title += f", interval {net.interval}" if net.known else ""
    log, meets = lines.is_log(parts), "the seal" if len(parts) > 1 else "the start"
    note = f"Equity net of costs, 100 at {meets}{', log scale' if log else ''}; drawdown below"
    figure = titled((10, 6.2), title, note)
    grid = figure.add_gridspec(
        2, height_ratios=(3, 1), hspace=0.08, left=0.085, right=0.83, bottom=0.07, top=0.84
    )
    top = figure.add_subplot(grid[0])
    sunk = figure.add_subplot(grid[1], sharex=top)
    for part in parts:
        _segment(top, sunk, part)
    if log:
        top.set_yscale("log")
    _round_ticks(top)
    top.yaxis.set_major_formatter(lambda v, _: _exactly(v))
    if len(parts) > 1:
        seal = _days(parts[1])[0]
        for axes in (top, sunk):
            axes.axvline(seal, color=INK, lw=1.2)
        top.text(seal, 1.02, " sealed", weight="bold", transform=top.get_xaxis_transform())
    for axes in (top, sunk):
        plain(axes)
        axes.margins(x=0)
    deepest = max((d for part in parts for d in part.curve.drawdown), default=0.0)
    sunk.set_ylim(-1.05 * deepest if deepest else -0.01, 0)
    _dates(sunk)
    top.tick_params(labelbottom=False)
    sunk.yaxis.set_major_formatter(lambda v, _: _percent(v))
    _ends(top, parts[-1])
    return figure


def _segment(top: "Axes", sunk: "Axes", part: lines.Segment) -> None:
    day, curve, ours = _days(part), part.curve, OURS if part.sealed else _BEFORE
    if curve.band_low:
        low, high = (np.array(v) * part.factor for v in (curve.band_low, curve.band_high))
        top.fill_between(day, low, high, color=_BAND, lw=0)
    for name, values in curve.baselines.items():
        if len(values) == len(curve.day):
            style = "--" if name == "equal_weight" else "-"
            top.plot(day, np.array(values) * part.factor, style, color=BASE, lw=1.1)
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
        told = f"{name} {plain_number(value)}".translate(LETTERS)
        colour = OURS if name == "ours" else QUIET
        top.text(1.012, at, told, color=colour, va="center", transform=top.transAxes)


def _months(found: Sequence[MonthResult]) -> "Figure | None":
    if not any(m.net_return for m in found):
        return None
    years = [(year, list(part)) for year, part in groupby(found, key=lambda m: m.year)]
    largest = max(abs(m.net_return) for m in found)
    title = f"It gained in {sum(m.net_return > 0 for m in found)} of {len(found)} months"
    high = 1.05 + 0.55 * len(years)
    figure = titled((10, high), title, "Net return by month, percent, and of the year")
    axes = figure.add_axes((0.115, 0.05, 0.865, 1 - 1.1 / high))
    axes.set(xlim=(0, 12), ylim=(len(years), 0))
    axes.axis("off")
    for row, (year, part) in enumerate(years):
        beside = f"{year}\n{percent(compounded(part), sign=True)}".translate(LETTERS)
        axes.text(-0.12, row + 0.5, beside, ha="right", va="center")
        net = {m.month: m.net_return for m in part}
        for k, name in enumerate(NAMES):
            size = net.get(k + 1)
            strength = 0.0 if size is None else 0.75 * abs(size) / largest
            colour = BASE if (size or 0) < 0 else OURS
            for face, alpha in ((PANEL, 1.0), (colour, strength)):
                axes.fill_between((k + 0.03, k + 0.97), row + 0.04, row + 0.96, color=face,
                                  alpha=alpha, lw=0)  # fmt: skip
            text = name if size is None else f"{name}\n{in_tile(size)}".translate(LETTERS)
            ink = QUIET if size is None else INK
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
    colours = [OURS if r.multiple == 1 else BASE for r in known]
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
    colours = [OURS if a.net >= 0 else BASE for a in shown]
    held = [a for a in parts if a.n]  # dividends and borrowing are the account's
    title = f"{sum(a.net > 0 for a in held)} of {len(held)} earned"
    return _bars((title, note), rows, colours, money)


def _bars(
    titles: tuple[str, str], rows: Sequence[tuple[str, float, str]], colours: Sequence[str],
    said: Any,
) -> "Figure":  # fmt: skip
    """A bar from zero for each (name, value, words)."""
    high = 1.4 + 0.27 * len(rows)
    figure = titled((10, high), *titles)
    axes = figure.add_axes((0.12, 0.45 / high, 0.62, 1 - 1.35 / high))
    axes.barh(range(len(rows)), [v for _, v, _ in rows], color=colours, height=0.7, zorder=2)
    axes.set(ylim=(len(rows) - 0.5, -0.5))
    # A name is shown as it is written: "$" begins no formula.
    axes.set_yticks(range(len(rows)), [n for n, *_ in rows], parse_math=False)
    left = max(0.12, 0.03 + _widest(axes))
    axes.set_position((left, 0.45 / high, 0.74 - left, 1 - 1.35 / high))
    axes.axvline(0, color=QUIET, lw=1)
    for k, (*_, told) in enumerate(rows):
        axes.text((0.975 - left) / (0.74 - left), k, told.translate(LETTERS), ha="right",
                  va="center", transform=axes.get_yaxis_transform())  # fmt: skip
    axes.xaxis.set_major_formatter(lambda v, _: said(v).translate(LETTERS))
    plain(axes, "x")
    return figure


def _widest(axes: "Axes") -> float:
    """Width of the widest name beside the axis, share of the figure's."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (see above)

    figure = axes.get_figure(root=True)
    assert figure is not None
    drawn = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # it has none
    widths = [label.get_window_extent(drawn).width for label in axes.get_yticklabels()]
    return float(max(widths) / figure.bbox.width)


def _capacity(found: CapacityResult | None) -> "Figure | None":
    known = [(p.deposit, p.sharpe) for p in found.points if p.sharpe is not None] if found else []
    if found is None or len(known) < 2:
        return None
    note = "Net Sharpe of the same decisions at other deposits, square-root impact paid"
    figure = titled((10, 5), capacity_title(found), note)
    axes = figure.add_axes((0.07, 0.1, 0.89, 0.72))
    axes.semilogx(*zip(*known, strict=True), "o-", color=OURS, lw=2.2)
    axes.axhline(0, color=BASE, lw=1)
    axes.xaxis.set_major_formatter(lambda v, _: large(v).translate(LETTERS))
    plain(axes)
    return figure


def heat_map_image(chart: HeatMap, title: str, note: str) -> bytes:
    """The map of a sweep; cells as on its page."""
    n_rows, n_columns = len(chart.y), len(chart.x)
    cell = min(max(0.36 * n_rows, 1.2), 6.5) / n_rows
    high = cell * n_rows + 1.75
    figure = titled((10, high), title, note)
    axes = figure.add_axes((0.11, 0.7 / high, 0.86, cell * n_rows / high))
    axes.set(xlim=(0, n_columns), ylim=(0, n_rows), xlabel=chart.x_title)
    for i, row in enumerate(chart.values):
        for j, value in enumerate(row):
            strength = opacity(chart.largest, value)
            ours = (value or 0) > 0
            axes.fill_between((j + 0.02, j + 0.98), i + 0.02, i + 0.98, lw=0,
                              color=OURS if ours else BASE, alpha=strength)  # fmt: skip
            if n_columns <= MOST_WORDS and cell >= 0.18:
                ink = PAPER if ours and strength > DARK else INK
                told = plain_number(value, 2).translate(LETTERS)
                axes.text(j + 0.5, i + 0.5, told, ha="center", va="center", color=ink, size=9)
    plain(axes)
    axes.grid(visible=False)
    across, up = (-(-n // most) for n, most in ((n_columns, 14), (n_rows, 20)))
    axes.set_xticks([k + 0.5 for k in range(0, n_columns, across)], chart.x[::across])
    axes.set_yticks([k + 0.5 for k in range(0, n_rows, up)], chart.y[::up])
    axes.xaxis.label.set_color(QUIET)
    axes.text(0, 1.04 if n_rows > 3 else 1.1, chart.y_title, color=QUIET, ha="right",
              transform=axes.transAxes)  # fmt: skip
    if chart.best is not None:
        i, j = chart.best
        axes.plot([j, j + 1, j + 1, j, j], [i, i, i + 1, i + 1, i], color=INK, lw=2,
                  clip_on=False, zorder=3)  # fmt: skip
    return png(figure)


def titled(inches: tuple[float, float], title: str, note: str) -> "Figure":
    """A figure with its two lines; one that is too long for it is set smaller."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (see above)
    from matplotlib.figure import Figure  # noqa: PLC0415  (see above)

    figure = Figure(inches, facecolor=PAPER)
    drawn = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # it has none
    for text, size, weight, colour, down in (
        (title, 15, "bold", INK, 0.36), (note, 10, "normal", QUIET, 0.62),
    ):  # fmt: skip
        line = figure.text(
            0.025, 1 - down / inches[1], text.translate(LETTERS), color=colour, size=size,
            weight=weight, parse_math=False,
        )  # fmt: skip
        room = 0.95 * figure.bbox.width / max(line.get_window_extent(drawn).width, 1.0)
        line.set_fontsize(size * min(1.0, room))
    return figure


def _round_ticks(axes: "Axes") -> None:
    """Few and round values, on a logarithmic axis too."""
    from matplotlib.ticker import (  # noqa: PLC0415  (see above)
        LogLocator,
        MaxNLocator,
        NullLocator,
    )

    low, high = axes.get_ylim()
    wide = axes.get_yscale() == "log" and high >= 5 * low
    subs = (1.0, 2.0, 5.0) if high < 2000 * low else (1.0,)
    axes.yaxis.set_major_locator(
        LogLocator(subs=subs) if wide else MaxNLocator(7, steps=[1, 2, 5, 10])
    )
    axes.yaxis.set_minor_locator(NullLocator())


def _exactly(value: float) -> str:
    """A tick of an axis, every digit that tells it from the next."""
    return f"{value:,.10g}".replace(",", " ").replace("-", MINUS)


def _dates(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, num2date  # noqa: PLC0415  (see above)

    first, last = axes.get_xlim()
    words = 3 if last - first < 150 else 2 if last - first < 1500 else 1

    def told(value: float, _: object) -> str:
        at = num2date(value)  # type: ignore[no-untyped-call]  # it has none
        return " ".join((str(at.day), NAMES[at.month - 1], str(at.year))[-words:])

    axes.xaxis_date()
    where = AutoDateLocator(minticks=2, maxticks=7)  # type: ignore[no-untyped-call]  # it has none
    axes.xaxis.set_major_locator(where)
    axes.xaxis.set_major_formatter(told)


def _percent(value: float) -> str:
    return short(100 * value) + " %"


def plain(axes: "Axes", grid: Any = "both") -> None:
    """Axes in the house's look: quiet ticks, a light grid, no frame."""
    axes.set_facecolor(PAPER)
    axes.grid(axis=grid, color=_GRID, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, colors=QUIET)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _days(part: lines.Segment) -> list[float]:
    return [day_number(d) for d in part.curve.day]


def png(figure: "Figure") -> bytes:
    """The figure as the bytes of a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (see above)

    buffer = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": "touchstone"})
    return buffer.getvalue()
