"""How much a sample counts: by how alone its label stands, by how rare its outcome is."""

import numpy as np
from numba import njit

from touchstone.arrays import Float32, Float64, Int8, Int64
from touchstone.config import Config


class WeightsConfig(Config):
    """What makes a sample count for more or less; all weights are normalised to mean 1."""

    uniqueness: bool = True
    """Weigh a label by how few others of its instrument share its bars."""
    balance: bool = True
    """Weigh each outcome so that all outcomes count the same in total."""


def uniqueness(entry_row: Int64, exit_row: Int64) -> Float64:
    """Average uniqueness of each label, (n,), in (0, 1].

    A bar's concurrency is the number of the given labels whose [entry row, exit row] holds it; a
    label's uniqueness is the mean of 1 / concurrency over its bars. Rows are rows of the panel,
    where an instrument is one run, so that no label meets one of another instrument.

    Args:
        entry_row: panel row of each label's entry, (n,).
        exit_row: panel row of its exit, not before the entry, (n,).

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 4.4.
    """
    if not entry_row.size:
        return np.empty(0)
    return np.asarray(_uniqueness(entry_row, exit_row), np.float64)


def class_balance(outcome: Int8) -> Float64:
    """Weights that give every outcome that occurs the same total, mean 1, (n,)."""
    if not outcome.size:
        return np.empty(0)
    _, at, count = np.unique(outcome, return_inverse=True, return_counts=True)
    return np.asarray(outcome.size / (count.size * count[at]), np.float64)


def weigh(config: WeightsConfig, outcome: Int8, entry_row: Int64, exit_row: Int64) -> Float32:
    """The product of the chosen weights, mean 1, (n,).

    Args:
        config: which weights count.
        outcome: outcomes of a fold's rows, (n,).
        entry_row: panel rows of the entries, (n,).
        exit_row: panel rows of the exits, (n,).
    """
    weight = np.ones(outcome.size)
    if config.uniqueness:
        weight *= uniqueness(entry_row, exit_row)
    if config.balance:
        weight *= class_balance(outcome)
    return (weight / weight.mean()).astype(np.float32) if weight.size else weight.astype(np.float32)


def draw(rows: Int64, weight: Float32 | Float64, n: int, rng: np.random.Generator) -> Int64:
    """Some of the rows, drawn by weight without replacement, in their order; all if no more.

    Each row gets the key ln(u) / weight and the n largest are taken, which draws as one after
    the other by weight would. The same generator state gives the same rows.

    Args:
        rows: (n_rows,) what is drawn from; np.arange(n_rows) draws places.
        weight: (n_rows,) not negative; 0 is drawn only when all others are.
        n: how many to draw.
        rng: chance.

    Returns:
        (min(n, n_rows),) of `rows`.

    Source: Efraimidis & Spirakis (2006), Weighted random sampling with a reservoir, algorithm A.
    """
    if n >= rows.size:
        return rows
    exponential = rng.standard_exponential(rows.size)
    waiting = np.full(rows.size, np.inf)
    np.divide(exponential, weight, out=waiting, where=weight > 0)
    return np.asarray(rows[np.sort(np.argsort(waiting, kind="stable")[:n])], np.int64)


@njit(cache=True)
def _uniqueness(entry_row: Int64, exit_row: Int64) -> Float64:
    first, last = entry_row.min(), exit_row.max()
    change = np.zeros(last - first + 2, np.int64)
    for i in range(entry_row.size):
        change[entry_row[i] - first] += 1
        change[exit_row[i] - first + 1] -= 1
    total = np.zeros(change.size)  # sum of 1 / concurrency before each row
    concurrency = 0
    for row in range(change.size - 1):
        concurrency += change[row]
        total[row + 1] = total[row] + (1.0 / concurrency if concurrency else 0.0)
    out = np.empty(entry_row.size)
    for i in range(out.size):
        begin, end = entry_row[i] - first, exit_row[i] - first + 1
        out[i] = (total[end] - total[begin]) / (end - begin)
    return out
