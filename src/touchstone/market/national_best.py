"""The best bid and ask over several exchanges, from each exchange's own."""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.errors import BarsError
from touchstone.market.trade import Quotes


@dataclass(frozen=True)
class VenueQuotes:
    """Quotes of one instrument by exchange, (n,), as received.

    A side whose price is NaN is one that the exchange does not change with this row; one of size
    0 is withdrawn.

    Raises:
        BarsError: lengths differ, time falls, a venue is none of `venues`, or a price that is
            there is not finite and positive.
    """

    symbol: str
    venues: tuple[str, ...]
    time: Int64
    """ns UTC, never falling."""
    venue: Int64
    """Place in `venues`."""
    bid: Float64
    ask: Float64
    bid_size: Float64
    ask_size: Float64

    def __post_init__(self) -> None:
        if self.venue.shape != self.time.shape:
            raise BarsError(f"{self.symbol}: column venue differs in length from time")
        if self.venue.size and not (0 <= self.venue.min() <= self.venue.max() < len(self.venues)):
            raise BarsError(f"{self.symbol}: a venue is none of {', '.join(self.venues)}")
        Quotes(self.symbol, self.time, self.bid, self.ask, self.bid_size, self.ask_size)


def last_best(quotes: VenueQuotes) -> Quotes:
    """One row for each time: the last bid and the last ask, whichever exchange printed them.

    For feeds that print an exchange's quote only while it sets or joins the best, and nothing when
    another betters it; `national_best` would keep what was bettered long ago and find nearly
    every instant crossed, which is how to tell the two kinds of feed apart.
    """
    return national_best(replace(quotes, venue=np.zeros_like(quotes.venue)))


def national_best(quotes: VenueQuotes, max_age_ns: int | None = None) -> Quotes:
    """One row for each time: highest bid, lowest ask, their sizes summed over exchanges.

    Exchanges may cross each other, and then so does the result, which says it (`crossed`): no mid
    is made of it. An exchange's side that is older than `max_age_ns` does not count: a feed tells
    no end of day, and what was bid before the opening stands until it is replaced.

    Args:
        quotes: of all exchanges.
        max_age_ns: None: a side stands until it is replaced.
    """
    n_venues = len(quotes.venues)
    age = np.iinfo(np.int64).max if max_age_ns is None else max_age_ns
    columns = (quotes.bid, quotes.bid_size, quotes.ask, quotes.ask_size)
    best = _best(quotes.time, quotes.venue, columns, n_venues, age)
    last = np.r_[np.diff(quotes.time) > 0, True][: quotes.time.size]
    bid, bid_size, ask, ask_size = (column[last] for column in best)
    return Quotes(quotes.symbol, quotes.time[last], bid, ask, bid_size, ask_size)


@njit(cache=True)
def _best(
    time: Int64,
    venue: Int64,
    columns: tuple[Float64, Float64, Float64, Float64],
    n_venues: int,
    max_age: int,
) -> tuple[Float64, Float64, Float64, Float64]:
    n = time.size
    # each side's state: signed so that the smaller is the better for both, +bid -> -bid
    price, size = np.full((2, n_venues), np.inf), np.zeros((2, n_venues))
    since = np.zeros((2, n_venues), np.int64)
    best, total = np.full((2, n), np.nan), np.zeros((2, n))
    for row in range(n):
        v = venue[row]
        for s in range(2):
            said, how_much = columns[2 * s][row], columns[2 * s + 1][row]
            if not np.isnan(said):
                price[s, v] = (-said if s == 0 else said) if how_much > 0 else np.inf
                size[s, v], since[s, v] = how_much, time[row]
            lowest, there = np.inf, 0.0
            for u in range(n_venues):
                if price[s, u] == np.inf or time[row] - since[s, u] > max_age:
                    continue
                if price[s, u] < lowest:
                    lowest, there = price[s, u], size[s, u]
                elif price[s, u] == lowest:
                    there += size[s, u]
            if lowest < np.inf:
                best[s, row], total[s, row] = abs(lowest), there
    return best[0], total[0], best[1], total[1]
