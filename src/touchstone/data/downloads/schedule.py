"""Which chunks a wish makes: what is missing of a span, and what is fetched again to compare."""

from typing import Final

from touchstone.data.downloads.plan import Plan, cut, missing
from touchstone.data.store import Origin, Row, refuse_mixture
from touchstone.data.vendors import VendorConfig
from touchstone.market import Timeframe

OVERLAP_NS: Final = 2 * 86_400_000_000_000
"""What is fetched again before the last stored bar, to see whether the vendor says the same."""
PROBE_NS: Final = 30 * 86_400_000_000_000
"""How long before the last stored bar adjusted prices are looked at besides: a vendor that adjusts
for a split or a dividend some days late changes only what lies before it."""
_PROBE_LENGTH_NS: Final = 4 * 86_400_000_000_000  # no market rests longer but for a catastrophe
STALE_NS: Final = 43_200_000_000_000
"""Pages of adjusted bars that wait longer may be of another telling than those still to come."""


def take_up(
    plan: Plan, config: VendorConfig, symbol: str, row: Row | None, span: tuple[int, int]
) -> None:
    """Plan a span of one instrument so that no hole stays between it and what is there.

    Args:
        plan: the store's plan.
        config: how it is fetched; `path` is not used.
        symbol: the instrument.
        row: what the store has of it.
        span: [first bar start, first one after the last), ns UTC.

    Raises:
        SourceError: the stored bars are of another source, feed or adjustment.
    """
    timeframe, marks = config.timeframe, config.marks(symbol)
    if row is not None:
        refuse_mixture(row, Origin(marks.source, marks.adjustment, 0, marks.feed))
    settings, before = config.canonical(), plan.config(timeframe, symbol)
    if row is None and before not in (None, settings):
        plan.replace(timeframe, symbol, ())  # no page of another wish may join this one's
    plan.remember(timeframe, symbol, settings)
    spans = [(c.start, c.end) for c in plan.chunks(timeframe, symbol)]
    edges = [*spans, (row.first, row.last + 1)] if row is not None else spans
    low = min(span[0], *(a for a, _ in edges), span[0])
    high = max([b for _, b in edges], default=span[1])
    inner = missing(low, high, spans)
    if row is not None and inner and marks.adjustment != "raw":
        # earlier bars of another telling must not be joined to those at hand
        plan.replace(timeframe, symbol, cut(symbol, low, max(high, span[1]), config.span_ns))
        return
    chunks = [c for a, b in inner for c in cut(symbol, a, b, config.span_ns)]
    plan.add(timeframe, chunks)
    if span[1] > high:
        if row is None:
            plan.add(timeframe, cut(symbol, high, span[1], config.span_ns))
        elif span[1] > row.last + Timeframe(timeframe).ns:
            ahead(plan, config, row, span[1])


def ahead(plan: Plan, config: VendorConfig, row: Row, end: int) -> None:
    """Plan from two days before the last stored bar up to `end`, less what is under way.

    Of adjusted bars also a few days a month ago, where an adjustment that came late shows.
    """
    chunks = plan.chunks(config.timeframe, row.symbol)
    under_way = [(c.start, c.end) for c in chunks if c.state != "stored"]
    again = max(0, row.last - OVERLAP_NS)
    pieces = missing(again, end, under_way)
    if config.marks(row.symbol).adjustment != "raw":
        # half of what the vendor remembers at most: it is still there
        probe = max(row.first, row.last - min(PROBE_NS, config.history_ns // 2))
        pieces = missing(probe, min(probe + _PROBE_LENGTH_NS, again), under_way) + pieces
    plan.add(
        config.timeframe, [c for a, b in pieces for c in cut(row.symbol, a, b, config.span_ns)]
    )


def drop_stale(plan: Plan, config: VendorConfig, symbol: str, now: int) -> None:
    """Adjusted bars of one history must be of one telling: pages that waited long are given up."""
    oldest = plan.oldest_page(config.timeframe, symbol)
    if config.marks(symbol).adjustment == "raw" or oldest is None or now - oldest < STALE_NS:
        return
    chunks = plan.chunks(config.timeframe, symbol)
    plan.restart(c.id for c in chunks if c.state != "stored")


def restore(plan: Plan, config: VendorConfig, row: Row) -> None:
    """Plan the whole history of an instrument whose file is damaged, unless that is under way."""
    if any(c.state == "stored" for c in plan.chunks(config.timeframe, row.symbol)):
        whole_again(plan, config, row)


def whole_again(plan: Plan, config: VendorConfig, row: Row) -> None:
    """Plan an instrument's whole history anew: the vendor has adjusted it since."""
    chunks = plan.chunks(config.timeframe, row.symbol)
    low = min([row.first, *(c.start for c in chunks)])
    high = max([row.last + 1, *(c.end for c in chunks)])
    plan.replace(config.timeframe, row.symbol, cut(row.symbol, low, high, config.span_ns))
