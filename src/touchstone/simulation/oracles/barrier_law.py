"""Exact law of a triple-barrier label in a market of steady volatility whose drift is a chain's."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from scipy import special

from touchstone.arrays import Float64
from touchstone.simulation.bridge import OPEN_SHARE
from touchstone.simulation.chains import Chain

_N_NODES: Final = 96
_N_MIXING: Final = 40
_NO_CHANCE: Final = 1e-9
_NORMAL: Final = 5e4
"""Half the degrees of freedom from which on Student's t is as good as normal."""
_N_SHOCKS: Final = 15


class Barriers(NamedTuple):
    """A triple barrier in fractions of the entry price; entered at the next open."""

    take_profit: float
    stop_loss: float
    horizon: int
    """Bars."""


class Returns(NamedTuple):
    """What a bar's return is made of."""

    volatility: float
    """Standard deviation of a bar's return, the same at all times."""
    tail_df: float
    """Degrees of freedom of Student's t, independent from bar to bar."""
    ic: float
    """Mean return of a bar per unit of what the chain pays, in standard deviations."""


class _Bar(NamedTuple):
    """What becomes of a price on the nodes at a bar's begin, for one drift."""

    onward: Float64
    """Times the weights of the nodes: to still be between the barriers at its close, (n, n)."""
    down: Float64
    """Stopped in the bar, (n,)."""
    up: Float64
    """At the target in the bar, (n,)."""


def barrier_law(chain: Chain, start: Float64, returns: Returns, barriers: Barriers) -> Float64:
    """P(-), P(0), P(+) of the label of a decision in each of the chain's states by chance `start`.

    The prices of this package's markets: a bar is a Brownian path given its mixing variable, its
    open stands at `OPEN_SHARE` of its variance, high and low between open and close are drawn
    independently given both (see `bridge`), a bar that meets both barriers is stopped, and one
    that opens beyond a barrier leaves there. So the chance of each is known for every (open,
    close), and the density of the log price goes from close to close by Gauss-Legendre sums;
    Student's t is a Gauss-Laguerre sum over its
    mixing variable. What is left is rounding and these
    sums.

    Args:
        chain: the states; `paying` is what each pays in the next bar.
        start: law of the state at the decision's close, (n_states,).
        returns: of a bar.
        barriers: of the label, and its horizon.

    Returns:
        (3,) summing to 1.
    """
    line = _line(float(np.log1p(-barriers.stop_loss)), float(np.log1p(barriers.take_profit)))
    levels, of_state = np.unique(chain.paying, return_inverse=True)
    variances = _variances(returns)
    drifts = np.log1p(returns.ic * returns.volatility * levels)
    first = [_from_open(line, variances, float(d)) for d in drifts]
    later = [_from_close(line, variances, float(d)) for d in drifts]
    down, up = (float(start @ [first[k][n][0] for k in of_state]) for n in (1, 2))
    density = start[:, None] * np.stack([first[k].onward[0] for k in of_state])
    for _ in range(barriers.horizon - 1):
        density = chain.transition.T @ density
        moved = np.empty_like(density)
        for state, row in enumerate(density):
            bar = later[of_state[state]]
            held = row * line.weight
            down, up = down + float(held @ bar.down), up + float(held @ bar.up)
            moved[state] = held @ bar.onward
        density = moved
    return np.array([down, 1 - down - up, up])


class _Line(NamedTuple):
    """Log prices between the barriers, relative to the entry."""

    low: float
    high: float
    price: Float64
    """Nodes, (n,)."""
    weight: Float64
    """Of an integral over the nodes, (n,)."""


def _line(low: float, high: float) -> _Line:
    node, weight = np.polynomial.legendre.leggauss(_N_NODES)
    half = (high - low) / 2
    return _Line(low, high, half * node + (high + low) / 2, half * weight)


_Variances = list[tuple[float, float]]
"""(chance, variance) of a bar."""


def _variances(returns: Returns) -> _Variances:
    """The mixing variable is (df/2 - 1) / g, g ~ Gamma(df/2): a Gauss-Laguerre sum over g."""
    half = returns.tail_df / 2
    if half > _NORMAL:
        return [(1.0, returns.volatility**2)]
    g, chance = special.roots_genlaguerre(_N_MIXING, half - 1)
    kept = chance > _NO_CHANCE * chance.sum()
    chance = chance[kept] / chance[kept].sum()
    variance = returns.volatility**2 * (half - 1) / g[kept]
    return list(zip(chance.tolist(), variance.tolist(), strict=True))


def _from_open(line: _Line, variances: _Variances, drift: float) -> _Bar:
    """The bar of the entry, which begins at its open: one row."""
    return _sum((chance, _inside(line, np.zeros(1), v, drift)) for chance, v in variances)


def _from_close(line: _Line, variances: _Variances, drift: float) -> _Bar:
    """A later bar: a small step to its open, which may lie beyond a barrier, then the rest."""
    shock, share = np.polynomial.hermite_e.hermegauss(_N_SHOCKS)
    share = share / share.sum()
    n, bars = line.price.size, []
    for chance, v in variances:
        opens = line.price[:, None] + OPEN_SHARE * (drift - v / 2) + np.sqrt(OPEN_SHARE * v) * shock
        stopped, won = opens <= line.low, opens > line.high
        inside = np.where(stopped | won, 0.0, share)
        bar = _inside(line, np.clip(opens, line.low, line.high).ravel(), v, drift)
        moved = _Bar(
            np.einsum("ij,ijk->ik", inside, bar.onward.reshape(n, -1, n)),
            np.sum(inside * bar.down.reshape(n, -1), axis=1) + stopped @ share,
            np.sum(inside * bar.up.reshape(n, -1), axis=1) + won @ share,
        )
        bars.append((chance, moved))
    return _sum(bars)


def _sum(bars: Iterable[tuple[float, _Bar]]) -> _Bar:
    pairs = list(bars)
    onward, down, up = (sum(chance * bar[k] for chance, bar in pairs) for k in range(3))
    return _Bar(np.asarray(onward), np.asarray(down), np.asarray(up))


def _inside(line: _Line, opens: Float64, variance: float, drift: float) -> _Bar:
    """From opens between the barriers to the close.

    P(low <= l | open o, close c) = exp(-2 (o - l)(c - l) / v), 1 where c lies below; the high
    likewise. Integrated against a normal c, the exponential only moves its mean.
    """
    v, mean = (1 - OPEN_SHARE) * variance, (1 - OPEN_SHARE) * (drift - variance / 2)
    sd = float(np.sqrt(v))
    o, c = opens[:, None], line.price
    normal = np.exp(-((c - o - mean) ** 2) / (2 * v)) / (sd * np.sqrt(2 * np.pi))
    misses_low = -np.expm1(-2 * (o - line.low) * (c - line.low) / v)
    misses_high = -np.expm1(-2 * (line.high - o) * (line.high - c) / v)
    onward = normal * misses_low * misses_high
    above = opens - line.low
    below_at_close = special.ndtr(-(above + mean) / sd)
    down = below_at_close + np.exp(-2 * above * mean / v) * special.ndtr((mean - above) / sd)
    return _Bar(onward, down, 1 - down - onward @ line.weight)
