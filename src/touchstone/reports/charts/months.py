"""Months as tiles, a row a year: gains in our colour, losses in grey, the stronger the larger."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from markupsafe import Markup

from touchstone.reports.analysis import MonthResult
from touchstone.reports.charts import frame
from touchstone.reports.figures import percent, signed

NAMES: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_STRONGEST: Final = 70
"""Share of the colour in the tile of the largest month, percent: words stay readable on it."""


def months(parts: Sequence[tuple[str, Sequence[MonthResult]]]) -> Markup:
    """(segment, its months) -> twelve tiles for each year, six and six where there is no room."""
    largest = max((abs(m.net_return) for _, found in parts for m in found), default=0.0) or 1.0
    years = [
        Markup('<div class="year"><b>{} {}<span>{}</span></b><ol>{}</ol></div>').format(
            year,
            name if len(parts) > 1 else "",
            percent(compounded(part), sign=True),
            frame.join(_tiles(part, largest)),
        )
        for name, found in parts
        for year, rows in groupby(found, key=lambda m: m.year)
        for part in [list(rows)]
    ]
    return Markup('<div class="months">{}</div>').format(frame.join(years))


def compounded(found: Sequence[MonthResult]) -> float:
    """What the months made together."""
    growth = 1.0
    for month in found:
        growth *= 1 + month.net_return
    return growth - 1


def in_tile(net: float) -> str:
    r"""A month's return in a tile, percent.

    >>> in_tile(0.0123), in_tile(-1.094)
    ('+1.2', '−109')
    """
    return signed(100 * net, 3 if abs(net) >= 1 else 2)


def _tiles(found: Sequence[MonthResult], largest: float) -> list[Markup]:
    by_month = {m.month: m for m in found}
    return [_tile(name, by_month.get(i + 1), largest) for i, name in enumerate(NAMES)]


def _tile(name: str, month: MonthResult | None, largest: float) -> Markup:
    if month is None:
        return Markup('<li class="none"><i>{}</i></li>').format(name)
    strength = round(_STRONGEST * abs(month.net_return) / largest)
    side = "lost" if month.net_return < 0 else "won"
    return Markup('<li class="{}" style="--w:{}%"><i>{}</i>{}</li>').format(
        side, strength, name, in_tile(month.net_return)
    )
