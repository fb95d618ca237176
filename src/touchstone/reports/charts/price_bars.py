"""The bars around one trade: a line from low to high, a box from open to close."""

from typing import Protocol

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.charts.frame import Area, Axes
from touchstone.reports.charts.scales import Scale, Tick, spread_out, ticks
from touchstone.reports.figures import MINUS
from touchstone.reports.result import FalsePositive

_HEIGHT = 180


class Prices(Protocol):
    """Anything with bars."""

    @property
    def open(self) -> tuple[float, ...]:
        """(n_bars,)."""

    @property
    def high(self) -> tuple[float, ...]:
        """(n_bars,)."""

    @property
    def low(self) -> tuple[float, ...]:
        """(n_bars,)."""

    @property
    def close(self) -> tuple[float, ...]:
        """(n_bars,)."""


def price_bars(trade: FalsePositive) -> Markup:
    """Hollow boxes closed up, filled ones down; the trade's span, its target and its stop."""
    n = len(trade.close)
    entry = trade.open[trade.entry_bar] if trade.entry_bar is not None else None
    levels = [v for v in (trade.upper, trade.lower, entry) if v is not None]
    low, high = min([*trade.low, *levels]), max([*trade.high, *levels])
    y = Scale(low - 0.05 * (high - low), high + 0.05 * (high - low))
    shapes = _span(trade, n)
    for i in range(n):
        shapes += bar(trade, i, n, y)
    ends = []
    for value, name in ((trade.upper, "target"), (trade.lower, "stop"), (entry, "entry")):
        if value is not None:
            shapes.append(frame.rule_y(y.place(value), "level" if name != "entry" else "zero"))
            ends.append((y.place(value), name))
    at = spread_out([e[0] for e in ends], 15 / _HEIGHT)
    words = [frame.word(1, a, name, "end") for a, (_, name) in zip(at, ends, strict=True)]
    x = tuple(
        Tick((i + 0.5) / n, _bars_from(i - trade.entry_bar))
        for i in range(n)
        if trade.entry_bar is not None and (i - trade.entry_bar) % 4 == 0
    )
    axes = Axes(x, ticks(y, 3), f"bars of {trade.timeframe} from the entry", "price")
    return frame.plot(Area(_HEIGHT, shapes, words, axes), "small")


def _bars_from(i: int) -> str:
    return f"+{i}" if i > 0 else str(i).replace("-", MINUS)


def _span(trade: FalsePositive, n: int) -> list[Markup]:
    if trade.entry_bar is None or trade.exit_bar is None:
        return []
    return [frame.box((trade.entry_bar / n, (trade.exit_bar + 1) / n), (0, 1), "held")]


def bar(bars: Prices, i: int, n: int, y: Scale) -> list[Markup]:
    """The i-th of n bars that share the width."""
    middle, half = (i + 0.5) / n, 0.32 / n
    opened, closed = y.place(bars.open[i]), y.place(bars.close[i])
    kind = "body up" if closed >= opened else "body down"
    return [
        frame.segment((middle, y.place(bars.low[i])), (middle, y.place(bars.high[i])), "wick"),
        frame.box((middle - half, middle + half), (opened, closed), kind),
    ]
