"""Many p-values at once: Holm for a few claims, Benjamini-Hochberg for screening many."""

import numpy as np

from touchstone.arrays import Float64
from touchstone.errors import DataError


def holm(p: Float64) -> Float64:
    """Adjusted p-values, (n,), in the given order: those at most alpha may all be claimed.

    `max_{j <= i} min(1, (n - j + 1) p_(j))` in rising order: the chance of any false claim is at
    most alpha whatever the dependence. None for none.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]

    Raises:
        DataError: not one column of numbers in [0, 1].

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    p = _checked(p)
    rising = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[rising] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[rising] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: Float64) -> Float64:
    """Adjusted p-values, (n,), in the given order: of those at most q, a share q is expected false.

    `min_{j >= i} min(1, n p_(j) / j)` in rising order. For screening only: no edge is claimed
    by it. Holds for independent or positively dependent p-values.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.04, 0.04]

    Raises:
        DataError: not one column of numbers in [0, 1].

    Source: Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    p = _checked(p)
    falling = np.argsort(-p, kind="stable")
    stepped = np.minimum.accumulate(p[falling] * p.size / np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[falling] = np.minimum(stepped, 1.0)
    return adjusted


def _checked(p: Float64) -> Float64:
    p = np.asarray(p, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError(f"p-values: needs one column of numbers in [0, 1], got {p!r}")
    return p
