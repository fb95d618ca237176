"""Trades and quotes of one instrument as printed, and how well a trade was executed.

A trade here is a print of the tape. Its quote is the last one known strictly before it: at the
same instant nobody can say which came first.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.errors import BarsError


@dataclass(frozen=True)
class Quotes:
    """Best bid and ask, (n,); NaN and size 0 where a side is not known. May be crossed.

    Raises:
        BarsError: lengths differ, time falls, or a price that is there is not finite and positive.
    """

    symbol: str
    time: Int64
    """ns UTC, never falling."""
    bid: Float64
    ask: Float64
    bid_size: Float64
    ask_size: Float64

    def __post_init__(self) -> None:
        for name in ("bid", "ask", "bid_size", "ask_size"):
            if getattr(self, name).shape != self.time.shape:
                raise BarsError(f"{self.symbol}: column {name} differs in length from time")
        _refuse(self.symbol, "time must not fall", self.time, np.diff(self.time) < 0, 1)
        for name in ("bid", "ask"):
            price = getattr(self, name)
            broken = ~np.isnan(price) & ~((price > 0) & (price < np.inf))
            _refuse(self.symbol, f"a {name} must be finite and positive", self.time, broken)

    def __len__(self) -> int:
        return self.time.size

    @property
    def crossed(self) -> Bool:
        """The bid lies above the ask, (n,)."""
        return np.asarray(self.bid > self.ask, bool)

    @property
    def locked(self) -> Bool:
        """Bid and ask are the same, (n,)."""
        return np.asarray(self.bid == self.ask, bool)

    @property
    def mid(self) -> Float64:
        """Mean of bid and ask; NaN where one is missing or they are crossed, (n,)."""
        return np.where(self.crossed, np.nan, (self.bid + self.ask) / 2)

    @property
    def spread_bp(self) -> Float64:
        """Ask less bid, basis points of the mid, (n,); NaN where there is no mid."""
        return (self.ask - self.bid) / self.mid * 1e4

    def mid_before(self, time: Int64, max_age_ns: int | None = None) -> Float64:
        """The mid of the last quote strictly before each time, (n_times,).

        NaN where there is none, or where it is older than `max_age_ns`.
        """
        at = np.searchsorted(self.time, time, side="left") - 1
        none = at < 0
        if not len(self):
            return np.full(np.shape(time), np.nan)
        at = np.maximum(at, 0)
        if max_age_ns is not None:
            none |= time - self.time[at] > max_age_ns
        return np.where(none, np.nan, self.mid[at])


@dataclass(frozen=True)
class Trades:
    """Prints of the tape, (n,).

    Raises:
        BarsError: lengths differ, time falls, a price is not finite and positive, or a size is
            negative.
    """

    symbol: str
    time: Int64
    """ns UTC, never falling."""
    price: Float64
    size: Float64

    def __post_init__(self) -> None:
        for name in ("price", "size"):
            if getattr(self, name).shape != self.time.shape:
                raise BarsError(f"{self.symbol}: column {name} differs in length from time")
        _refuse(self.symbol, "time must not fall", self.time, np.diff(self.time) < 0, 1)
        priced = (self.price > 0) & (self.price < np.inf)
        _refuse(self.symbol, "a price must be finite and positive", self.time, ~priced)
        sized = (self.size >= 0) & (self.size < np.inf)
        _refuse(self.symbol, "a size must be finite and not negative", self.time, ~sized)

    def __len__(self) -> int:
        return self.time.size


class Execution(NamedTuple):
    """How each trade was executed, basis points of the mid before it, (n_trades,).

    NaN where there is no mid before, or none at the horizon, or no sign. effective_bp =
    realised_bp + impact_bp: what the taker paid is what the maker kept and what the price moved.
    """

    sign: Int8
    """+1 the buyer took, -1 the seller did, 0 not known."""
    effective_bp: Float64
    """2 x sign x (price - mid): the spread that was paid, a round trip."""
    realised_bp: Float64
    """2 x sign x (price - mid at the horizon): what the maker kept of it."""
    impact_bp: Float64
    """2 x sign x (mid at the horizon - mid): how far the price went the taker's way."""


def tick_rule(price: Float64) -> Int8:
    """+1 after the last different price was lower, -1 after it was higher, 0 before any, (n,)."""
    return np.asarray(_ticks(np.ascontiguousarray(price, np.float64)), np.int8)


def trade_sign(trades: Trades, quotes: Quotes) -> Int8:
    """Who took: +1 the buyer, -1 the seller, 0 not known, (n_trades,).

    Above the mid of the quote before a buyer did, below it a seller; at the mid, or without one,
    the tick rule. Lee & Ready (1991), Inferring trade direction from intraday data; without their
    lag of 5 seconds, which made up for clocks of their time.
    """
    mid = quotes.mid_before(trades.time)
    by_quote = np.sign(trades.price - mid)
    unclear = np.isnan(mid) | (by_quote == 0)
    return np.where(unclear, tick_rule(trades.price), np.nan_to_num(by_quote)).astype(np.int8)


