"""Which train rows a network sees, and what each then weighs."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float32, Float64, Floats, Int64
from touchstone.dataset.weights import draw

_STEPS = 100


class Budget(NamedTuple):
    """Rows taken, rising, and their weights with mean 1."""

    place: Int64
    """(n,) positions among the samples."""
    weight: Float32
    """(n,)"""


def spend(weight: Floats, n_rows: int | None, rng: np.random.Generator) -> Budget:
    """Draw rows without replacement, a row's chance rising with its weight.

    A drawn row weighs weight / (its chance of being drawn): few of many rows weigh nearly the
    same, since the draw has weighed them; where nearly all are drawn the weights are left as they
    were. Either way a weighted sum over the rows drawn estimates that over all rows.

    Args:
        weight: (n_samples,) positive.
        n_rows: how many to take; None or more than there are: all.
        rng: what draws.

    Source: Horvitz & Thompson (1952); the chances are those of exponential arrival times
    (Efraimidis & Spirakis 2006), to the order 1 / n_rows.
    """
    weights = np.asarray(weight, np.float64)
    if n_rows is None or n_rows >= weights.size:
        place, share = np.arange(weights.size), weights
    else:
        place = np.sort(draw(np.arange(weights.size), weights, n_rows, rng))
        share = (weights / chance(weights, n_rows))[place]
    return Budget(place, (share / share.mean()).astype(np.float32))


def chance(weight: Float64, n_rows: int) -> Float64:
    """Each row's chance to be among `n_rows` of (n,) drawn by weight without replacement."""
    # Row i arrives by time t with chance 1 - exp(-t w_i); t is when n_rows are expected. The
    # expectation is concave in t, so Newton from 0 climbs to the solution and never passes it.
    rate = weight / weight.mean()
    t = 0.0
    for _ in range(_STEPS):
        waiting = np.exp(-t * rate)
        step = (n_rows - float(np.sum(1 - waiting))) / float(np.sum(rate * waiting))
        t += step
        if step <= 1e-9 * t:
            break
    arrived: Float64 = -np.expm1(-t * rate)
    return arrived


def balanced_chance(weight: Floats, label: Int64) -> Float64:
    """Each row's chance in a draw by weight in which every class is as likely, (n,), sum 1.

    Args:
        weight: (n,) positive.
        label: (n,) the rows' classes, from 0.
    """
    weights = np.asarray(weight, np.float64)
    mass = np.bincount(label, weights)
    share: Float64 = weights / mass[label] / np.count_nonzero(mass)
    return share


def redraw(share: Float64, rng: np.random.Generator) -> Int64:
    """As many places as there are rows, drawn with replacement by their chances, (n,)."""
    edges = np.cumsum(share)
    place: Int64 = np.searchsorted(edges, rng.random(share.size) * edges[-1], side="right")
    return np.asarray(np.minimum(place, share.size - 1), np.int64)
