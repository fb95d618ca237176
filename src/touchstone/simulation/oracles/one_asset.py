"""One instrument of a simulated market as a decision problem: its best policy is the oracle's."""

from functools import reduce
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import ConfigError
from touchstone.simulation.chains import Chain
from touchstone.simulation.oracles.grids import signal_grid, variance_grid
from touchstone.simulation.oracles.value_iteration import Problem
from touchstone.simulation.planted import MarketConfig, Truth
from touchstone.simulation.recursions import regime_direction, regime_transition, regime_volatility
from touchstone.simulation.states.ornstein_uhlenbeck import OrnsteinUhlenbeckConfig


class Sizes(NamedTuple):
    """How finely what is continuous is cut."""

    signal: int = 41
    variance: int = 15


FINE: Final = Sizes()
"""As fine as a few seconds allow."""


class OneAsset(NamedTuple):
    """The problem, and where a row of the truth stands in it."""

    problem: Problem
    signals: tuple[Float64, ...]
    """Values of each part of the signal."""
    variances: Float64
    """Values of the GARCH variance, mean 1."""
    unit: Float64
    """Standard deviation of a bar in each regime at variance 1, (4,)."""


def one_asset(
    market: MarketConfig, positions: Float64, cost: float, sizes: Sizes = FINE
) -> OneAsset:
    """The problem of one instrument, its state (signal, variance, regime).

    Args:
        market: alive; its instruments move apart (`correlation: 0`), else the variance has two
            parts of which one instrument tells only the sum.
        positions: to choose from, fractions of a fixed capital, (n_positions,).
        cost: of a change of position by 1, fraction: all costs of one side.
        sizes: nodes of signal and variance.

    Raises:
        ConfigError: instruments that are correlated, leverage, or a decoy.
    """
    for name in ("correlation", "garch_leverage", "edge_until"):
        if getattr(market, name):
            raise ConfigError(
                f"{name} is {getattr(market, name)}, and the oracle of one instrument knows no "
                f"such thing: set {name} to {'null' if name == 'edge_until' else 0}"
            )
    signals, paying = _signal(market, sizes.signal)
    variance = variance_grid(market.garch_alpha, market.garch_beta, market.tail_df, sizes.variance)
    has_regimes = market.regime_strength > 0 or market.regime_drift != 0
    regimes = regime_transition() if has_regimes else np.ones((1, 1))
    unit = market.volatility * regime_volatility(market.regime_strength)
    at, direction = (unit, regime_direction()) if has_regimes else (unit[:1], np.zeros(1))
    drift = market.ic * paying[:, None, None] + market.regime_drift * direction
    sigma = np.sqrt(variance.value)[:, None] * at
    mean = (drift * sigma).ravel()
    square = np.broadcast_to(sigma**2, (paying.size, *sigma.shape)).ravel() + mean**2
    transitions = (*(t for _, t in signals), variance.transition, regimes)
    problem = Problem(transitions, mean, square, np.asarray(positions, np.float64), cost)
    return OneAsset(problem, tuple(value for value, _ in signals), variance.value, unit)


def states_of(asset: OneAsset, signals: tuple[Float64, ...], truth: Truth) -> Int64:
    """The number of the state nearest to each row of a truth, (n_rows,).

    Args:
        asset: the problem.
        signals: each part of the signal at the rows: `(truth.hidden,)` but of a sum of factors.
        truth: of one path.
    """
    parts = [_nearest(v, s) for v, s in zip(asset.signals, signals, strict=True)]
    relative = (truth.sigma / asset.unit[truth.regime]) ** 2
    parts.append(_nearest(np.log(asset.variances), np.log(relative)))
    sizes = [t.shape[0] for t in asset.problem.transitions]
    parts.append(truth.regime.astype(np.int64) if sizes[-1] > 1 else np.zeros_like(parts[0]))
    return np.asarray(np.ravel_multi_index(tuple(parts), tuple(sizes)), np.int64)


def _signal(market: MarketConfig, n: int) -> tuple[list[tuple[Float64, Float64]], Float64]:
    """(values, transition) of each independent part, and what each state of all parts pays."""
    planted = market.planted
    if planted is None:
        grid = signal_grid(market.persistence, n)
        return [(grid.value, grid.transition)], grid.value
    if isinstance(planted, OrnsteinUhlenbeckConfig):
        grids = [signal_grid(float(p), n) for p in planted.persistence]
        parts = [s * g.value for s, g in zip(planted.shares, grids, strict=True)]
        return [(g.value, g.transition) for g in grids], reduce(np.add.outer, parts).ravel()
    chain: Chain | None = getattr(planted, "chain", None)
    if chain is None:
        raise ConfigError(
            f"planted: {planted!r}: the oracle of one instrument knows the AR(1), sums of factors "
            "and Markov chains; give the config a `chain`"
        )
    return [(np.arange(chain.paying.size, dtype=np.float64), chain.transition)], chain.paying


def _nearest(value: Float64, at: Float64) -> Int64:
    middle = (value[1:] + value[:-1]) / 2
    return np.asarray(np.searchsorted(middle, at), np.int64)
