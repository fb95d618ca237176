"""What members decide: the outcome that they hold likelier than usual by the largest factor."""

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64


def decisions(score: Float64, rate: Float64) -> Int64:
    """Column that each member decides for in each row, (n_members, n_rows).

    Of three columns the one with the largest p / rate; of one, 0 where p is at least its rate and
    -1, the outcome that is not shown, elsewhere. Where two are equal, the first.

    Args:
        score: (n_members, n_rows, n_outcomes).
        rate: (n_outcomes,) how often each column comes.

    Source: the decision of least cost where a miss of an outcome costs the inverse of how often it
    comes: Elkan (2001), The foundations of cost-sensitive learning, IJCAI, sections 1-2.
    """
    out = np.empty(score.shape[:2], np.int64)
    _decide(score, np.maximum(rate, 1e-12), out)
    return out


@njit(cache=True)
def _decide(score: Float64, rate: Float64, out: Int64) -> None:
    for k in range(score.shape[0]):
        for i in range(score.shape[1]):
            if rate.size == 1:
                out[k, i] = 0 if score[k, i, 0] >= rate[0] else -1
                continue
            best = 0
            for c in range(1, rate.size):
                if score[k, i, c] / rate[c] > score[k, i, best] / rate[best]:
                    best = c
            out[k, i] = best
