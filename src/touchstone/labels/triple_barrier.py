"""Triple-barrier labels: which comes first, the take-profit, the stop-loss or the horizon?"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from numba import njit
from pydantic import Field, PositiveFloat, PositiveInt

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.config import Config, Range
from touchstone.labels import LABELS, UNKNOWN, Labels, checked_width, forget_unusable
from touchstone.market import Panel
from touchstone.market.barriers import touch

_BLOCK = 128
"""Rows searched together. Scratch of a block stays in the first cache; a power of two that is
larger puts all scratch columns on the same cache sets (measured: 512 is 1.5 times slower)."""


class TripleBarrierConfig(Config):
    """Distances of the barriers and the longest holding time."""

    kind: Literal["triple_barrier"] = "triple_barrier"
    take_profit: Annotated[PositiveFloat, Range(0.01, 0.10)] = 0.05
    """Distance of the upper barrier, fraction of the entry price, or multiple of `width`."""
    stop_loss: Annotated[PositiveFloat, Range(0.005, 0.05)] = 0.02
    """Distance of the lower barrier, fraction of the entry price, or multiple of `width`."""
    horizon: Annotated[PositiveInt, Range(4, 48)] = 8
    """Bars that the position is held at most."""
    entry: Literal["open", "close"] = "open"
    """Filled at the next bar's open, or (the classic definition) at the decision's own close."""
    horizon_exit: Literal["open", "close"] = "open"
    """Left after the horizon at the next open, or (classic) at the horizon bar's own close."""
    width: Annotated[str, Field(min_length=1)] | None = None
    """An expression over the bars: the fraction that take_profit and stop_loss are multiples of."""


@LABELS.register(TripleBarrierConfig)
def triple_barrier(
    panel: Panel, config: TripleBarrierConfig, width: Float64 | None = None
) -> Labels:
    """Label each row by the barrier that a long position touches first.

    A decision at the close of bar t is filled at open[t + 1]; bars t + 1 .. t + horizon of the
    instrument are watched by the rule of `market.barriers.touch`: target when high > upper, stop
    when low <= lower, both in one bar is the stop and `ambiguous`. A barrier exit fills at the
    barrier, or at the open of a bar (never the entry's own) that opened beyond it. A horizon
    exit is filled at open[t + horizon + 1].

    Args:
        panel: bars of many instruments, (n_rows,); bars that are absent are not counted.
        config: barriers, horizon and options.
        width: (n_rows,) fractions of price known at each row's close, where config.width is set.

    Returns:
        Labels with outcome +1 target, -1 stop, 0 horizon, known at the close of `exit`. UNKNOWN
        where the bars end before the exit, where it lies more than 4 x horizon bars of trading
        time after the decision, and where the width is not positive and finite.

    Raises:
        ConfigError: config.width without a column, a column without it, or of another length.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 3.4.
    """
    width = checked_width(panel, config.width, width)
    n = len(panel)
    if width is None:
        up, down = np.full(n, config.take_profit), np.full(n, config.stop_loss)
    else:
        up, down = config.take_profit * width, config.stop_loss * width
    labels = Labels(
        outcome=np.empty(n, np.int8),
        exit=np.empty(n, np.int64),
        realised=np.empty(n),
        up=up,
        down=down,
        ambiguous=np.empty(n, np.bool_),
    )
    columns = Columns(panel.open, panel.high, panel.low, panel.close, panel.offsets)
    terms = Terms(
        horizon=config.horizon,
        wait=int(config.entry == "open"),
        rest=int(config.horizon_exit == "open"),
        scaled=width is not None,
    )
    fill(columns, labels, terms)
    return forget_unusable(panel, labels, width, config.horizon)


class Columns(NamedTuple):
    """Prices of all instruments, (n_rows,), and where each begins, (n_instruments + 1,)."""

    open: Float64
    high: Float64
    low: Float64
    close: Float64
    offsets: Int64


