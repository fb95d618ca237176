"""Outlooks for tests: several instruments at one close, every column that a part asks for."""

import numpy as np

from touchstone.strategies import Outlook, columns_of

N_INSTRUMENTS = 24


def random_outlook(config, seed, n=300, missing=0.2):
    """Drawn from a seed: `N_INSTRUMENTS` rows an instant, with ties, in no order."""
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet([2, 4, 2], n)
    twin = rng.random(n) < 0.3  # equal rows: a decision may not ask who stands first
    probability[twin] = probability[rng.integers(0, n, int(twin.sum()))]
    probability[rng.random(n) < missing] = np.nan
    up, down = rng.choice([0.02, 0.05, 0.08], n), rng.choice([0.01, 0.02, 0.04], n)
    mix = rng.permutation(n)
    return Outlook(
        probability,
        up,
        down,
        0.001,
        0.003,
        None,
        instant=(mix // N_INSTRUMENTS).astype(np.int64) * 3_600_000_000_000,
        asset=(mix % N_INSTRUMENTS).astype(np.int64),
        bars_per_year=8760.0,
        named={text: drawn(rng, n) for text in columns_of(config)},
    )


def drawn(rng, n):
    """A column with warm-up, zeros, and values of either sign but for the sizing's sake small."""
    column = np.abs(rng.normal(0, 0.01, n))
    column[rng.random(n) < 0.1] = 0.0
    column[rng.random(n) < 0.1] = np.nan
    return column


def rows_of(outlook, rows):
    """The same outlook with these rows, in this order."""
    whole = outlook._asdict()
    named = {text: column[rows] for text, column in whole.pop("named").items()}
    return Outlook(
        **{k: v[rows] if isinstance(v, np.ndarray) else v for k, v in whole.items()}, named=named
    )


def columns(decision):
    """A decision's columns by name, those that it has."""
    return {k: v for k, v in decision._asdict().items() if isinstance(v, np.ndarray)}
