"""A vendor's page, as it claims to be -> checked bars; a page that cannot be true is refused."""

import io
from typing import Final

import numpy as np

from touchstone.data import grid
from touchstone.data.faults import utc
from touchstone.data.vendors import Chunk, NewsPage, Page, VendorConfig
from touchstone.errors import SourceError
from touchstone.market import Bars, Calendar, Timeframe
from touchstone.market.bars import FIELDS

_SPARE_PAGES: Final = 20
_ROWS_A_PAGE: Final = 5  # a page that is followed by another holds more
_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 86_400_000_000_000


def checked(page: Page, chunk: Chunk, config: VendorConfig, last: int | None) -> Bars | None:
    """The bars of a page, None where it has none.

    Args:
        page: what the vendor answered.
        chunk: what it was asked for.
        config: timeframe and calendar of the bars.
        last: start of the last bar of the pages before, ns UTC.

    Raises:
        SourceError: another symbol, bars outside the chunk, not rising, of impossible prices, off
            the clock.
    """
    if page.symbol != chunk.symbol:
        raise SourceError(f"asked for {chunk.symbol}, the vendor answers with {page.symbol!r:.40}")
    time = page.time
    if not time.size:
        return None
    outside = (time < chunk.start) | (time >= chunk.end)
    if outside.any():
        row = int(outside.argmax())
        raise SourceError(
            f"a bar at {utc(time[row])} was not asked for ({utc(chunk.start)} to {utc(chunk.end)})"
        )
    before = np.r_[chunk.start - 1 if last is None else last, time[:-1]]
    if (time <= before).any():
        row = int((time <= before).argmax())
        what = "stands twice" if time[row] == before[row] else f"comes after {utc(before[row])}"
        raise SourceError(f"the bar at {utc(time[row])} {what}")
    bars = Bars(page.symbol, time, *np.ascontiguousarray(page.columns.T))
    timeframe, calendar = Timeframe(config.timeframe), Calendar(config.calendar)
    anchor = "utc" if timeframe.is_daily else grid.anchor_of(time, calendar, timeframe)
    off = grid.phase(time, calendar, timeframe, anchor) != 0
    if off.any():
        raise SourceError(
            f"a bar at {utc(time[int(off.argmax())])} is no {config.timeframe} bar of the calendar "
            f"{config.calendar}: check --timeframe and --calendar"
        )
    return bars


def checked_news(page: NewsPage, chunk: Chunk) -> None:
    """Articles must lie in the chunk.

    Raises:
        SourceError: an article that was neither written nor edited in the time asked for.
    """
    for article in page.articles:
        times = (article.created_at, article.updated_at)
        if not any(chunk.start <= t < chunk.end for t in times):
            raise SourceError(
                f"article {article.id!r:.40}, of {utc(article.updated_at)}, was not asked for "
                f"({utc(chunk.start)} to {utc(chunk.end)})"
            )


def refuse_circle(token: str | None, used: set[str], n_pages: int, n_rows: int) -> None:
    """Paging must come to an end.

    Args:
        token: what the vendor wants to be asked with next.
        used: every token of this chunk before.
        n_pages: pages so far.
        n_rows: rows so far.

    Raises:
        SourceError: a token comes again, or pages keep coming with next to nothing in them.
    """
    if token is not None and token in used:
        raise SourceError(f"page {n_pages} asks for a page that was there already: {token!r:.60}")
    if token is not None and n_pages > n_rows // _ROWS_A_PAGE + _SPARE_PAGES:
        raise SourceError(f"{n_pages} pages with {n_rows} rows in all, and still there are more")


def last_complete(now: int, timeframe: Timeframe, calendar: Calendar, delay: int) -> int:
    """The first bar start, ns UTC, that is not to be asked for yet: its bar may still be forming.

    A bar counts once it was known `delay` ns ago.
    """
    known = now - delay
    if not timeframe.is_daily:
        return (known - timeframe.ns) // _MINUTE_NS * _MINUTE_NS + _MINUTE_NS
    day = known // _DAY_NS * _DAY_NS
    start = day - timeframe.ns + _DAY_NS
    over = int(calendar.available_at(np.array([start]), timeframe.ns)[0]) <= known
    return start + _DAY_NS if over else start


def packed(bars: Bars) -> bytes:
    """Bars as bytes, for the plan."""
    out = io.BytesIO()
    np.savez_compressed(out, time=bars.time, columns=np.stack([getattr(bars, n) for n in FIELDS]))
    return out.getvalue()


def unpacked(symbol: str, content: bytes) -> Bars:
    """The inverse of `packed`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        return Bars(symbol, kept["time"], *kept["columns"])
