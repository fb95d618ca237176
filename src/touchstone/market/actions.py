"""Corporate actions, and the three views of one instrument's bars: raw, split-adjusted, total.

Conventions. A dated action holds from its ex-day on: the first trading day without it. Splits of
a day come before its dividends, whose amounts are per share as it is on the ex-day, all of a day
summed. Views are anchored at the last bar, whose price is the same in all three, so an action
whose ex-day lies behind the last bar, which nobody can have seen in these bars, changes nothing.
"""

from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.errors import BarsError
from touchstone.market.bars import Bars
from touchstone.market.happened import NEVER, Happened
from touchstone.market.panel import Panel

KINDS: Final = ("split", "dividend", "halt", "delisting")
SPLIT, DIVIDEND, HALT, DELISTING = range(4)
_DAY_NS: Final = 86_400_000_000_000

View: TypeAlias = Literal["none", "splits", "total"]
"""none: prices as they were traded; splits: in shares of the last bar; total: as if dividends had
been reinvested at the ex-day's opening price."""


@dataclass(frozen=True)
class Actions:
    """Splits, dividends, halts and delistings of one instrument, by ex-time, all (n_actions,).

    Raises:
        BarsError: lengths differ, ex-times fall, a split's ratio or a dividend's amount is not
            finite and positive, or a halt ends before it begins. Names symbol, row and values.
    """

    symbol: str
    kind: Int8
    """Place in `KINDS`."""
    ex_time: Int64
    """When it holds: 00:00 UTC of the ex-day; a halt's first instant; ns UTC."""
    end: Int64
    """A halt's end, which is not halted any more, ns UTC; elsewhere `ex_time`."""
    value: Float64
    """New shares for one old (7 for 7:1, 0.05 for 1:20); cash a share, quote currency; a
    delisting's recovery as a share of the last price, 1 if nothing else is known; a halt's 0."""
    known_at: Int64
    """When it was told, ns UTC."""

    def __post_init__(self) -> None:
        n = self.kind.shape
        for name in ("ex_time", "end", "value", "known_at"):
            if getattr(self, name).shape != n:
                raise BarsError(f"{self.symbol}: column {name} differs in length from kind {n}")
        priced = np.isin(self.kind, (SPLIT, DIVIDEND))
        sound = np.isfinite(self.value) & (self.value > 0)
        self._refuse("a split needs a ratio and a dividend an amount above 0", priced & ~sound)
        recovery = (self.value >= 0) & (self.value <= 1)
        gone = self.kind == DELISTING
        self._refuse("a delisting's recovery lies in 0 .. 1", gone & ~recovery)
        self._refuse("a halt ends after it begins", (self.kind == HALT) & (self.end < self.ex_time))
        self._refuse("ex-times must not fall", np.r_[False, np.diff(self.ex_time) < 0][: len(self)])
        self._refuse("nothing is traded after a delisting", np.r_[False, gone[:-1]][: len(self)])

    def __len__(self) -> int:
        return self.kind.size

    @property
    def ex_day(self) -> Int64:
        """Days since 1970 of the ex-time, (n_actions,)."""
        return self.ex_time // _DAY_NS

    def where(self, keep: Bool) -> "Actions":
        """Those for which `keep` (n_actions,) holds."""
        columns = {f.name: getattr(self, f.name)[keep] for f in fields(self)[1:]}
        return Actions(self.symbol, **columns)

    def until(self, end: int) -> "Actions":
        """Those that held and were known at `end`, ns UTC."""
        return self.where((self.ex_time <= end) & (self.known_at <= end))

    def _refuse(self, rule: str, broken: Bool) -> None:
        if broken.any():
            row = int(broken.argmax())
            raise BarsError(
                f"{self.symbol}: {rule}; action {row} ({KINDS[self.kind[row]]} of "
                f"{np.datetime64(int(self.ex_day[row]), 'D')}, value {self.value[row]:g}) does not "
                f"({int(broken.sum())} in all)"
            )


def split_factor(actions: Actions, day: Int64) -> Float64:
    """What turns a raw price of each bar into one of the last bar's shares, (n_bars,).

    Args:
        actions: of the instrument.
        day: trading day of each bar, rising, days since 1970, (n_bars,).
    """
    splits = _of(actions, SPLIT, day)
    return _after(1.0 / splits.value, np.searchsorted(day, splits.ex_day), day.size)


def dividend_factor(actions: Actions, day: Int64, close: Float64) -> Float64:
    """What turns a split-adjusted price of each bar into a total-return one, (n_bars,).

    A dividend D scales what lies before its ex-day by 1 - D / P, P the close before it in the
    ex-day's shares. That is the reinvestment of D at the price P - D, at which a share that
    gains nothing opens (CRSP's and the vendors' convention).

    Args:
        actions: of the instrument.
        day: trading day of each bar, rising, days since 1970, (n_bars,).
        close: raw closes, (n_bars,).

    Raises:
        BarsError: the dividends of a day are not below the close before it.
    """
    first, share = _payouts(actions, day, close)
    if (share >= 1).any():
        at = int(first[int((share >= 1).argmax())])
        raise BarsError(
            f"{actions.symbol}: dividends ex {np.datetime64(int(day[at]), 'D')} are "
            f"{share.max():.2f} times the close before ({close[at - 1]:g}): amounts are per share, "
            "in the shares of the ex-day; check amount and splits"
        )
    return _after(1.0 - share, first, day.size)


