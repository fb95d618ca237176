"""Why a row's low and high do not enclose its open and close: one cause a row."""

from enum import IntEnum
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int8
from touchstone.data.doubt.robust import grouped_median
from touchstone.data.raw_bars import RawBars
from touchstone.market.bars import FIELDS

_FEWEST: Final = 3  # rows that make a habit out of a mishap
_EXPLAINED: Final = 0.9  # of the broken rows that a cause must explain
_ASIDE: Final = 0.8
_DENSE: Final = 0.3  # of the rows from the first to the last broken one that are broken
_WIDEST: Final = 3.0  # high over low of a bar that is not absurd
_BLOCK: Final = 64
_SMALLEST: Final = 1e-30  # price, as everywhere among the checks


class Cause(IntEnum):
    """What is wrong with a row."""

    NONE = 0
    ROW = 1
    """This row alone."""
    ADJUSTMENT = 2
    """The close is adjusted and the rest is not, or the other way round."""
    SWAP = 3
    """Two columns stand under each other's names."""


class Diagnosis(NamedTuple):
    """Causes of one instrument's rows."""

    cause: Int8
    """`Cause` of each row, (n_rows,)."""
    swapped: tuple[str, str] = ("", "")
    """The two fields, where some rows are swapped."""


def diagnose(bars: RawBars) -> Diagnosis:
    """The cause of every row that is not enclosed; impossible values have none here."""
    columns = {name: getattr(bars, name) for name in FIELDS}
    values = np.array(list(columns.values()))
    prices = (values[:4] >= _SMALLEST) & (values[:4] <= 1 / _SMALLEST)
    broken = prices.all(axis=0) & np.isfinite(values[4]) & ~_enclosed(columns)
    cause = np.where(broken, np.int8(Cause.ROW), np.int8(Cause.NONE))
    n = int(broken.sum())
    if n < _FEWEST:
        return Diagnosis(cause)
    pair = _swap(columns, broken)
    aside = _aside(columns, broken)
    if aside.sum() >= max(_FEWEST, 0.5 * n) and not _chained(columns, aside, pair):
        cause[aside] = Cause.ADJUSTMENT
        return Diagnosis(cause)
    if pair is None:
        return Diagnosis(cause)
    repaired = broken & _enclosed(_exchanged(columns, pair))
    cause[repaired] = Cause.SWAP
    return Diagnosis(cause, pair)


def _enclosed(columns: dict[str, Float64]) -> Bool:
    lower = np.minimum(columns["open"], columns["close"])
    upper = np.maximum(columns["open"], columns["close"])
    return np.asarray((columns["low"] <= lower) & (columns["high"] >= upper), np.bool_)


def _exchanged(columns: dict[str, Float64], pair: tuple[str, str]) -> dict[str, Float64]:
    a, b = pair
    return {**columns, a: columns[b], b: columns[a]}


def _swap(columns: dict[str, Float64], broken: Bool) -> tuple[str, str] | None:
    """The pair whose exchange repairs nearly all broken rows, which lie close together."""
    rows = np.flatnonzero(broken)
    if rows.size < _DENSE * (rows[-1] - rows[0] + 1):
        return None
    some = {name: column[rows] for name, column in columns.items()}
    best: tuple[float, tuple[str, str]] | None = None
    for pair in combinations(FIELDS, 2):
        exchanged = _exchanged(some, pair)
        share = float((_enclosed(exchanged) & _alike(exchanged)).mean())
        if share >= _EXPLAINED and (best is None or _rank(share, pair) > _rank(*best)):
            best = share, pair
    return None if best is None else best[1]


def _alike(columns: dict[str, Float64]) -> Bool:
    """Whether four prices could be of one bar: a volume is seldom of a price's size."""
    prices = [columns[name] for name in FIELDS[:4]]
    low, high = np.min(prices, axis=0), np.max(prices, axis=0)
    return np.asarray((low > 0) & (high < _WIDEST * low), np.bool_)


def _rank(share: float, pair: tuple[str, str]) -> tuple[float, bool]:
    """The better repair first; of two as good, high and low."""
    return round(share, 2), pair == ("high", "low")


def _aside(columns: dict[str, Float64], broken: Bool) -> Bool:
    """Rows whose close lies outside a bar that is one by itself, mostly on one side."""
    above = broken & (columns["close"] > columns["high"]) & (columns["high"] >= columns["low"])
    below = broken & (columns["close"] < columns["low"]) & (columns["high"] >= columns["low"])
    side = above if above.sum() > below.sum() else below
    positive = np.min([columns[name] for name in FIELDS[:4]], axis=0) > 0
    return np.asarray(side & positive, np.bool_)


def _beyond(columns: dict[str, Float64], aside: Bool) -> float:
    """How much of the reach from the close to its bar's far end lies before the bar begins.

    Where close and low were exchanged, the low is a close and lies anywhere in the bar: a half.
    """
    close, low, high = (columns[name][aside] for name in ("close", "low", "high"))
    near, far = np.where(close < low, low, high), np.where(close < low, high, low)
    return float(np.median((near - close) / np.where(far == close, 1.0, far - close)))


def _chained(columns: dict[str, Float64], aside: Bool, pair: tuple[str, str] | None) -> bool:
    """Whether the exchange makes opens follow closes better than any steady factor would."""
    if pair is None:
        return False
    if "volume" not in pair and _beyond(columns, aside) > _ASIDE:
        return False
    rows = np.flatnonzero(aside[:-1])
    if rows.size < _FEWEST:
        return False
    swapped = _exchanged(columns, pair)
    if min(float(x[rows].min()) for x in (swapped["close"], swapped["open"])) <= 0:
        return False
    exchange = np.abs(np.log(swapped["open"][rows + 1] / swapped["close"][rows]))
    offset = np.log(columns["open"][rows + 1] / columns["close"][rows])
    group = np.arange(rows.size) // _BLOCK
    factor = np.abs(offset - grouped_median(offset, group)[group])
    return bool(np.median(exchange) < np.median(factor))
