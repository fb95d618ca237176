"""Robust statistics of bars, and the thresholds that follow from a stated rate of false alarms.

Returns of one bar have tails like a Student t with 3 to 5 degrees of freedom (Cont 2001,
"Empirical properties of asset returns", Quantitative Finance 1): thresholds are its quantiles
with 4, divided by the robust scale that such returns have, never those of a normal law.
"""

from typing import Annotated, Final, TypeAlias

import numpy as np
from pydantic import Field

from touchstone.arrays import Bool, Float64, Int64

Chance: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
"""A probability that a check can be set to; neither never nor always."""
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole."""
ALPHA: Final = 0.01
"""False alarms that a check may raise on one clean instrument, all its bars together."""
QUIET: Final = 1.0
"""Log volume below this many robust deviations above its usual speaks against a large move."""
QUIET_SHARE: Final = 0.1
"""Share of true large moves that leave the volume so, or hit a split's ratio, or are undone."""
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
    storm. Never below a quarter of the whole series' usual, nor below the smallest steps that it
    makes, which a coarse tick dictates; inf where nothing ever moves.
    """
    if not values.size:
        return np.zeros(0)
    size = np.abs(values)
    mads, counts = _block_medians(size, block)
    padded = np.r_[mads[:1], mads, mads[-1:]]
    mads = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    moving = size[size > 0]
    if not moving.size:
        return np.full(values.size, np.inf)
    least, usual = np.quantile(moving, (0.1, 0.5))
    floor = max(float(least), _NORMAL * _FLOOR * float(usual))
    return np.repeat(np.maximum(_NORMAL * mads, floor), counts)


def local_surge(values: Float64, block: int = 64) -> Float64:
    """How far each value lies above its usual, in robust deviations, (n,).

    Usual is the lower median of its block of `block` values and the block before: a surge that
    lasts would otherwise hide itself.
    """
    if not values.size:
        return np.zeros(0)
    middle, counts = _block_medians(values, block)
    spread, _ = _block_medians(np.abs(values - np.repeat(middle, counts)), block)
    usual = np.minimum(middle, np.r_[middle[:1], middle[:-1]])
    spread = np.maximum(spread, np.r_[spread[:1], spread[:-1]])
    apart = values - np.repeat(usual, counts)
    return np.asarray(apart / np.repeat(np.maximum(_NORMAL * spread, 1e-9), counts), np.float64)


def _block_medians(values: Float64, block: int) -> tuple[Float64, Int64]:
    """(median, values) of each block of `block` values; the rest goes with the last block."""
    n_blocks = values.size // block
    if n_blocks < 2:
        return np.array([np.median(values)]), np.array([values.size], np.int64)
    whole = np.median(values[: n_blocks * block].reshape(n_blocks, block), axis=1)
    counts = np.full(n_blocks, block, np.int64)
    counts[-1] += values.size - n_blocks * block
    return np.asarray(whole, np.float64), counts


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
    counts = np.bincount(group)
    first = np.r_[0, np.cumsum(counts)[:-1]]
    order = np.argsort(group, kind="stable")
    out = np.empty(counts.size)
    # groups of one size lie in one rectangle, and sorting its short rows is quick
    for size in np.unique(counts).tolist():
        mine = np.flatnonzero(counts == size)
        rows = np.sort(values[order[first[mine][:, None] + np.arange(size)]], axis=1)
        out[mine] = 0.5 * (rows[:, (size - 1) // 2] + rows[:, size // 2])
    return out
