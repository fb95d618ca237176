"""Robust statistics of bars, and the thresholds that follow from a stated rate of false alarms.

Returns of one bar have tails like a Student t with 3 to 5 degrees of freedom (Cont 2001,
"Empirical properties of asset returns", Quantitative Finance 1): thresholds are its quantiles
with 4, divided by the robust scale that such returns have, never those of a normal law.
"""

from typing import Final

import numpy as np

from touchstone.arrays import Bool, Float64, Int64

ALPHA: Final = 0.01
"""False alarms that a check may raise on one clean instrument, all its bars together."""
TAIL: Final = 4.0
"""Degrees of freedom of the reference law of returns."""

_NORMAL: Final = 1.4826  # median absolute deviation -> standard deviation of a normal law
_T4_SCALE: Final = 1.0982  # 1.4826 x the upper quartile of a t with 4 degrees of freedom
_FLOOR: Final = 0.25  # a calm stretch is not taken as calmer than this share of the usual


def tail_threshold(n: int, alpha: float, together: int = 1) -> float:
    """Robust z that one of n clean returns exceeds with probability `alpha`.

    Args:
        n: returns looked at.
        alpha: probability of one false alarm among them.
        together: how many independent returns must exceed it at once.

    >>> round(tail_threshold(18_000, 0.01)), round(tail_threshold(18_000, 0.01, 2), 1)
    (52, 8.5)
    """
    from scipy.special import stdtrit  # noqa: PLC0415

    p = (alpha / max(n, 1)) ** (1 / together)
    return float(-stdtrit(TAIL, p / 2) / _T4_SCALE)


def local_scale(values: Float64, block: int = 64) -> Float64:
    """Robust standard deviation around each value, (n,): of its block of `block` or a neighbour.

    The largest of the three is taken, so that the first bars of a stormy day are judged by the
    storm. Never below a quarter of the whole series' usual; inf where nothing ever moves.
    """
    if not values.size:
        return np.zeros(0)
    edges = _edges(values.size, block)
    mads = np.array([np.median(p) for p in np.split(np.abs(values), edges[1:-1])])
    padded = np.r_[mads[:1], mads, mads[-1:]]
    mads = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    usual = float(np.median(mads[mads > 0])) if (mads > 0).any() else np.inf
    return np.repeat(_NORMAL * np.maximum(mads, _FLOOR * usual), np.diff(edges))


def _edges(n: int, block: int) -> Int64:
    return np.linspace(0, n, max(n // block, 1) + 1).astype(np.int64)


def local_surge(values: Float64, block: int = 64) -> Float64:
    """How far each value lies above its block's median, in robust deviations of the block, (n,)."""
    n = values.size
    if not n:
        return np.zeros(0)
    edges = _edges(n, block)
    out = np.empty(n)
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        part = values[a:b]
        middle = np.median(part)
        spread = _NORMAL * np.median(np.abs(part - middle))
        out[a:b] = (part - middle) / max(float(spread), 1e-9)
    return out


def runs(flags: Bool) -> tuple[Int64, Int64]:
    """(first, end) of every run of True, end excluded."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    return edges[::2].astype(np.int64), edges[1::2].astype(np.int64)


def chance_run(flags: Bool, alpha: float, clustered: bool = False) -> float:
    """Length of a run of True that chance makes once in 1 / alpha such series, in rows.

    Args:
        flags: (n,).
        alpha: false alarms allowed in the series.
        clustered: False: rows are True independently, with the share that runs of one row show
            (longer ones are what is to be judged). True: a run goes on with the probability that
            all runs but the longest show, as where nobody trades by night.
    """
    n = max(flags.size, 1)
    first, end = runs(flags)
    length = np.sort(end - first)
    p = min((float((length == 1).sum()) + 0.5) / n, 0.5)
    n_runs, stays = max(float((length == 1).sum()), 0.5), p
    if clustered and length.size > 1:
        others = length[:-1]
        n_runs = float(others.size)
        stays = max(p, float((others - 1).sum()) / float(others.sum()))
    if stays >= 1.0 - 1e-9:
        return np.inf
    return 1.0 + float(np.log(alpha / n_runs) / np.log(stays))


def grouped_median(values: Float64, group: Int64) -> Float64:
    """Median of each group, (n_groups,); `group` (n,) counts from 0 without holes."""
    order = np.lexsort((values, group))
    counts = np.bincount(group)
    first = np.r_[0, np.cumsum(counts)[:-1]]
    low, high = first + (counts - 1) // 2, first + counts // 2
    ranked = values[order]
    return np.asarray(0.5 * (ranked[low] + ranked[high]), np.float64)
