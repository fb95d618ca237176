"""The best policy of one account in a market whose state is a Markov chain that it cannot move.

Relative value iteration for the average reward, exact for the chain that it is given. At the
close of a bar in state s with position a, position b is taken at a cost of |b - a| and earns
b times the next bar's return.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.simulation.chains import stationary

_MOST_ROUNDS: Final = 20_000


class Problem(NamedTuple):
    """What there is to be decided. The state has independent parts, the first one slowest."""

    transitions: tuple[Float64, ...]
    """Of each part, (n_k, n_k); states are numbered as by `numpy.ravel_multi_index`."""
    mean: Float64
    """Mean return of the next bar in each state, (n_states,)."""
    square: Float64
    """Mean square of it, (n_states,)."""
    positions: Float64
    """Positions to choose from, as fractions of a fixed capital, (n_positions,)."""
    cost: float
    """Of a change of position by 1, fraction."""


class Policy(NamedTuple):
    """A position for each state and position held, by their numbers."""

    choice: Int64
    """(n_states, n_positions)."""
    gain: float
    """Mean of reward a bar, at most this far off: `error`."""
    error: float


class Worth(NamedTuple):
    """What a policy earns a bar in the long run, exact for the chain."""

    mean: float
    """Mean net return."""
    square: float
    """Mean squared net return."""
    turnover: float
    """Mean change of position."""

    @property
    def sharpe(self) -> float:
        """Of one bar; 0 for a policy that never moves."""
        variance = self.square - self.mean**2
        return self.mean / float(np.sqrt(variance)) if variance > 0 else 0.0


def solve(
    problem: Problem, aversion: float = 0.0, start: Float64 | None = None, tolerance: float = 1e-8
) -> tuple[Policy, Float64]:
    """The policy of the highest mean of (net return - aversion x its square).

    Args:
        problem: what is decided.
        aversion: price of a squared return.
        start: relative values to begin from, as an earlier call gave them.
        tolerance: of the gain, in returns a bar.

    The state moves on whatever is held, so only differences between positions matter: adding
    any function of the state to the values adds the same to all positions. They forget their
    start as fast as the signal does, however slowly volatility and regimes move, and the gain
    lies between the stationary means of the least and the largest change over positions.

    Returns:
        the policy, and the relative values (n_states, n_positions), 0 for the first position.

    Source: Puterman (1994), Markov Decision Processes, section 8.5.
    """
    reward, law = _rewards(problem, aversion), state_law(problem)
    value = np.zeros((problem.mean.size, problem.positions.size)) if start is None else start
    low, high = -np.inf, np.inf
    for _ in range(_MOST_ROUNDS):
        better = np.max(reward + onward(problem, value)[:, None, :], axis=2)
        change = better - value
        low, high = float(law @ change.min(axis=1)), float(law @ change.max(axis=1))
        value = better - better[:, :1]
        if high - low < 2 * tolerance:
            break
    choice = np.argmax(reward + onward(problem, value)[:, None, :], axis=2)
    return Policy(choice, (low + high) / 2, (high - low) / 2), value


def state_law(problem: Problem) -> Float64:
    """Stationary law of the states, (n_states,)."""
    law = np.ones(1)
    for transition in problem.transitions:
        law = np.outer(law, stationary(transition)).ravel()
    return law


def worth(problem: Problem, choice: Int64) -> Worth:
    """What a policy earns in the long run, by the law of (state, position) that it keeps."""
    n_states, n_positions = choice.shape
    law = np.repeat(state_law(problem)[:, None] / n_positions, n_positions, axis=1)
    backward = problem._replace(transitions=tuple(t.T for t in problem.transitions))
    held = np.arange(n_states)[:, None]
    for _ in range(_MOST_ROUNDS):
        after = np.zeros_like(law)
        np.add.at(after, (held, choice), law)
        moved = onward(backward, after)
        apart = np.abs(moved - law).sum()
        law = moved
        if apart < 1e-10:
            break
    change = np.abs(problem.positions[choice] - problem.positions)
    paid, position = problem.cost * change, problem.positions[choice]
    mean, square = problem.mean[:, None], problem.square[:, None]
    earned = position * mean - paid
    squared = position**2 * square - 2 * position * mean * paid + paid**2
    return Worth(*(float(np.sum(law * x)) for x in (earned, squared, change)))


def best_sharpe(problem: Problem, tolerance: float = 1e-7) -> tuple[Policy, Worth]:
    """The policy of the highest Sharpe ratio of a bar's net return, fixed capital.

    It rises with A²/B, A the mean and B the mean square, which is convex in (A, B): the best over
    all policies is that of a deterministic policy optimal for A - aversion B. A scan over the
    aversion finds the neighbourhood; following the tangent, aversion = A / 2B, climbs from there.
    """
    size = float(np.sqrt(problem.square.mean()))
    policy, value = solve(problem, 0.0, None, tolerance)
    best = (policy, worth(problem, policy.choice))
    for aversion in np.geomspace(0.01, 1.0, 7) / size:
        policy, value = solve(problem, float(aversion), value, tolerance)
        found = worth(problem, policy.choice)
        best = max(best, (policy, found), key=lambda pair: pair[1].sharpe)
    for _ in range(5):
        policy, value = solve(problem, best[1].mean / (2 * best[1].square), value, tolerance)
        found = worth(problem, policy.choice)
        if found.sharpe <= best[1].sharpe * (1 + 1e-6):
            break
        best = (policy, found)
    return best


def onward(problem: Problem, value: Float64) -> Float64:
    """E[value at the next close | state], (n_states, n_positions) in and out."""
    sizes = [t.shape[0] for t in problem.transitions]
    table = value.reshape(*sizes, -1)
    for axis, transition in enumerate(problem.transitions):
        if sizes[axis] > 1:
            table = np.moveaxis(np.tensordot(transition, table, axes=(1, axis)), 0, axis)
    return np.asarray(table.reshape(value.shape))


def follow(choice: Int64, states: Int64, flat: int) -> Int64:
    """Positions that a policy takes on a path of states, begun flat; numbers, (n,)."""
    return np.asarray(_follow(choice, states, flat), np.int64)


@njit(cache=True)
def _follow(choice: Int64, states: Int64, flat: int) -> Int64:
    taken = np.empty(states.size, np.int64)
    held = flat
    for t in range(states.size):
        held = choice[states[t], held]
        taken[t] = held
    return taken


def _rewards(problem: Problem, aversion: float) -> Float64:
    """Of each state, position held and position taken, (n_states, n_positions, n_positions)."""
    p = problem.positions
    paid = problem.cost * np.abs(p[None, :] - p[:, None])
    mean, square = problem.mean[:, None, None], problem.square[:, None, None]
    earned = p * mean - paid
    return np.asarray(earned - aversion * (p**2 * square - 2 * p * mean * paid + paid**2))