class Terms(NamedTuple):
    """When a position is entered and left, in bars."""

    horizon: int
    wait: int
    """1: entered at the open after the decision; 0: at the decision's own close."""
    rest: int
    """1: a horizon exit is filled at the open after the horizon; 0: at the horizon's close."""
    scaled: bool
    """Whether the barriers differ from row to row; if not, their first values are read again."""


@njit(cache=True, error_model="numpy")
def walk(columns: Columns, labels: Labels, terms: Terms, row: int, end: int) -> None:
    """Write one row's label bar by bar with `touch`; `end` is where its instrument ends.

    The definition in code: `fill` equals it on every row.
    """
    labels.outcome[row], labels.exit[row], labels.realised[row] = 0, UNKNOWN, np.nan
    labels.ambiguous[row] = False
    if row + terms.wait >= end:
        return
    entry = columns.open[row + 1] if terms.wait else columns.close[row]
    upper, lower = entry * (1 + labels.up[row]), entry * (1 - labels.down[row])
    for at in range(row + 1, min(row + terms.horizon + 1, end)):
        entry_bar = terms.wait == 1 and at == row + 1
        open_, high, low = columns.open[at], columns.high[at], columns.low[at]
        outcome, price = touch(open_, high, low, upper, lower, entry_bar)
        if outcome != 0:
            gapped = not entry_bar and (open_ <= lower or open_ > upper)
            labels.outcome[row], labels.exit[row] = outcome, at
            labels.realised[row] = price / entry - 1
            labels.ambiguous[row] = low <= lower and high > upper and not gapped
            return
    last = row + terms.horizon + terms.rest
    if last < end:
        labels.exit[row] = last
        labels.realised[row] = (columns.open if terms.rest else columns.close)[last] / entry - 1


@njit(cache=True, error_model="numpy")
def fill(columns: Columns, labels: Labels, terms: Terms) -> None:
    """Write outcome, exit, realised and ambiguous of every row, whatever the clock says.

    Rows whose whole horizon has bars are taken in blocks without a branch per row: for each
    number of bars ahead, all rows of a block are compared at once. The few rows at the end of
    an instrument are walked.
    """
    last = terms.horizon + terms.rest
    entries = columns.open if terms.wait else columns.close
    finals = columns.open if terms.rest else columns.close
    scratch = _Scratch(
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK, np.int64),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
    )
    for i in range(columns.offsets.size - 1):
        begin, end = columns.offsets[i], columns.offsets[i + 1]
        whole = max(end - last, begin)
        for row in range(begin, whole, _BLOCK):
            n = min(_BLOCK, whole - row)
            entry = entries[row + terms.wait : row + terms.wait + n]
            final = finals[row + last : row + last + n]
            a, b = row + 1, row + n + terms.horizon
            at = row if terms.scaled else 0
            _barriers(scratch, entry, labels.up[at : at + n], labels.down[at : at + n], terms)
            _search(scratch, columns.high[a:b], columns.low[a:b], n, terms.horizon)
            _gather(scratch, columns.open[a:b], columns.high[a:b], columns.low[a:b], n)
            _price(scratch, entry, final, labels.realised[row : row + n], terms)
            _judge(scratch, labels.outcome[row : row + n], labels.ambiguous[row : row + n], terms)
            _point(scratch, labels.exit[row : row + n], row, last)
        for row in range(whole, end):
            walk(columns, labels, terms, row, end)


class _Scratch(NamedTuple):
    """What is found out about a block's rows, each (_BLOCK,); the first n are in use."""

    upper: Float64
    lower: Float64
    first: Int64
    """Bars ahead to the first that meets a barrier; horizon + 1 where none does."""
    open: Float64
    """Open, high and low of that bar; of the horizon's where none does."""
    high: Float64
    low: Float64


@njit(cache=True, error_model="numpy", forceinline=True)
def _barriers(scratch: _Scratch, entry: Float64, up: Float64, down: Float64, terms: Terms) -> None:
    upper, lower, first = scratch.upper, scratch.lower, scratch.first
    for i in range(entry.size):
        upper[i] = entry[i] * (1 + up[i])
        lower[i] = entry[i] * (1 - down[i])
        first[i] = terms.horizon + 1


