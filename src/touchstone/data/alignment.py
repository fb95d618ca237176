"""By how much an instrument's clock is off: against its market's hours, and against the others."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.data.cohort import Cohort

_HOUR_NS: Final = 3_600_000_000_000
_DAY_NS: Final = 24 * _HOUR_NS
_FARTHEST_NS: Final = 14 * _HOUR_NS  # zones reach from -12 to +14 hours
_ZONE_NS: Final = _HOUR_NS // 2
_CLIP: Final = 3.0  # deviations beyond which a move counts no more
_WINDOW_NS: Final = {True: 360 * _DAY_NS, False: 60 * _DAY_NS}  # for days, for bars within a day
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
    shifts = lags(step)
    total, count = np.zeros((2, n)), np.zeros(n)
    for i in held:
        at, moved = _track(cohort, i, origin)
        total[:, at] += moved
        count[at] += 1
    for i in held:
        at, moved = _track(cohort, i, origin)
        total[:, at] -= moved
        count[at] -= 1
        yield from _shifts(i, at, moved, (total, count, shifts, step), least)
        total[:, at] += moved
        count[at] += 1


def _track(cohort: Cohort, i: int, origin: int) -> tuple[Int64, Float64]:
    """(place on the common clock (n,), moves and sizes of moves (2, n)), each about its mean."""
    moves, bars = cohort.moves[i], cohort.clean[i]
    z = np.clip(np.where(np.isfinite(moves.scale), moves.step / moves.scale, 0.0), -_CLIP, _CLIP)
    z[0] = 0.0
    size = np.abs(z)
    return (bars.time - origin) // cohort.timeframe.ns, np.array([z, size - size.mean()])


def _shifts(
    i: int,
    at: Int64,
    moved: Float64,
    others: tuple[Float64, Float64, Int64, int],
    least: float,
) -> Iterator[Shift]:
    total, count, shifts, step = others
    window = _WINDOW_NS[step >= _DAY_NS] // step
    edges = np.searchsorted(at, np.arange(at[0], at[-1] + window, window))
    if edges[-1] < at.size:
        edges = np.r_[edges, at.size]
    parts = [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    scores = np.zeros((len(parts), 2, shifts.size))
    for k, lag in enumerate(shifts.tolist()):
        there = at - lag
        inside = (there >= 0) & (there < count.size)
        place = np.where(inside, there, 0)
        n_others = np.where(inside, count[place], 0)
        usable = n_others >= 2
        theirs = np.where(usable, total[:, place] / np.maximum(n_others, 1), 0.0)
        mine = np.where(usable, moved, 0.0)
        for w, (a, b) in enumerate(parts):
            scores[w, :, k] = _score(mine[:, a:b], theirs[:, a:b], usable[a:b])
    yield from _stretches(i, parts, scores, (shifts, step), least)


def _score(mine: Float64, theirs: Float64, usable: np.ndarray) -> Float64:  # type: ignore[type-arg]
    """Fisher's z of the correlations in standard errors, (2,): of moves and of their sizes."""
    n = int(usable.sum())
    if n < _FEWEST:
        return np.zeros(2)
    norm = np.sqrt((mine**2).sum(axis=1) * (theirs**2).sum(axis=1))
    r = (mine * theirs).sum(axis=1) / np.maximum(norm, 1e-12)
    return np.asarray(np.arctanh(np.clip(r, -0.999, 0.999)) * np.sqrt(n - 3), np.float64)


def _stretches(
    i: int,
    parts: list[tuple[int, int]],
    scores: Float64,
    clock: tuple[Int64, int],
    least: float,
) -> Iterator[Shift]:
    """Neighbouring windows that agree on a shift, as one; the whole file where all agree."""
    shifts, step = clock
    zero = int(np.flatnonzero(shifts == 0)[0])
    whole = _best(scores.sum(axis=0) / np.sqrt(len(parts)), zero, least)
    single = [_best(s, zero, least) for s in scores]
    # a window too weak to tell goes with the whole
    if whole is not None and all(s is None or s[0] == whole[0] for s in single):
        yield Shift(i, parts[0][0], parts[-1][1], int(shifts[whole[0]]) * step, whole[1])
        return
    w = 0
    while w < len(parts):
        mine = single[w]
        end = w + 1
        if mine is not None:
            while end < len(parts) and (s := single[end]) is not None and s[0] == mine[0]:
                end += 1
            late = int(shifts[mine[0]]) * step
            yield Shift(i, parts[w][0], parts[end - 1][1], late, mine[1])
        w = end


def _best(score: Float64, zero: int, least: float) -> tuple[int, float] | None:
    """(lag, standard errors) where another lag than 0 fits far better, by moves or by sizes."""
    gain = score - score[:, zero : zero + 1]
    kind, lag = np.unravel_index(int(gain.argmax()), gain.shape)
    won = float(gain[kind, lag])
    strong = score[kind, lag] > least and won > least
    return (int(lag), won) if strong and lag != zero else None


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
        edges = np.searchsorted(time, np.arange(time[0], time[-1] + 1, _WINDOW_NS[False] // 2)) \
            if time.size else np.zeros(0, np.int64)
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
