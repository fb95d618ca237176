"""Seeds to generators: one integer per study, one independent stream per named purpose."""

import hashlib

import numpy as np


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """A generator for one purpose: the same (seed, path) gives the same stream in every process.

    The streams of two paths are independent, and adding a purpose shifts no other.

    >>> bool(generator(7, "market").random() == generator(7, "market").random())
    True
    >>> bool(generator(7, "market").random() == generator(7, "labels").random())
    False
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, path)))


def derive(seed: int, *path: str | int) -> int:
    """A 31-bit seed for a library that wants an integer of its own.

    >>> derive(7, "lightgbm", 0) == derive(7, "lightgbm", 0) != derive(7, "lightgbm", 1)
    True
    """
    return int(_sequence(seed, path).generate_state(1, np.uint32)[0] >> 1)


def _sequence(seed: int, path: tuple[str | int, ...]) -> np.random.SeedSequence:
    digest = hashlib.sha256("\x1f".join(map(repr, path)).encode()).digest()
    words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.SeedSequence(entropy=seed, spawn_key=words)
