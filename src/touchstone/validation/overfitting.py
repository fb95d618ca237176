"""Does the search overfit? Where the best of one half of the days ranks on the other half."""

import itertools
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.errors import DataError
from touchstone.validation.joint_bootstrap import checked_table

N_BLOCKS: Final = 16
"""12,870 halves."""
_AT_ONCE: Final = 1_000_000
"""Numbers that one step holds, halves times candidates."""
_NO_VARIANCE: Final = 1e-20


class Overfitting(NamedTuple):
    """A diagnostic of the search, not of its winner."""

    probability: float
    """Share of halves whose best candidate ranks in the lower half on the other days (PBO)."""
    logits: Float64
    """ln(w / (1 - w)) of each half, w = rank / (n_candidates + 1); (n_halves,)."""
    probability_of_loss: float
    """Share of halves whose best candidate has no positive Sharpe on the other days."""
    n_candidates: int
    """Candidates with variance: those that were ranked."""
    n_blocks: int


def overfitting(returns: Float64, n_blocks: int = N_BLOCKS) -> Overfitting | None:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    The days are cut into blocks as equal as whole days allow; for each choice of half of them the
    candidate with the best Sharpe there is ranked among all on the other half (ties averaged; a
    candidate that has no variance on a half has Sharpe 0 there). Candidates without variance over
    all days (no trades) are left out. None where fewer than two are left.

    Of candidates without any skill it is about one half, not 0 and not 1; of an odd number n of
    them (n + 1) / 2n, and of equals 1, since the middle rank counts as the lower half.

    Args:
        returns: (n_days, n_candidates) daily returns, in time order.
        n_blocks: an even number of blocks, 2 to 16; 8 to 16 for a result to quote.

    Raises:
        DataError: not a table of finite numbers, an odd or too large number of blocks, or fewer
            than two days a block.

    Source: Bailey, Borwein, López de Prado & Zhu (2017), The probability of backtest overfitting,
    Journal of Computational Finance 20(4), section 2.2.
    """
    returns = checked_table(returns)
    n_days = returns.shape[0]
    if n_blocks % 2 or not 2 <= n_blocks <= N_BLOCKS or n_days < 2 * n_blocks:
        raise DataError(
            f"overfitting: {n_days} days in {n_blocks} blocks: needs an even number of blocks, 2 "
            f"to {N_BLOCKS}, of at least 2 days each"
        )
    floor = _NO_VARIANCE * np.abs(returns).max(axis=0, initial=0) ** 2
    traded = returns[:, returns.var(axis=0) > floor]
    if traded.shape[1] < 2:
        return None
    traded = traded / traded.std(axis=0)  # one scale; no Sharpe depends on it
    bounds = np.arange(n_blocks + 1) * n_days // n_blocks
    sums = np.add.reduceat(np.stack([traded, traded**2]), bounds[:-1], axis=1)
    halves = _halves(n_blocks)
    step = max(1, _AT_ONCE // traded.shape[1])
    steps = (halves[i : i + step] for i in range(0, len(halves), step))
    pieces = [_ranked(sums, np.diff(bounds), some) for some in steps]
    rank, out_of_sample = (np.concatenate(column) for column in zip(*pieces, strict=True))
    w = rank / (traded.shape[1] + 1)
    logits = np.log(w / (1 - w))
    return Overfitting(
        float((rank <= (traded.shape[1] + 1) / 2).mean()),
        logits,
        float((out_of_sample <= 0).mean()),
        traded.shape[1],
        n_blocks,
    )


def _halves(n_blocks: int) -> Bool:
    """Every choice of half of the blocks, (n_halves, n_blocks)."""
    chosen = np.array(list(itertools.combinations(range(n_blocks), n_blocks // 2)))
    halves = np.zeros((len(chosen), n_blocks), bool)
    np.put_along_axis(halves, chosen, values=True, axis=1)
    return halves


def _ranked(sums: Float64, length: Float64, halves: Bool) -> tuple[Float64, Float64]:
    """Rank on the other days of each half's best candidate, and its Sharpe there."""
    inside = _sharpe(sums, length, halves)
    outside = _sharpe(sums, length, ~halves)
    best = inside.argmax(axis=1)[:, None]
    own = np.take_along_axis(outside, best, axis=1)
    rank = (outside < own).sum(axis=1) + ((outside == own).sum(axis=1) + 1) / 2
    return rank, own[:, 0]


def _sharpe(sums: Float64, length: Float64, halves: Bool) -> Float64:
    """Per day, (n_halves, n_candidates); 0 without variance. Returns are of unit variance."""
    n = (halves @ length)[:, None]
    mean, squares = ((halves @ part) / n for part in sums)
    variance = (squares - mean**2) * n / (n - 1)
    flat = variance <= 1e-12
    return np.asarray(np.where(flat, 0.0, mean / np.sqrt(np.where(flat, 1.0, variance))))
