"""What the rows that a score would accept came to, net of a round trip, without any backtest."""

from typing import Final

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Floats
from touchstone.errors import DataError
from touchstone.metrics.declaration import measure

SHARES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Of all rows, those of the highest score: what may be accepted."""
LEAST: Final = 50
"""Rows accepted at least, where there are as many: a mean over fewer says nothing."""


@measure(unit="fraction of the entry price a row", better="higher")
def net(
    score: Floats, realised: Floats, round_trip: float, rising: Floats | None = None
) -> float | None:
    """Mean of `realised` over the accepted rows, minus the round trip; None without rows.

    Accepted is the share of highest scores, out of `SHARES`, whose mean is highest; never fewer
    than `LEAST` rows, all where there are no more, and rows of equal score together. Shares and
    not thresholds: a weighted loss moves every probability and leaves the order of the rows. The
    highest mean and not the most money: whoever orders the rows better at every share never
    scores less, whereas the share of the most money grows, and its mean falls, as a score improves.
    The best of five nested shares flatters a score that knows nothing, all epochs alike: this
    compares epochs, it estimates no income.

    Args:
        score: (n,) anything that rises with the wish to buy.
        realised: (n,) exit / entry - 1 before costs.
        round_trip: cost of a trade, fraction of its price.
        rising: the scores sorted, from who has them; else they are sorted here.

    Raises:
        DataError: another length, or a value that is not finite.
    """
    if score.ndim != 1 or score.shape != realised.shape:
        raise DataError(f"score {score.shape} and realised {realised.shape} need one length")
    if not score.size:
        return None
    ordered = np.sort(score) if rising is None else rising
    sizes = np.maximum(np.ceil(np.array(SHARES[::-1]) * score.size).astype(np.int64), LEAST)
    floors = ordered[score.size - np.minimum(sizes, score.size)]
    total, count = _above(
        np.ascontiguousarray(score), np.ascontiguousarray(realised, np.float64), floors
    )
    if not np.isfinite(total).all() or not np.isfinite(ordered[[0, -1]]).all():
        raise DataError("a score or what it realised is not finite: drop those rows first")
    return float((total / count).max()) - round_trip


@njit(cache=True)
def _above(score: Floats, realised: Float64, floors: Floats) -> tuple[Float64, Float64]:
    """Sum and number of the rows at or above each of the rising floors, (n_floors,) each."""
    total, count = np.zeros(floors.size), np.zeros(floors.size)
    for i in range(score.size):
        for j in range(floors.size):
            if score[i] < floors[j]:
                break
            total[j] += realised[i]
            count[j] += 1.0
    return total, count
