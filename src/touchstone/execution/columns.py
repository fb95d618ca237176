"""What the kernel reads: bars, events by time, and what is wished; it changes none.

Where a column says (n_rows,) or (1,) or (0,), one value stands for all rows, and none for "there
is no such thing": numba then needs no second kernel.
"""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.execution.records import Records


class Finer(NamedTuple):
    """Bars of a shorter timeframe inside each bar, for bars that span stop and target."""

    first: Int64
    """Where each row's finer bars begin, (n_rows + 1,); (0,) without finer bars."""
    open: Float64
    """(n_finer,), as the two below."""
    high: Float64
    low: Float64


class Market(NamedTuple):
    """Bars and what belongs to them."""

    bars: Float64
    """Open, high, low, close and volume in units, (n_rows, 5): one bar beside the other, since a
    fill wants all of one, and waiting for memory is most of its price."""
    half_spread: Float64
    """Measured half of the bid-ask spread, fraction of the price, (n_rows,); (0,): the terms'."""
    sigma: Float64
    """Standard deviation of a bar's return, known before the bar, (n_rows,) or (0,): no impact."""
    halted: Bool
    """Bars in which nothing can be filled, (n_rows,); (0,): none."""
    group: Int64
    """Group of each instrument, (n_instruments,); (0,): each is its own."""
    finer: Finer


class Events(NamedTuple):
    """Corporate actions, in the order they happen."""

    first: Int64
    """Where the events of each time begin, (n_times + 1,); (0,) without any."""
    instrument: Int64
    """(n_events,), as the two below."""
    kind: Int8
    """Place in `market.actions.KINDS`."""
    value: Float64
    """A split's new shares for one old, a dividend's money a share, a delisting's recovery."""


class Wishes(NamedTuple):
    """What is wished at each row's close.

    The rows that would enter stand in the order in which they are served, so that the kernel
    reads them as it goes.
    """

    first: Int64
    """Where the rows of each time begin that would enter, (n_times + 1,)."""
    row: Int64
    """Those rows, each time's by rank, the highest first, then by instrument, (n_wishes,)."""
    instrument: Int64
    """(n_wishes,)."""
    rank: Float64
    """(n_wishes,). Heard at or above the account's entry level; higher is served first."""
    side: Int8
    """+1 long, -1 short, (n_wishes,) or (1,)."""
    up: Float64
    """Width of the target, fraction of the entry bar's raw open, inf or nan for none, (n_wishes,)
    or (1,)."""
    down: Float64
    """Width of the stop, likewise."""
    weight: Float64
    """Value to hold, fraction of equity at the decision's close, (n_wishes,) or (1,)."""
    hold: Int64
    """bars_held at which to leave, (n_wishes,) or (1,)."""
    stay: Float64
    """A position leaves where it is at or below the account's exit level, (n_rows,); (0,): never.
    """
    cover: Float64 = np.zeros(0)
    """The same for shorts, (n_rows,); (0,): `stay` speaks for both."""
    min_hold: Int64 = np.zeros(1, np.int64)
    """bars_held below which neither is read, (1,)."""


class Weights(NamedTuple):
    """Weights of equity that are wished, by the close at which they were told.

    Only what is named is traded; the rest keeps what it has.
    """

    first: Int64
    """Where the weights of each time begin, (n_times + 1,); a time without any decides nothing."""
    instrument: Int64
    """(n_weights,), each time's named once."""
    weight: Float64
    """Fraction of equity at the decision's close, below 0 short, (n_weights,)."""
    buffer: float
    """A position whose weight is off by less than this, fraction of equity, is left; a weight of 0
    is always traded."""


class Given(NamedTuple):
    """Orders from outside, by the close at which they were given."""

    first: Int64
    """Where the orders of each time begin, (n_times + 1,)."""
    order: Records
    """`RESTING`; a market order has kind 0, and quantity 0 cancels the number, (n_given,)."""


class World(NamedTuple):
    """All of it that is no wish."""

    market: Market
    events: Events


Now = tuple[Int64, int, int, int]
"""The row of each instrument, -1 for none, (n_instruments,); the place in `first` of events and
wishes; the bar's start, ns UTC; the calendar's day."""