def adjusted(bars: Bars, actions: Actions, day: Int64, view: View) -> Bars:
    """Raw bars -> the view. Volume goes the other way of splits; dividends leave it alone.

    Args:
        bars: as traded.
        actions: of the instrument, all of them known by the last bar (`Actions.until`).
        day: trading day of each bar, (n_bars,).
        view: which one; "none" gives the bars back.
    """
    if view == "none" or not len(bars):
        return bars
    shares = split_factor(actions, day)
    factor = shares * dividend_factor(actions, day, bars.close) if view == "total" else shares
    return _scaled(bars, factor, shares)


def raw(bars: Bars, actions: Actions, day: Int64, view: View) -> Bars:
    """A view -> raw bars: `adjusted` undone, to rounding.

    Args:
        bars: as `adjusted` gave them.
        actions: the same.
        day: trading day of each bar, (n_bars,).
        view: which one the bars are in.
    """
    if view == "none" or not len(bars):
        return bars
    shares = split_factor(actions, day)
    if view == "splits":
        return _scaled(bars, 1.0 / shares, 1.0 / shares)
    return _scaled(bars, 1.0 / _total_factor(bars, actions, day, shares), 1.0 / shares)


def _total_factor(bars: Bars, actions: Actions, day: Int64, shares: Float64) -> Float64:
    """split_factor x dividend_factor from total-return closes, the last dividend undone first."""
    first, cash = _cash(actions, day)
    paid = np.ones(len(bars))
    kept = 1.0
    for at, amount in zip(first[::-1].tolist(), cash[::-1].tolist(), strict=True):
        # P, the close before in the ex-day's shares, solves adjusted = (P - D) x what came later
        before = bars.close[at - 1] / (shares[at] * kept) + amount
        kept *= 1.0 - amount / before
        paid[:at] = kept
    return shares * paid


def on_rows(panel: Panel, actions: dict[str, Actions], view: View = "none") -> Happened:
    """Each action at the first row of its instrument that it holds for.

    An action with no row at or after its ex-day falls away, but for a delisting, which stands at
    the last row before it. Symbols without bars fall away too. Of bars in another view than
    "none", what the prices hold already is left out, and dividends are in the last bar's shares.
    """
    n = len(panel)
    out = Happened(
        np.ones(n), np.zeros(n), np.zeros(n, bool), np.full(n, np.nan), np.full(n, NEVER)
    )
    for i, symbol in enumerate(panel.symbols):
        a, b = int(panel.offsets[i]), int(panel.offsets[i + 1])
        own = actions.get(symbol)
        if own is None or a == b:
            continue
        day, time = panel.calendar.day(panel.time[a:b]), panel.time[a:b]
        shares = split_factor(own, day) if view == "splits" else np.ones(b - a)
        for kind, ex_day, begin, end, value in zip(
            own.kind, own.ex_day, own.ex_time, own.end, own.value, strict=True
        ):
            at = a + int(np.searchsorted(day, ex_day))
            if kind == HALT:
                out.halted[a:b] |= (time < end) & (time + panel.timeframe.ns > begin)
            elif kind == DELISTING and at > a:
                out.recovery[at - 1], out.gone[at - 1] = value, begin
            elif kind == SPLIT and a < at < b and view == "none":
                out.ratio[at] *= value
            elif kind == DIVIDEND and a < at < b and view != "total":
                out.dividend[at] += value * shares[at - a]
    return out


def _of(actions: Actions, kind: int, day: Int64) -> Actions:
    """Actions of a kind with bars on both sides of their ex-day."""
    if not day.size:
        return actions.where(np.zeros(len(actions), bool))
    inside = (actions.ex_day > day[0]) & (actions.ex_day <= day[-1])
    return actions.where((actions.kind == kind) & inside)


def _cash(actions: Actions, day: Int64) -> tuple[Int64, Float64]:
    """(first bar of the ex-day, cash a share) of each day with dividends."""
    paid = _of(actions, DIVIDEND, day)
    first, which = np.unique(np.searchsorted(day, paid.ex_day), return_inverse=True)
    return first.astype(np.int64), np.bincount(which, paid.value, first.size).astype(np.float64)


def _payouts(actions: Actions, day: Int64, close: Float64) -> tuple[Int64, Float64]:
    """(first bar of the ex-day, its dividends as a share of the close before)."""
    first, cash = _cash(actions, day)
    shares = split_factor(actions, day)
    before = close[first - 1] * shares[first - 1] / shares[first]
    return first, cash / before


def _after(factor: Float64, first: Int64, n: int) -> Float64:
    """The product of the factors whose `first` bar comes after each bar, (n,)."""
    step = np.ones(n + 1)
    np.multiply.at(step, first, factor)
    return np.asarray(np.cumprod(step[::-1])[::-1][1:], np.float64)


def _scaled(bars: Bars, price: Float64, shares: Float64) -> Bars:
    """Prices times one factor and volume over another; the wick keeps enclosing the body."""
    open_, high, low, close = (c * price for c in (bars.open, bars.high, bars.low, bars.close))
    return Bars(bars.symbol, bars.time, open_, high, low, close, bars.volume / shares)
