"""Columns of which it is known what they tell of the outcome."""

import numpy as np

from touchstone.dataset.selection import Evidence

HOUR_NS = 3_600_000_000_000
NAMES = ("planted", "noisy", "noise", "slow", "slower", "still", "twin", "minus")


def wandering(rng, n_instruments, n_bars, memory):
    x = np.zeros((n_instruments, n_bars))
    for t in range(1, n_bars):
        x[:, t] = memory * x[:, t - 1] + rng.normal(size=n_instruments)
    return x.reshape(-1)


def evidence(seed=0, n_instruments=6, n_bars=1200, strength=0.6):
    """planted tells of the outcome, noisy is nearly the same, twin exactly, minus its negative;
    noise, slow and slower wander ever longer and tell nothing; still does not move."""
    rng = np.random.default_rng(seed)
    n = n_instruments * n_bars
    planted = wandering(rng, n_instruments, n_bars, 0.9)
    planted /= planted.std()
    columns = {
        "planted": planted,
        "noisy": planted + rng.normal(0, 0.1, n),
        "noise": rng.normal(size=n),
        "slow": wandering(rng, n_instruments, n_bars, 0.99),
        "slower": wandering(rng, n_instruments, n_bars, 0.999),
        "still": np.full(n, 3.0),
        "twin": planted,
        "minus": -planted + rng.normal(0, 0.01, n),
    }
    drive = strength * planted + rng.normal(size=n)
    outcome = np.where(np.abs(drive) < 0.4, 0, np.sign(drive)).astype(np.int8)
    place = np.tile(np.arange(n_bars), n_instruments)
    return Evidence(
        np.stack([columns[name] for name in NAMES], 1).astype(np.float32),
        NAMES,
        np.flatnonzero(place < 0.6 * n_bars),
        np.flatnonzero((place >= 0.65 * n_bars) & (place < 0.85 * n_bars)),
        outcome,
        np.repeat(np.arange(n_instruments, dtype=np.int32), n_bars),
        (place + 1) * HOUR_NS,
    )


def without(one, *names):
    """The evidence without some columns."""
    kept = [i for i, name in enumerate(one.names) if name not in names]
    return one._replace(
        features=np.ascontiguousarray(one.features[:, kept]),
        names=tuple(one.names[i] for i in kept),
    )


def names(chosen, one):
    return tuple(one.names[c] for c in chosen.columns)
