"""What every page and the terminal tell alike: the net figure of a segment, who was stranded."""

import math
from typing import NamedTuple

from touchstone.reports.figures import NONE, interval, percent, plural
from touchstone.reports.result import Performance

_MOST_OF_A_YEAR = 0.9
_NAMED = 5


class NetFigure(NamedTuple):
    """Net return over a span that was lived through: a year, or the segment if it is shorter."""

    value: float | None
    """Fraction."""
    ends: tuple[float, float] | None
    """95 %, fractions over the same span."""
    yearly: bool
    """Whether the span is a year."""

    @property
    def size(self) -> str:
        """With its sign and unit."""
        return percent(self.value, sign=True)

    @property
    def interval(self) -> str:
        """Both ends in percent; `–` without one."""
        return interval(self.ends, 100, unit="%")

    @property
    def known(self) -> bool:
        """Whether there is an interval to print."""
        return self.interval != NONE


def net_figure(part: Performance) -> NetFigure:
    """A year's figure where the segment is about a year or longer, else the segment's own.

    Ten weeks compounded to a year are a number nobody lived through. The interval is that of
    growth, so its ends scale to the segment as (1 + end) ** (segment / year) - 1.
    """
    net, annual, ends = part.net_return, part.annual_return, part.annual_return_interval
    if net is None:
        return NetFigure(annual, ends, yearly=True)
    if annual is None or min(net, annual) <= -1 or annual == 0 or net == 0:
        return NetFigure(net, None, yearly=False)
    years = math.log1p(net) / math.log1p(annual)
    if years >= _MOST_OF_A_YEAR:
        return NetFigure(annual, ends, yearly=True)
    if ends is None or ends[0] <= -1:
        return NetFigure(net, None, yearly=False)
    low, high = (math.expm1(years * math.log1p(end)) for end in ends)
    return NetFigure(net, (low, high), yearly=False)


def stranded_text(part: Performance | None) -> str | None:
    """What to know of positions whose bars ended long before the segment; None without any."""
    if part is None or not part.stranded:
        return None
    named = ", ".join(part.stranded[:_NAMED])
    rest = len(part.stranded) - _NAMED
    named += f" and {rest} more" if rest > 0 else ""
    return (
        f"{plural(len(part.stranded), 'position')} ({named}) held at the end though the bars ended "
        "more than a week before: valued at the last close, and all figures with it. Say what "
        "became of them (bars.actions, a delisting), or leave such instruments out."
    )
