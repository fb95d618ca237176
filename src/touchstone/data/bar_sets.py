"""A store's bars of one instrument, in all its timeframes, as one set."""

from touchstone.data.store import BarStore
from touchstone.errors import SourceError
from touchstone.market import Calendar, Timeframe
from touchstone.market.bar_set import BarSet, Provenance


def bar_set(
    store: BarStore, symbol: str, calendar: Calendar, *, feed: str, currency: str
) -> BarSet:
    """Every timeframe that a store has of an instrument.

    Args:
        store: the store.
        symbol: of the instrument.
        calendar: its market's hours.
        feed: what the source calls the prints, as sip or iex.
        currency: what prices are in.

    Raises:
        SourceError: the store has none of it, a file is not what the manifest says, or its
            timeframes are from different sources or of different adjustments.
    """
    rows = [row for row in store.rows() if row.symbol == symbol]
    if not rows:
        known = sorted({row.symbol for row in store.rows()})
        raise SourceError(
            f"{store.root}: no bars of {symbol!r}: the store has {', '.join(known[:8]) or 'none'}"
        )
    for name in ("source", "adjustment"):
        told = {getattr(row, name): row.timeframe for row in rows}
        if len(told) > 1:
            said = ", ".join(f"{value} ({timeframe})" for value, timeframe in sorted(told.items()))
            raise SourceError(
                f"{symbol}: timeframes of more than one {name}: {said}: prices of the two are not "
                "to be compared; fetch them alike"
            )
    provenance = Provenance(
        rows[0].source, feed, rows[0].adjustment, currency, max(row.fetched_at for row in rows)
    )
    bars = {row.timeframe: store.read(symbol, Timeframe(row.timeframe)) for row in rows}
    return BarSet(calendar, provenance, bars)
