"""Markov chains with few states: their stationary law, and paths begun in it."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64


class Chain(NamedTuple):
    """A Markov chain that something depends on, by the number of its state."""

    transition: Float64
    """Row i: the law of the next state after state i, (n_states, n_states)."""
    shown: Float64
    """What is seen of each state, (n_states,)."""
    paying: Float64
    """What each state pays in the next bar, (n_states,)."""


def stationary(transition: Float64) -> Float64:
    """The law that a chain of one class keeps, (n_states,)."""
    n = transition.shape[0]
    system = np.vstack([transition.T - np.eye(n), np.ones(n)])
    law = np.linalg.lstsq(system, np.r_[np.zeros(n), 1.0], rcond=None)[0]
    return np.asarray(np.maximum(law, 0) / np.maximum(law, 0).sum())


def paths(uniform: Float64, transition: Float64) -> Int64:
    """Paths of a chain begun in its stationary law, one a row; (n_series, n) in and out."""
    first, later = np.cumsum(stationary(transition)), np.cumsum(transition, axis=1)
    return np.asarray(_paths(uniform, first, later), np.int64)


@njit(cache=True)
def _paths(uniform: Float64, first: Float64, later: Float64) -> Int64:
    n_series, n = uniform.shape
    path = np.empty((n_series, n), np.int64)
    for i in range(n_series):
        row = first
        for t in range(n):
            state = np.searchsorted(row, uniform[i, t], side="right")
            path[i, t] = min(state, first.size - 1)
            row = later[path[i, t]]
    return path
