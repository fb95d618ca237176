"""Surrogate markets: a real market's own bars drawn anew, so that nothing in them foresees.

What is kept: each instrument's distribution of bar shapes at each hour, its volatility path, the
trend of its volume, and what all instruments did together at one time. What is destroyed: any
relation between the past and the direction of the next bar.
"""

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.market import Panel
from touchstone.market.bars import FIELDS
from touchstone.market.reinvested import grown, paid_share, paying, steps
from touchstone.seeding import generator
from touchstone.simulation.inside import Drawn, inside
from touchstone.simulation.volatility import Fitted, volatility_path

TREND_BARS: Final = 168
"""Span of the exponential mean that a bar's volume is measured by, in the instrument's bars."""

_DAY_NS: Final = 86_400_000_000_000
_N_NODES: Final = 12
"""Levels of volatility at which the mean of the exponential is computed, interpolated between."""
_LARGEST: Final = 50.0
"""Log return beyond which no exponential is taken."""


class Surrogate(NamedTuple):
    """A market without an edge, made from a real one."""

    panel: Panel
    """The same instruments, times and side columns; other prices and volumes."""
    volatility: tuple[Fitted, ...]
    """What each instrument's volatility path was fitted by, (n_instruments,)."""


class _Shapes(NamedTuple):
    """Bars in units of their own volatility, (n_rows,) each; NaN on an instrument's first bar."""

    gap: Float64
    """Log open over the close before."""
    body: Float64
    """Log close over open."""
    up: Float64
    """Log high over the higher of open and close."""
    down: Float64
    """Log low under the lower of open and close, positive."""
    traded: Float64
    """Volume over its trend; 0 where nothing trades."""


def surrogate(panel: Panel, seed: int, number: int = 0) -> Surrogate:
    """One surrogate of a market: the same (panel, seed, number) gives the same bytes.

    Whole bar shapes (gap, body, wicks in units of the fitted sigma, volume over its own trend)
    are drawn from the bars of the same hour of day, by one draw of times for all instruments, and
    re-coloured with the volatility path and the volume's trend, which stay where they were. An
    instrument that had no bar at the time drawn takes its bar of the next time drawn.

    Times are drawn with replacement. In a permutation without drift all returns together sum to
    nothing, so a stretch of it is pinned down by the rest: the mean over half the bars varies by
    0.7 of what it does in a real market without an edge, and a search that was merely lucky in
    what the whole market did looks rare beside it.

    Simple returns of each bar are a martingale: from open to close, and from close to close, the
    mean of the exponential over the shapes that could have come is taken off, at the volatility
    of the bar. Within a bar the path is the real one, turned nowhere: barriers inside bars keep
    whatever asymmetry real bars have.

    Splits, dividends and halts beside the bars stay in place too: shapes and volatility are those
    of a share whose dividends are reinvested, and the new prices fall where the real ones did, by
    the same ratio and the same share of the price. Bars of a shorter timeframe go with the shape
    that was drawn.

    Args:
        panel: a market, (n_rows,) bars; side columns stay in place.
        seed: of the study.
        number: which surrogate of it.

    Source: after the permutation of bars of Masters (2018), Permutation and Randomization Tests
    for Trading System Development; drawing anew, the hours, the volatility path and the centring
    are our own.
    """
    happened = panel.happened
    if happened is None:
        made, fitted, drawn = _drawn(panel, seed, number)
        return Surrogate(replace(made, finer=inside(panel, made, drawn)), fitted)
    share = paid_share(panel)
    units = grown(panel, steps(panel, happened.ratio, share))
    shares = grown(panel, steps(panel, happened.ratio, np.zeros(len(panel))))
    made, fitted, drawn = _drawn(_times(panel, units, 1.0 / shares), seed, number)
    raw = _times(made, 1.0 / units, shares)
    raw = replace(raw, happened=paying(raw, happened, share))
    return Surrogate(replace(raw, finer=inside(panel, raw, drawn)), fitted)


def _times(panel: Panel, price: Float64, volume: Float64) -> Panel:
    columns: dict[str, Any] = {n: getattr(panel, n) * price for n in FIELDS[:4]}
    return replace(panel, volume=panel.volume * volume, **columns)


def _drawn(panel: Panel, seed: int, number: int) -> tuple[Panel, tuple[Fitted, ...], Drawn]:
    """New prices and volumes, what volatilities were fitted by, and which shape each row took."""
    rng = generator(seed, "surrogate", number)
    hour = hours(panel)
    sigma, fitted = volatility_path(panel, hour)
    shapes, trend = _shapes(panel, sigma)
    source = _sources(panel, hour, rng)
    total = _centre(panel, hour, sigma, shapes.gap + shapes.body)
    body = _centre(panel, hour, sigma, shapes.body)
    log = _rebuilt(panel.offsets, sigma, source, shapes, (total, body))
    first = panel.offsets[:-1][np.diff(panel.offsets) > 0]
    begun = np.repeat(panel.close[first], np.diff(panel.offsets)[np.diff(panel.offsets) > 0])
    open_, high, low, close = begun * np.exp(log)
    volume = np.where(source >= 0, shapes.traded[source] * trend, panel.volume)
    columns = {
        "open": open_,
        "high": np.maximum(high, np.maximum(open_, close)),  # exp rounds
        "low": np.minimum(low, np.minimum(open_, close)),
        "close": close,
        "volume": volume,
    }
    for name, column in columns.items():
        column[first] = getattr(panel, name)[first]
    return replace(panel, **columns), fitted, Drawn(source, sigma)


