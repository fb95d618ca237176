"""Fresh paths of a market: what a rule truly earns shows on years that nobody has seen."""

import math
from collections.abc import Iterator

from touchstone.market import Panel, Timeframe
from touchstone.seeding import derive
from touchstone.simulation.planted import MarketConfig, Truth, bar_starts, simulate

_YEAR_NS = 365 * 86_400_000_000_000


def as_it_ends(config: MarketConfig) -> MarketConfig:
    """The market as it is at its last bar: a decoy, whose edge is dead by then, has none."""
    if config.edge_until is None:
        return config
    return config.model_copy(update={"ic": 0.0, "regime_drift": 0.0, "edge_until": None})


def fresh_seed(seed: int, path: int) -> int:
    """Seed of a path of the same market that is independent of the path of `seed` itself.

    >>> fresh_seed(7, 0) != fresh_seed(7, 1)
    True
    """
    return derive(seed, "simulation", "fresh", path)


def fresh_paths(
    config: MarketConfig, seed: int, years: float = 20.0
) -> Iterator[tuple[Panel, Truth]]:
    """Independent paths of the market as it ends, each of its own length, `years` together.

    Args:
        config: the market; of a decoy, what is left of it after its edge died.
        seed: of the path that was studied: the paths here are others.
        years: of 365 days, that the paths last together, at least.
    """
    alive = as_it_ends(config)
    time = bar_starts(config)
    one = (int(time[-1] - time[0]) + Timeframe(config.timeframe).ns) / _YEAR_NS
    for path in range(max(1, math.ceil(years / one - 1e-3))):
        yield simulate(alive, fresh_seed(seed, path))
