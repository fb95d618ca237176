"""The stationary bootstrap in plain Python: which days a resample takes, block by block."""

import math

MASK = 2**64 - 1


def splitmix(state):
    z = state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def resamples(n_days, block, source, n_resamples):
    """Rows of each resample: a block begins anywhere and lasts a geometric number of days."""
    state = int(source.integers(0, 2**64, dtype="uint64"))
    for _ in range(n_resamples):
        rows = []
        while len(rows) < n_days:
            state = (state + 0x9E3779B97F4A7C15) & MASK
            first, length = (splitmix(state) >> 32) * n_days >> 32, 1
            if block > 1:
                state = (state + 0x9E3779B97F4A7C15) & MASK
                # P(length > k) = (1 - 1 / block)^k
                beyond = 1 - splitmix(state) / 2**64
                length += math.floor(math.log(beyond) / math.log(1 - 1 / block))
            rows += [(first + i) % n_days for i in range(length)]
        yield rows[:n_days]
