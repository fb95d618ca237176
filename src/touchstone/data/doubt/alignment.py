"""By how much an instrument's clock is off: against its market's hours, and against the others."""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.data.doubt.cohort import Cohort

_HOUR_NS: Final = 3_600_000_000_000
_DAY_NS: Final = 24 * _HOUR_NS
_FARTHEST_NS: Final = 14 * _HOUR_NS  # zones reach from -12 to +14 hours
_ZONE_NS: Final = _HOUR_NS // 2
_CLIP: Final = 3.0  # deviations beyond which a move counts no more
_WINDOW_NS: Final = {True: 360 * _DAY_NS, False: 60 * _DAY_NS}  # for days, for bars within a day
_WEAK: Final = 4.0  # standard errors below which a window's best lag is chance
_FEWEST: Final = 60  # bars of a window that can be compared


class Shift(NamedTuple):
    """Clean rows of one instrument whose clock is off."""

    instrument: int
    first: int
    end: int
    late_ns: int
    """How far the stamps lie after the true times, ns."""
    z: float
    """Standard errors by which the true clock fits better."""


def lags(timeframe_ns: int) -> Int64:
    """Shifts that a wrong zone can cause, in bars, 0 among them, (n_lags,)."""
    if timeframe_ns >= _DAY_NS:
        return np.array([-1, 0, 1], np.int64)
    step = max(_ZONE_NS // timeframe_ns, 1) if _ZONE_NS % timeframe_ns == 0 else 1
    most = _FARTHEST_NS // timeframe_ns // step
    return np.arange(-most, most + 1, dtype=np.int64) * step


def against_others(cohort: Cohort, least: float) -> Iterator[Shift]:
    """Stretches in which an instrument moves with the others a while later or earlier.

    Moves and their sizes are correlated with the mean of the others at every lag, window by
    window; at least three instruments are needed, of two nobody knows which one is wrong.
    """
    held = [i for i, c in enumerate(cohort.clean) if c.time.size >= _FEWEST]
    if len(held) < 3:
        return
    step = cohort.timeframe.ns
    origin = min(int(cohort.clean[i].time[0]) for i in held)
    n = max(int(cohort.clean[i].time[-1]) - origin for i in held) // step + 1
    total, count = np.zeros((2, n)), np.zeros(n)
    for i in held:
        at, moved = _track(cohort, i, origin)
        total[:, at] += moved
        count[at] += 1
    for i in held:
        at, moved = _track(cohort, i, origin)
        mine, here = np.zeros((2, n)), np.zeros(n)
        mine[:, at], here[at] = moved, 1.0
        n_others = count - here
        usable = n_others >= 2
        theirs = np.where(usable, (total - mine) / np.maximum(n_others, 1.0), 0.0)
        yield from _shifts(i, at, (mine, here), (theirs, usable.astype(float)), step, least)


def _track(cohort: Cohort, i: int, origin: int) -> tuple[Int64, Float64]:
    """(place on the common clock (n,), moves and sizes of moves (2, n)), each about its mean."""
    moves, bars = cohort.moves[i], cohort.clean[i]
    z = np.clip(np.where(np.isfinite(moves.scale), moves.step / moves.scale, 0.0), -_CLIP, _CLIP)
    z[0] = 0.0
    # the hours of a day have habits of their own, which say nothing about the clock
    hour = (bars.time % _DAY_NS) // cohort.timeframe.ns
    usual = np.bincount(hour, np.abs(z)) / np.maximum(np.bincount(hour), 1)
    return (bars.time - origin) // cohort.timeframe.ns, np.array([z, np.abs(z) - usual[hour]])


_Track: TypeAlias = tuple[Float64, Float64]
"""Moves and sizes (2, n_clock), 0 where there are none; and 1 where there are some (n_clock,)."""


def _shifts(
    i: int, at: Int64, own: _Track, others: _Track, step: int, least: float
) -> Iterator[Shift]:
    """Stretches of one instrument, from the correlations of its windows at every lag."""
    first, end, shifts = int(at[0]), int(at[-1]) + 1, lags(step)
    window = min(_WINDOW_NS[step >= _DAY_NS] // step, max((end - first) // 8, 2 * _FEWEST))
    edges = np.arange(0, end - first, window)
    mine, here = own[0][:, first:end], own[1][first:end]
    own_power = mine**2
    reach = int(np.abs(shifts).max())
    theirs, there = (np.pad(x, [(0, 0)] * (x.ndim - 1) + [(reach, reach)]) for x in others)
    their_power = theirs**2
    scores = np.empty((edges.size, 2, shifts.size))
    for k, lag in enumerate(shifts.tolist()):
        part = slice(first - lag + reach, end - lag + reach)
        both = here * there[part]
        n = np.add.reduceat(both, edges)
        sums = (mine * theirs[:, part], own_power * there[part], their_power[:, part] * here)
        product, power, other = (np.add.reduceat(x, edges, axis=1) for x in sums)
        r = product / np.maximum(np.sqrt(power * other), 1e-12)
        z = np.arctanh(np.clip(r, -0.999, 0.999)) * np.sqrt(np.maximum(n - 3, 0))
        scores[:, :, k] = np.where(n >= _FEWEST, z, 0.0).T
    cuts = np.searchsorted(at, first + edges).tolist()
    parts = list(zip(cuts, [*cuts[1:], at.size], strict=True))
    yield from _stretches(i, parts, scores, (shifts, step), least)


def _stretches(
    i: int,
    parts: list[tuple[int, int]],
    scores: Float64,
    clock: tuple[Int64, int],
    least: float,
) -> Iterator[Shift]:
    """Runs of windows that agree on a lag other than 0, judged together."""
    shifts, step = clock
    zero = int(np.flatnonzero(shifts == 0)[0])
    fits = _fit(scores)
    best = fits.argmax(axis=1)
    best[fits.max(axis=1) < _WEAK] = -1  # too weak to tell: goes with its neighbours
    w = 0
    while w < len(parts):
        lag, end = int(best[w]), w + 1
        while end < len(parts) and best[end] in (-1, lag):
            end += 1
        if lag not in (-1, zero):
            n_told = max(int((best[w:end] == lag).sum()), 1)
            pooled = _fit(scores[w:end].sum(axis=0, keepdims=True) / np.sqrt(n_told))[0]
            gain = float(pooled[lag] - pooled[zero])
            if gain > least:
                late = int(shifts[lag]) * step
                yield Shift(i, parts[w][0], parts[end - 1][1], late, gain)
        w = end


def _fit(scores: Float64) -> Float64:
    """How well each lag fits, (n, n_lags): moves, of either sign, and their sizes together."""
    return np.hypot(scores[:, 0], np.maximum(scores[:, 1], 0.0))


def against_sessions(cohort: Cohort) -> Iterator[Shift]:
    """Stretches that lie inside the sessions only once their clock is moved."""
    if cohort.calendar.name == "24/7" or cohort.timeframe.is_daily:
        return
    step = cohort.timeframe.ns
    shifts = lags(step)
    order = np.argsort(np.abs(shifts), kind="stable")  # of two that fit as well, the smaller
    for i, raw in enumerate(cohort.bars):
        if raw.off_grid is not None:
            continue
        time = cohort.clean[i].time
        out = np.array(
            [~cohort.calendar.overlaps_session(time - lag * step, step) for lag in shifts[order]]
        )
        edges = (
            np.searchsorted(time, np.arange(time[0], time[-1] + 1, _WINDOW_NS[False] // 2))
            if time.size
            else np.zeros(0, np.int64)
        )
        edges = np.r_[edges, time.size]
        held: Shift | None = None
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            n_out = out[:, a:b].sum(axis=1)
            best = int(n_out.argmin())
            late = int(shifts[order][best]) * step
            off = n_out[0] >= max(5, 0.005 * (b - a)) and n_out[best] <= 0.2 * n_out[0]
            if off and held is not None and held.late_ns == late and held.end == a:
                held = held._replace(end=b, z=held.z + float(n_out[0]))
                continue
            if held is not None:
                yield held
            held = Shift(i, a, b, late, float(n_out[0])) if off else None
        if held is not None:
            yield held
