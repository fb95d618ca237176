"""Snapshots and incremental updates of an order book, applied in sequence."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.errors import BarsError
from touchstone.market.order_book import ASK, BID, OrderBook


@dataclass(frozen=True)
class BookUpdates:
    """Changed levels as they were received, (n_rows,); rows of one message share a sequence.

    Raises:
        BarsError: lengths differ, time falls inside the feed, a side is neither `BID` nor `ASK`, a
            price is not finite and positive or a size is negative.
    """

    symbol: str
    time: Int64
    """When the message was received, ns UTC."""
    sequence: Int64
    """Number of the message; the next one's is 1 higher."""
    snapshot: Bool
    """Whether its message holds the whole book, not changes of it."""
    side: Int8
    price: Float64
    size: Float64
    """What stands at the price from now on; 0 removes the level."""

    def __post_init__(self) -> None:
        for name in ("sequence", "snapshot", "side", "price", "size"):
            if getattr(self, name).shape != self.time.shape:
                raise BarsError(f"{self.symbol}: column {name} differs in length from time")
        self._refuse("time must not fall", np.r_[False, np.diff(self.time) < 0][: len(self)])
        self._refuse("a side is BID or ASK", ~np.isin(self.side, (BID, ASK)))
        priced = np.isfinite(self.price) & (self.price > 0)
        self._refuse("a price must be finite and positive", ~priced)
        sized = np.isfinite(self.size) & (self.size >= 0)
        self._refuse("a size must be finite and not negative", ~sized)

    def __len__(self) -> int:
        return self.time.size

    def _refuse(self, rule: str, broken: Bool) -> None:
        if broken.any():
            row = int(broken.argmax())
            raise BarsError(
                f"{self.symbol}: {rule}; row {row} (sequence {self.sequence[row]}, price "
                f"{self.price[row]:g}, size {self.size[row]:g}) does not"
            )


class Replayed(NamedTuple):
    """The book after each message, (n_messages,)."""

    book: OrderBook
    """The best `depth` levels; without any level where the book is not known."""
    known: Bool
    """Whether every message since the last snapshot has been seen."""
    gaps: Int64
    """Sequence of each message before which one is missing: the book is not known from there to
    the next snapshot."""
    n_repeated: int
    """Messages that came a second time, or late, and changed nothing."""


def replay(updates: BookUpdates, depth: int) -> Replayed:
    """Apply messages in the order received.

    A message whose sequence is not above the last one's is skipped, so that a feed may be read
    twice. A gap makes the book unknown until the next snapshot; so does a beginning without one.

    Args:
        updates: rows of a message stand together.
        depth: levels a side to keep after each message.

    Raises:
        BarsError: a depth below 1.
    """
    if depth < 1:
        raise BarsError(f"{updates.symbol}: depth: needs 1 level at least, got {depth}")
    new = np.r_[True, np.diff(updates.sequence) != 0][: len(updates)]
    first = np.r_[np.flatnonzero(new), len(updates)].astype(np.int64)
    n = first.size - 1
    shape = (n, depth)
    sides = (np.full(shape, np.nan), np.zeros(shape), np.full(shape, np.nan), np.zeros(shape))
    known, said = np.zeros(n, np.bool_), np.zeros(n, np.int8)
    columns = (updates.sequence, updates.snapshot, updates.side, updates.price, updates.size)
    _apply(columns, first, sides, known, said)
    kept = said != _REPEATED
    at = first[:-1]
    book = OrderBook(updates.symbol, updates.time[at][kept], *(s[kept] for s in sides))
    gaps = updates.sequence[at][said == _GAP]
    return Replayed(book, known[kept], gaps, int((~kept).sum()))


_REPEATED, _GAP = 1, 2


@njit(cache=True)
def _apply(
    columns: tuple[Int64, Bool, Int8, Float64, Float64],
    first: Int64,
    out: tuple[Float64, Float64, Float64, Float64],
    known: Bool,
    said: Int8,
) -> None:
    sequence, snapshot, side, price, size = columns
    room = price.size + 1
    prices, sizes = np.empty((2, room)), np.empty((2, room))
    n_levels = np.zeros(2, np.int64)
    last, in_step = np.int64(0), False
    for m in range(first.size - 1):
        a, b = first[m], first[m + 1]
        if m > 0 and sequence[a] <= last and not snapshot[a]:
            said[m] = _REPEATED
            continue
        if snapshot[a]:
            n_levels[:] = 0
            in_step = True
        elif m > 0 and sequence[a] != last + 1:
            said[m] = _GAP
            in_step = False
        last = sequence[a]
        if in_step:
            for row in range(a, b):
                s = 0 if side[row] > 0 else 1
                sign = -1.0 if s == 0 else 1.0
                n_levels[s] = _set(prices[s], sizes[s], n_levels[s], sign * price[row], size[row])
            for s in range(2):
                n = min(n_levels[s], out[0].shape[1])
                for level in range(n):
                    out[2 * s][m, level] = abs(prices[s, level])
                    out[2 * s + 1][m, level] = sizes[s, level]
        known[m] = in_step


@njit(cache=True)
def _set(prices: Float64, sizes: Float64, n: int, key: float, size: float) -> int:
    """Put a level where it belongs among n sorted ones, or take it away; returns how many now."""
    at = np.searchsorted(prices[:n], key)
    here = at < n and prices[at] == key
    if size > 0.0:
        if not here:
            for i in range(n, at, -1):
                prices[i], sizes[i] = prices[i - 1], sizes[i - 1]
            prices[at] = key
            n += 1
        sizes[at] = size
    elif here:
        for i in range(at, n - 1):
            prices[i], sizes[i] = prices[i + 1], sizes[i + 1]
        n -= 1
    return n
