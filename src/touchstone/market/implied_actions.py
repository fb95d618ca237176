"""Dividends that two views of the same bars imply, once their splits are known."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import BarsError
from touchstone.market.actions import DIVIDEND, SPLIT, Actions, split_factor

_DAY_NS = 86_400_000_000_000


class Views(NamedTuple):
    """Closes of the same bars, raw and total-return adjusted."""

    day: Int64
    """Trading day of each bar, rising strictly, (n_bars,)."""
    raw: Float64
    adjusted: Float64


def implied_dividends(views: Views, splits: Actions, rounding: float) -> Actions:
    """The splits, and the dividends without which the two views would not agree.

    Where adjusted / raw, splits taken out, steps up by more than `rounding` from one bar to the
    next, the close before is P and the dividend P x (1 - before / after), in the ex-day's shares.
    `known_at` is the ex-day itself: the views tell no earlier time.

    Args:
        views: closes of both.
        splits: known splits; other kinds in it are refused.
        rounding: relative error of a ratio of two such closes, as 1e-6; smaller steps are noise.

    Raises:
        BarsError: columns that differ in length; or the ratio steps down: something else than a
            dividend, such as a split that is missing among `splits`. Names the day and the step.
    """
    day, symbol = views.day, splits.symbol
    if not views.raw.shape == views.adjusted.shape == day.shape:
        raise BarsError(f"{symbol}: the two views need the same bars, got columns of other lengths")
    if (splits.kind != SPLIT).any():
        raise BarsError(f"{symbol}: give the splits alone; dividends are what is to be found")
    rest = views.adjusted / (views.raw * split_factor(splits, day))
    step = rest[:-1] / rest[1:]  # 1 - D / P
    wrong = step > 1 + rounding
    if wrong.any():
        at = int(wrong.argmax()) + 1
        raise BarsError(
            f"{symbol}: adjusted over raw falls by a factor {1 / step[at - 1]:.6g} on "
            f"{np.datetime64(int(day[at]), 'D')}, and no dividend does that: a split of about "
            f"{1 / step[at - 1]:.4g} may be missing among the splits"
        )
    first = np.flatnonzero(step < 1 - rounding) + 1
    shares = split_factor(splits, day)
    before = views.raw[first - 1] * shares[first - 1] / shares[first]
    ex_time = day[first] * _DAY_NS
    found = Actions(
        symbol,
        np.full(first.size, DIVIDEND, np.int8),
        ex_time,
        ex_time,
        before * (1.0 - step[first - 1]),
        ex_time,
    )
    return merged(splits, found)


def merged(one: Actions, other: Actions) -> Actions:
    """Both tables of one instrument as one, by ex-time, splits first."""
    columns = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("kind", "ex_time", "end", "value", "known_at")
    }
    order = np.lexsort((columns["kind"], columns["ex_time"]))
    return Actions(one.symbol, **{name: column[order] for name, column in columns.items()})
