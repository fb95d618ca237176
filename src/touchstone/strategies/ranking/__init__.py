"""What rows are compared by, their places among those of one instant, and the better side."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.config import Config
from touchstone.strategies import Intent, Outlook, brackets, tradable
from touchstone.strategies.cost_aware import expected_net
from touchstone.strategies.sizing import SIZINGS

By: TypeAlias = Literal["expected_net", "probability"]
"""`expected_net`: expected return of a trade less its round trip, fraction of the price.
`probability`: p(+); a short's is p(-) of three outcomes, 1 - p(+) of one."""


class Side(NamedTuple):
    """What one side is worth at each row, and what is wished of it; all (n_rows,)."""

    value: Float64
    enter: Bool
    leave: Bool


class Terms(NamedTuple):
    """What a two-sided strategy says of all rows."""

    barriers: bool
    sizing: Config
    max_positions: int
    hold_bars: int
    min_hold_bars: int = 0


def value_of(outlook: Outlook, by: By, kind: str) -> Float64:
    """What a long is worth at each row, nan without a score, (n_rows,).

    Raises:
        ConfigError: `expected_net` of an outlook that cannot be priced.
    """
    value = expected_net(outlook, kind) if by == "expected_net" else outlook.hit
    return np.where(np.isnan(outlook.hit), np.nan, value)


def places(value: Float64, instant: Int64) -> Float64:
    """1 + how many rows of the same instant are worth more, nan where the value is, (n_rows,).

    Equal rows have equal places, so that the order of the instruments says nothing.

    >>> places(np.array([3.0, 5.0, 5.0, np.nan, 1.0]), np.array([0, 0, 0, 0, 1]))
    array([ 3.,  1.,  1., nan,  1.])
    """
    out = np.full(value.shape, np.nan)
    rows = np.flatnonzero(~np.isnan(value))
    if not rows.size:
        return out
    rows = rows[np.lexsort((-value[rows], instant[rows]))]
    at, worth = instant[rows], value[rows]
    number = np.arange(rows.size)
    opens = np.r_[True, at[1:] != at[:-1]]
    first = np.maximum.accumulate(np.where(opens, number, 0))
    ties = np.maximum.accumulate(np.where(opens | np.r_[True, worth[1:] != worth[:-1]], number, 0))
    out[rows] = ties - first + 1
    return out


def sums(value: Float64, instant: Int64) -> Float64:
    """The sum over each row's instant, nan as 0, (n_rows,).

    Summed from the least to the greatest, and only what is something: neither the order of the
    instruments nor one more that has no value changes a bit of it.
    """
    out = np.zeros(value.shape)
    rows = np.flatnonzero(~np.isnan(value) & (value != 0))
    if not rows.size:
        return out
    rows = rows[np.lexsort((value[rows], instant[rows]))]
    at = instant[rows]
    opens = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])
    total = np.add.reduceat(value[rows], opens)
    place = np.minimum(np.searchsorted(at[opens], instant), opens.size - 1)
    return np.where(at[opens][place] == instant, total[place], 0.0)


def wished(outlook: Outlook, terms: Terms, long: Side, short: Side | None) -> Intent:
    """One intent of both sides; a row that would enter both takes the side that is worth more."""
    up, down = brackets(outlook, terms.barriers)
    weight = SIZINGS.part_of(terms.sizing)(terms.sizing, outlook, terms.max_positions)
    enter = long.enter & tradable(up, down, weight)
    if short is None:
        return Intent(
            enter, long.value, long.leave, up, down, weight, terms.hold_bars, terms.max_positions,
            min_hold_bars=terms.min_hold_bars,
        )  # fmt: skip
    seen = outlook.mirrored
    up_, down_ = brackets(seen, terms.barriers)
    weight_ = SIZINGS.part_of(terms.sizing)(terms.sizing, seen, terms.max_positions)
    sells = short.enter & tradable(up_, down_, weight_) & ~(enter & (long.value >= short.value))
    side: Int8 = np.where(sells, -1, 1).astype(np.int8)
    return Intent(
        enter=enter | sells,
        rank=np.where(sells, short.value, long.value),
        leave=long.leave,
        up=np.where(sells, up_, up),
        down=np.where(sells, down_, down),
        weight=np.where(sells, weight_, weight),
        hold_bars=terms.hold_bars,
        max_positions=terms.max_positions,
        side=side,
        cover=short.leave,
        min_hold_bars=terms.min_hold_bars,
    )