@njit(cache=True, error_model="numpy", forceinline=True)
def _search(scratch: _Scratch, high: Float64, low: Float64, n: int, horizon: int) -> None:
    """Find `first`, four bars ahead at a time; high[0] is one bar ahead of the block's row 0."""
    upper, lower, first = scratch.upper, scratch.lower, scratch.first
    ahead = 0
    while ahead + 4 <= horizon:
        h1, l1 = high[ahead : ahead + n], low[ahead : ahead + n]
        h2, l2 = high[ahead + 1 : ahead + 1 + n], low[ahead + 1 : ahead + 1 + n]
        h3, l3 = high[ahead + 2 : ahead + 2 + n], low[ahead + 2 : ahead + 2 + n]
        h4, l4 = high[ahead + 3 : ahead + 3 + n], low[ahead + 3 : ahead + 3 + n]
        n_open = 0
        for i in range(n):
            met = horizon + 1
            met = ahead + 4 if (l4[i] <= lower[i]) | (h4[i] > upper[i]) else met
            met = ahead + 3 if (l3[i] <= lower[i]) | (h3[i] > upper[i]) else met
            met = ahead + 2 if (l2[i] <= lower[i]) | (h2[i] > upper[i]) else met
            met = ahead + 1 if (l1[i] <= lower[i]) | (h1[i] > upper[i]) else met
            met = min(met, first[i])
            first[i] = met
            n_open += met > horizon
        ahead += 4
        if n_open == 0:
            return
    while ahead < horizon:
        h1, l1 = high[ahead : ahead + n], low[ahead : ahead + n]
        for i in range(n):
            met = ahead + 1 if (l1[i] <= lower[i]) | (h1[i] > upper[i]) else horizon + 1
            first[i] = min(met, first[i])
        ahead += 1


@njit(cache=True, error_model="numpy", forceinline=True)
def _gather(scratch: _Scratch, open_: Float64, high: Float64, low: Float64, n: int) -> None:
    first, opens, highs, lows = scratch.first, scratch.open, scratch.high, scratch.low
    horizon = open_.size - n + 1
    for i in range(n):
        at = np.uint64(i + min(first[i], horizon) - 1)  # unsigned: no test for negative indices
        opens[i], highs[i], lows[i] = open_[at], high[at], low[at]


@njit(cache=True, error_model="numpy", forceinline=True)
def _price(
    scratch: _Scratch, entry: Float64, final: Float64, realised: Float64, terms: Terms
) -> None:
    first, upper, lower = scratch.first, scratch.upper, scratch.lower
    opens, lows = scratch.open, scratch.low
    for i in range(realised.size):
        gapped = (first[i] > terms.wait) & ((opens[i] <= lower[i]) | (opens[i] > upper[i]))
        price = lower[i] if lows[i] <= lower[i] else upper[i]
        price = opens[i] if gapped else price
        price = final[i] if first[i] > terms.horizon else price
        realised[i] = price / entry[i] - 1


@njit(cache=True, error_model="numpy", forceinline=True)
def _judge(scratch: _Scratch, outcome: Int8, ambiguous: Bool, terms: Terms) -> None:
    first, upper, lower = scratch.first, scratch.upper, scratch.lower
    opens, highs, lows = scratch.open, scratch.high, scratch.low
    for i in range(outcome.size):
        later, none = first[i] > terms.wait, first[i] > terms.horizon
        above = later & (opens[i] > upper[i])
        met_lower = lows[i] <= lower[i]
        gapped = above | (later & (opens[i] <= lower[i]))
        barrier = np.int8(-1) if met_lower & (not above) else np.int8(1)
        outcome[i] = np.int8(0) if none else barrier
        ambiguous[i] = met_lower & (highs[i] > upper[i]) & (not (gapped | none))


@njit(cache=True, error_model="numpy", forceinline=True)
def _point(scratch: _Scratch, exit_: Int64, row: int, last: int) -> None:
    first = scratch.first
    for i in range(exit_.size):
        exit_[i] = row + i + min(first[i], last)
