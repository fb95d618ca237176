"""Other futures: the same bars until a cut, and after it something that could as well have come."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.market import Panel
from touchstone.market.happened import Happened
from touchstone.market.reinvested import paid_share, paying, steps

_NEWCOMER: Final = "AAA"
_LEAST, _MOST = 0.5, 2.0


def truncated(panel: Panel, cut: int, rng: np.random.Generator) -> Panel:  # noqa: ARG001
    """Nothing after the cut: what could be seen then. Instruments without a bar are gone."""
    return kept_held(panel.until(cut))


def another_path(panel: Panel, cut: int, rng: np.random.Generator) -> Panel:
    """Another plausible path in all symbols: their own later bars, shuffled, turned and stretched.

    Each bar keeps its time. Its shape (gap, body, wicks) is that of some later bar of the same
    instrument, turned upside down by a coin, and wider or narrower by a factor of its own;
    volumes are another later bar's. An instrument with one later bar keeps its shape, turned.
    Splits, dividends and halts come at other later bars, and prices fall by them there. Bars of a
    shorter timeframe take a path of their own.
    """
    after = panel.available_at > cut
    names = ("open", "high", "low", "close", "volume")
    out: dict[str, Any] = {n: getattr(panel, n).copy() for n in names}
    had, has, happened = _other_events(panel, after, rng)
    for a, b in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        rows = a + np.flatnonzero(after[a:b])
        if rows.size:
            _repath(panel, (a, rows), (had[rows], has.steps[rows]), out, rng)
    finer = None if panel.finer is None else another_path(panel.finer, cut, rng)
    made = replace(panel, finer=finer, **out)
    if happened is None or panel.happened is None:
        return made
    paid = paying(made, happened, has.share)
    dividend = np.where(after, paid.dividend, panel.happened.dividend)
    return replace(made, happened=happened._replace(dividend=dividend))


def another_cast(panel: Panel, cut: int, rng: np.random.Generator) -> Panel:
    """Other instruments: some end at the cut, some lack bars after it, and a newcomer is listed.

    The newcomer's name stands before all others. The last time of the panel stays, so that what
    is cut by the calendar is cut where it was. Prices go on along another path.
    """
    other = another_path(panel, cut, rng)
    after = other.available_at > cut
    n = other.n_instruments
    last = other.time == other.time.max(initial=0)
    anchor = int(other.asset_id[last][0]) if last.any() else 0
    ends = rng.random(n) < 0.4
    if n > 1 and not ends.any():
        ends[int(rng.integers(n))] = True
    ends[anchor] = False
    lacks = (rng.random(len(other)) < 0.2) & ~last
    gone = after & (ends[other.asset_id] | lacks)
    kept = kept_held(other.where(~gone))
    # a bar that began before the cut is no newcomer's: somebody saw it open
    return _listed(kept, other.where((other.time >= cut) & (other.asset_id == anchor)), anchor)


def blank(panel: Panel, cut: int, rng: np.random.Generator) -> Panel:
    """NaN in every price and volume after the cut, which no loader would let through."""
    after = panel.available_at > cut
    names = ("open", "high", "low", "close", "volume")
    columns: dict[str, Any] = {n: np.where(after, np.nan, getattr(panel, n)) for n in names}
    finer = None if panel.finer is None else blank(panel.finer, cut, rng)
    return replace(panel, finer=finer, **columns)


Scramble = Callable[[Panel, int, np.random.Generator], Panel]
SCRAMBLES: Final[dict[str, Scramble]] = {
    "truncated": truncated,
    "another path": another_path,
    "another cast": another_cast,
    "blank": blank,
}


def _repath(
    panel: Panel,
    where: tuple[int, Int64],
    steps_of: tuple[Float64, Float64],
    out: dict[str, Float64],
    rng: np.random.Generator,
) -> None:
    """Write another path of one instrument over its later rows.

    Args:
        panel: the bars.
        where: its first row, and the later ones.
        steps_of: what splits and dividends made of a price at those rows, and shall make.
        out: the columns to write to.
        rng: draws the path.
    """
    first, rows = where
    had, has = steps_of
    log = {n: np.log(getattr(panel, n)[rows]) for n in ("open", "high", "low", "close")}
    start = int(rows[0])
    before = float(np.log(panel.close[start - 1])) if start > first else float(log["open"][0])
    gap = log["open"] - np.r_[before, log["close"][:-1]] + had
    body = log["close"] - log["open"]
    up = log["high"] - np.maximum(log["open"], log["close"])
    down = np.minimum(log["open"], log["close"]) - log["low"]
    taken = rng.permutation(rows.size)
    turned = rng.random(rows.size) < 0.5
    width = rng.uniform(_LEAST, _MOST, rows.size)
    sign = np.where(turned, -1.0, 1.0) * width
    gap, body = gap[taken] * sign, body[taken] * sign
    up, down = (
        np.where(turned, down[taken], up[taken]) * width,
        np.where(turned, up[taken], down[taken]) * width,
    )
    close = before + np.cumsum(gap + body - has)
    open_ = close - body
    prices = {
        "open": np.exp(open_),
        "close": np.exp(close),
        "high": np.exp(np.maximum(open_, close) + up),
        "low": np.exp(np.minimum(open_, close) - down),
    }
    prices["high"] = np.maximum.reduce([prices["high"], prices["open"], prices["close"]])
    prices["low"] = np.minimum.reduce([prices["low"], prices["open"], prices["close"]])
    for name, column in prices.items():
        out[name][rows] = column
    volume = panel.volume[rows][rng.permutation(rows.size)]
    out["volume"][rows] = volume * rng.uniform(_LEAST, _MOST, rows.size)


class _Has(NamedTuple):
    share: Float64
    """Dividends as shares of the closes before, (n_rows,)."""
    steps: Float64
    """What splits and dividends make of a price, logs, (n_rows,)."""


def _other_events(
    panel: Panel, after: Bool, rng: np.random.Generator
) -> tuple[Float64, _Has, Happened | None]:
    """Price steps as they were; later ones at other later bars; and what happens then."""
    happened = panel.happened
    if happened is None:
        nothing = np.zeros(len(panel))
        return nothing, _Has(nothing, nothing), None
    share = paid_share(panel)
    had = steps(panel, happened.ratio, share)
    ratio, share, halted = happened.ratio.copy(), share.copy(), happened.halted.copy()
    for a, b in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        rows = a + np.flatnonzero(after[a:b])
        order = rng.permutation(rows)
        ratio[rows], share[rows], halted[rows] = ratio[order], share[order], halted[order]
    late = ~np.isnan(happened.recovery) & after
    recovery = np.where(late, rng.random(len(panel)), happened.recovery)
    other = happened._replace(ratio=ratio, halted=halted, recovery=recovery)
    return had, _Has(share, steps(panel, ratio, share)), other


def kept_held(panel: Panel) -> Panel:
    """The panel without the instruments that have no bar: nobody knows of them."""
    held: Bool = np.diff(panel.offsets) > 0
    if held.all() or not held.any():
        return panel
    symbols = tuple(s for s, there in zip(panel.symbols, held, strict=True) if there)
    offsets = np.r_[0, np.cumsum(np.diff(panel.offsets)[held])].astype(np.int64)
    groups = {s: g for s, g in panel.groups.items() if s in symbols}
    return replace(panel, symbols=symbols, offsets=offsets, groups=groups)


def _listed(panel: Panel, like: Panel, of: int) -> Panel:
    """The panel with an instrument more, first of all, whose bars are those of another one."""
    bars = like.bars(of)
    if not len(bars) or _NEWCOMER in panel.symbols or panel.member is not None:
        return panel
    columns: dict[str, Any] = {
        n: np.r_[getattr(bars, n), getattr(panel, n)]
        for n in ("time", "open", "high", "low", "close", "volume")
    }
    a, b = like.offsets[of : of + 2]
    side = {n: np.r_[like.side[n][a:b], column] for n, column in panel.side.items()}
    happened = panel.happened
    if happened is not None and like.happened is not None:
        pairs = zip(like.happened, happened, strict=True)
        happened = Happened(*(np.r_[new[a:b], column] for new, column in pairs))
    offsets = np.r_[0, panel.offsets + len(bars)].astype(np.int64)
    named = {"symbols": (_NEWCOMER, *panel.symbols), "offsets": offsets}
    return replace(panel, side=side, happened=happened, **named, **columns)
