"""The order book of one instrument at many times, as columns; what it costs to trade into it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import BarsError

BID: Final = 1
ASK: Final = -1


@dataclass(frozen=True)
class OrderBook:
    """Levels of both sides, the best first, at each of n times; any depth.

    A level that is not there has price NaN and size 0, and none behind it. A book may be locked
    (best bid = best ask) or crossed (above it), which is told, not refused: feeds print such
    books, and a measure of one is NaN.

    Raises:
        BarsError: shapes differ, time falls, a price is not finite and positive, bids do not fall
            or asks do not rise from level to level, a size is not positive, or a level stands
            behind a missing one. Names the first offending time and level.
    """

    symbol: str
    time: Int64
    """When each book was known, ns UTC, never falling, (n,)."""
    bid_price: Float64
    """(n, n_bids), falling along a row."""
    bid_size: Float64
    ask_price: Float64
    """(n, n_asks), rising along a row."""
    ask_size: Float64

    def __post_init__(self) -> None:
        n = self.time.size
        self._refuse("time must not fall", np.r_[False, np.diff(self.time) < 0][:n, None])
        for name, sign in (("bid", 1.0), ("ask", -1.0)):
            price, size = getattr(self, f"{name}_price"), getattr(self, f"{name}_size")
            if price.shape != size.shape or price.ndim != 2 or price.shape[0] != n:
                raise BarsError(
                    f"{self.symbol}: {name}_price {price.shape} and {name}_size {size.shape} need "
                    f"one row for each of {n} times and the same number of levels"
                )
            absent = np.isnan(price)
            self._refuse(
                f"{name} prices must be finite and positive",
                ~absent & ~((price > 0) & (price < np.inf)),
            )
            self._refuse(
                f"{name} sizes must be positive, 0 where there is no level",
                np.where(absent, size != 0, ~((size > 0) & (size < np.inf))),
            )
            self._refuse(
                f"{name}s must not stand behind a missing level", absent[:, :-1] & ~absent[:, 1:]
            )
            self._refuse(
                f"{name}s must {'fall' if sign > 0 else 'rise'} from level to level",
                sign * np.diff(price, axis=1) >= 0,
            )

    def __len__(self) -> int:
        return self.time.size

    @property
    def best_bid(self) -> Float64:
        """Highest bid, NaN where there is none, (n,)."""
        return _first(self.bid_price)

    @property
    def best_ask(self) -> Float64:
        """Lowest ask, NaN where there is none, (n,)."""
        return _first(self.ask_price)

    @property
    def crossed(self) -> Bool:
        """Somebody bids more than somebody asks, (n,)."""
        return np.asarray(self.best_bid > self.best_ask, bool)

    @property
    def locked(self) -> Bool:
        """Best bid and best ask are the same price, (n,)."""
        return np.asarray(self.best_bid == self.best_ask, bool)

    @property
    def sound(self) -> Bool:
        """Both sides are there, neither locked nor crossed, (n,)."""
        return np.asarray(self.best_bid < self.best_ask, bool)

    @property
    def mid(self) -> Float64:
        """Mean of best bid and ask; NaN where the book is not sound, (n,)."""
        return np.where(self.sound, (self.best_bid + self.best_ask) / 2, np.nan)

    @property
    def spread_bp(self) -> Float64:
        """Best ask less best bid, basis points of the mid, (n,)."""
        return (self.best_ask - self.best_bid) / self.mid * 1e4

    @property
    def microprice(self) -> Float64:
        """Best prices weighted by the size of the other side, (n,); NaN where not sound.

        The heavier the bids, the nearer the ask: where the price goes next. Gatheral & Oomen
        (2010), Zero-intelligence realized variance estimation.
        """
        bid, ask = _first(self.bid_size), _first(self.ask_size)
        both = np.where(self.sound, bid + ask, np.nan)
        return (self.best_bid * ask + self.best_ask * bid) / both

    def imbalance(self, depth: int = 1) -> Float64:
        """(bids - asks) / (bids + asks) of the sizes of the best `depth` levels, -1 .. 1, (n,).

        Raises:
            BarsError: a depth below 1.
        """
        if depth < 1:
            raise BarsError(f"depth of an imbalance: needs 1 level at least, got {depth}")
        bid, ask = self.bid_size[:, :depth].sum(1), self.ask_size[:, :depth].sum(1)
        return np.asarray((bid - ask) / np.where(self.sound, bid + ask, np.nan), np.float64)

    def average_price(self, side: int, quantity: float) -> Float64:
        """Mean price of a market order that walks the book, (n,); NaN where it is too shallow.

        Args:
            side: `BID` to buy (from the asks), `ASK` to sell (to the bids).
            quantity: above 0, in units of the sizes.

        Raises:
            BarsError: a quantity that is not above 0, or no such side.
        """
        if not quantity > 0 or side not in (BID, ASK):
            raise BarsError(
                f"a market order: needs a quantity above 0 and side {BID} or {ASK}, got "
                f"{quantity!r} and {side!r}"
            )
        buys = side == BID
        price, size = (self.ask_price, self.ask_size) if buys else (self.bid_price, self.bid_size)
        found = _walk(np.ascontiguousarray(price), np.ascontiguousarray(size), float(quantity))
        return np.where(self.sound, found, np.nan)

    def cost_bp(self, side: int, quantity: float) -> Float64:
        """What a market order pays over the mid, basis points of it, (n,); see `average_price`."""
        return side * (self.average_price(side, quantity) / self.mid - 1) * 1e4

    def as_of(self, time: Int64) -> Int64:
        """Row of the last book known before each time, -1 where there is none, (n_times,)."""
        return np.asarray(np.searchsorted(self.time, time, side="left") - 1, np.int64)

    def _refuse(self, rule: str, broken: Bool) -> None:
        if broken.any():
            row, level = (int(i) for i in np.argwhere(broken)[0])
            when = np.datetime64(int(self.time[row]), "ns")
            raise BarsError(
                f"{self.symbol}: {rule}; book {row} ({when} UTC) does not at level {level} "
                f"({int(broken.any(axis=1).sum())} books in all)"
            )


def _first(levels: Float64) -> Float64:
    return levels[:, 0] if levels.shape[1] else np.full(levels.shape[0], np.nan)


@njit(cache=True, error_model="numpy")
def _walk(price: Float64, size: Float64, quantity: float) -> Float64:
    """Mean price of the first `quantity` units of each row; NaN where there are fewer."""
    out = np.full(price.shape[0], np.nan)
    for t in range(price.shape[0]):
        left, paid = quantity, 0.0
        for level in range(price.shape[1]):
            if left <= 0.0 or size[t, level] <= 0.0:
                break
            taken = min(left, size[t, level])
            paid += taken * price[t, level]
            left -= taken
        if left <= quantity * 1e-12:
            out[t] = paid / quantity
    return out