def hours(panel: Panel) -> Int64:
    """Place of each row in its trading day, in bars: the class shapes are drawn from, (n_rows,).

    By the clock (UTC) where the market is open around it, else by open time since the session
    began, so that no change of clocks mixes the first bar of a day with the second.
    """
    step, time = panel.timeframe.ns, panel.time
    if panel.timeframe.is_daily:
        return np.zeros(time.size, np.int64)
    if panel.calendar.name in ("24/7", "FX"):
        return np.asarray(time % _DAY_NS // step, np.int64)
    calendar = panel.calendar
    opened = calendar.trading_time(time) - calendar.trading_time(calendar.day(time) * _DAY_NS)
    return np.asarray(-(-opened // step), np.int64)


def _shapes(panel: Panel, sigma: Float64) -> tuple[_Shapes, Float64]:
    open_, high, low, close = (np.log(getattr(panel, n)) for n in ("open", "high", "low", "close"))
    before = np.r_[np.nan, close[:-1]]
    starts = panel.offsets[:-1][np.diff(panel.offsets) > 0]
    before[starts] = np.nan
    trend = _trend(panel.offsets, panel.volume, TREND_BARS)
    shapes = _Shapes(
        gap=(open_ - before) / sigma,
        body=(close - open_) / sigma,
        up=(high - np.maximum(open_, close)) / sigma,
        down=(np.minimum(open_, close) - low) / sigma,
        traded=np.divide(panel.volume, trend, out=np.zeros_like(trend), where=trend > 0),
    )
    shapes.body[starts] = np.nan
    return shapes, trend


def _sources(panel: Panel, hour: Int64, rng: np.random.Generator) -> Int64:
    """The row whose shape each row takes, (n_rows,); -1 on an instrument's first bar."""
    blocks = panel.blocks()
    usable = blocks.row.copy()
    starts = panel.offsets[:-1][np.diff(panel.offsets) > 0]
    usable[np.isin(usable, starts)] = -1
    at = np.searchsorted(blocks.time, panel.time)
    hour_of_time = np.zeros(blocks.time.size, np.int64)
    hour_of_time[at] = hour
    place = np.empty(blocks.time.size, np.int64)
    source = np.full(len(panel), -1, np.int64)
    for this in np.unique(hour_of_time):
        members = np.flatnonzero(hour_of_time == this)
        place[members] = np.arange(members.size)
        # Behind the times drawn stand all of them, for an instrument that has a bar at none drawn.
        drawn = members[rng.integers(0, members.size, members.size)]
        order = np.r_[drawn, rng.permutation(members)]
        rows = np.flatnonzero(hour == this)
        _draw(rows, place[at[rows]], panel.asset_id[rows], usable[order], source)
    source[starts] = -1
    return source


@njit(cache=True)
def _draw(rows: Int64, place: Int64, asset: Int64, usable: Int64, source: Int64) -> None:
    """For each row, the first usable row at or after its place in the order drawn."""
    n = usable.shape[0]
    for k in range(rows.size):
        for step in range(n):
            taken = usable[(place[k] + step) % n, asset[k]]
            if taken >= 0:
                source[rows[k]] = taken
                break


def _centre(panel: Panel, hour: Int64, sigma: Float64, z: Float64) -> Float64:
    """Log mean exp(sigma z') over the shapes z' that could have come at each row, (n_rows,)."""
    out = np.zeros(len(panel))
    for a, b in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        for this in np.unique(hour[a:b]):
            rows = a + np.flatnonzero(hour[a:b] == this)
            pool = z[rows][np.isfinite(z[rows])]
            if not pool.size:
                continue
            own = np.log(sigma[rows])
            nodes = np.linspace(own.min(), own.max(), _N_NODES) if np.ptp(own) > 0 else own[:1]
            moved = np.clip(np.exp(nodes)[:, None] * pool, -_LARGEST, _LARGEST)
            # in units of sigma squared, where it is nearly a straight line
            level = np.log(np.exp(moved).mean(axis=1)) / np.exp(2 * nodes)
            out[rows] = np.interp(own, nodes, level) * np.exp(2 * own)
    return out


@njit(cache=True)
def _trend(offsets: Int64, volume: Float64, span: int) -> Float64:
    """Exponential mean of an instrument's volume before each bar, begun at its first bars' mean."""
    trend = np.empty(volume.size)
    weight = 2.0 / (span + 1)
    for i in range(offsets.size - 1):
        a, b = offsets[i], offsets[i + 1]
        if b == a:
            continue
        mean = volume[a : min(a + span, b)].mean()
        for t in range(a, b):
            trend[t] = mean
            mean += weight * (volume[t] - mean)
    return trend


@njit(cache=True)
def _rebuilt(
    offsets: Int64,
    sigma: Float64,
    source: Int64,
    shapes: _Shapes,
    centres: tuple[Float64, Float64],
) -> Float64:
    """Log open, high, low and close over the first close, (4, n_rows), from the shapes taken."""
    log = np.zeros((4, sigma.size))
    total, body = centres
    for i in range(offsets.size - 1):
        if offsets[i + 1] == offsets[i]:
            continue
        level = 0.0
        for t in range(offsets[i] + 1, offsets[i + 1]):
            s = source[t]
            if s < 0:  # the only bar at its hour: nothing can stand in its place
                log[:, t] = level
                continue
            opened = level + sigma[t] * shapes.gap[s] - (total[t] - body[t])
            level = opened + sigma[t] * shapes.body[s] - body[t]
            log[0, t], log[3, t] = opened, level
            log[1, t] = max(opened, level) + sigma[t] * shapes.up[s]
            log[2, t] = min(opened, level) - sigma[t] * shapes.down[s]
    return log