def execution(
    trades: Trades,
    quotes: Quotes,
    horizon_ns: int,
    sign: Int8 | None = None,
    bounds: tuple[Int64, Int64] | None = None,
) -> Execution:
    """Spreads paid, kept and moved.

    Args:
        trades: prints.
        quotes: of the same instrument; reach the horizon past the last trade, or its values
            there are those of the last quote.
        horizon_ns: after which the maker is thought to have unwound, as 5 minutes.
        sign: who took, (n_trades,); None: by `trade_sign`.
        bounds: the close before each trade's session and its own, ns UTC, (n_trades,) each: what
            was quoted before the one is not known, and no horizon reaches past the other; None:
            the market never closes.

    Raises:
        BarsError: a horizon that is not above 0.

    Source: Huang & Stoll (1996), Dealer versus auction markets; SEC rule 605.
    """
    if horizon_ns <= 0:
        raise BarsError(f"{trades.symbol}: horizon: needs more than 0 ns, got {horizon_ns}")
    signs = trade_sign(trades, quotes) if sign is None else sign
    taken = np.where(signs == 0, np.nan, signs)
    mid, ends = quotes.mid_before(trades.time), trades.time + horizon_ns
    if bounds is not None and len(quotes):
        before, closes = bounds
        at = np.maximum(np.searchsorted(quotes.time, trades.time, side="left") - 1, 0)
        mid = np.where(quotes.time[at] < before, np.nan, mid)
        ends = np.minimum(ends, closes)
    ended = ends > (quotes.time[-1] if len(quotes) else 0)
    later = np.where(ended, np.nan, quotes.mid_before(ends))
    unit = 2e4 * taken / mid
    return Execution(
        signs, unit * (trades.price - mid), unit * (trades.price - later), unit * (later - mid)
    )


class Averages(NamedTuple):
    """Means of an execution, weighted by size, over the trades for which all three are known."""

    n_trades: int
    effective_bp: float
    realised_bp: float
    impact_bp: float


def averages(done: Execution, size: Float64) -> Averages:
    """Size-weighted means of an execution; NaN without a trade of which all is known.

    Args:
        done: of the trades.
        size: of each trade, (n_trades,).
    """
    known = ~np.isnan(done.realised_bp) & (size > 0)
    if not known.any():
        return Averages(0, np.nan, np.nan, np.nan)
    means = (float(np.average(c[known], weights=size[known])) for c in done[1:])
    return Averages(int(known.sum()), *means)


class Shortfall(NamedTuple):
    """What an order cost against deciding and having, in quote currency; a cost is above 0.

    delay + trading + opportunity + commission = total, the paper portfolio's gain less the real
    one's. Perold (1988), The implementation shortfall: paper versus reality.
    """

    delay: float
    """From the decision to the arrival of the order, on what was filled."""
    trading: float
    """From the arrival to the fills: spread and impact."""
    opportunity: float
    """From the decision to the end, on what was not filled."""
    commission: float
    total: float
    total_bp: float
    """Of the order's worth at the decision."""


class ParentOrder(NamedTuple):
    """An order as it was decided, and the prices it is judged by."""

    side: int
    """+1 buy, -1 sell."""
    quantity: float
    decision: float
    """Mid when it was decided."""
    arrival: float
    """Mid when it reached the market."""
    end: float
    """Mid when it was given up or done."""


def shortfall(
    order: ParentOrder, price: Float64, quantity: Float64, commission: float
) -> Shortfall:
    """The implementation shortfall of an order.

    Args:
        order: as decided.
        price: of each fill, (n_fills,).
        quantity: of each fill, above 0, (n_fills,).
        commission: of all fills together.

    Raises:
        BarsError: not as many prices as quantities, any of them not positive, more filled than
            ordered, or no such side.
    """
    if price.shape != quantity.shape or not np.isfinite(commission):
        raise BarsError(
            f"fills need a price and a quantity each, and a commission: got {price.size} prices, "
            f"{quantity.size} quantities, commission {commission!r}"
        )
    filled = float(quantity.sum())
    prices = np.r_[order.decision, order.arrival, order.end, price]
    if order.side not in (1, -1) or not (prices > 0).all() or not (quantity > 0).all():
        raise BarsError(
            f"an order needs side 1 or -1, prices and quantities above 0; got side {order.side}, "
            f"lowest price {prices.min():g}, quantities {quantity.tolist()[:5]}"
        )
    if not order.quantity > 0 or filled > order.quantity * (1 + 1e-12):
        raise BarsError(f"an order for {order.quantity:g} cannot have {filled:g} filled")
    delay = order.side * filled * (order.arrival - order.decision)
    trading = order.side * float((quantity * (price - order.arrival)).sum())
    missed = order.side * (order.quantity - filled) * (order.end - order.decision)
    total = delay + trading + missed + commission
    worth = order.quantity * order.decision
    return Shortfall(delay, trading, missed, commission, total, total / worth * 1e4)


@njit(cache=True)
def _ticks(price: Float64) -> Int8:
    out = np.zeros(price.size, np.int8)
    for i in range(1, price.size):
        if price[i] > price[i - 1]:
            out[i] = 1
        elif price[i] < price[i - 1]:
            out[i] = -1
        else:
            out[i] = out[i - 1]
    return out


def _refuse(symbol: str, rule: str, time: Int64, broken: Bool, offset: int = 0) -> None:
    if broken.any():
        row = int(broken.argmax()) + offset
        when = np.datetime64(int(time[row]), "ns")
        raise BarsError(
            f"{symbol}: {rule}; row {row} ({when} UTC) does not ({int(broken.sum())} in all)"
        )
