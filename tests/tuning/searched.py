"""Small architecture searches, on samples whose outcome one known step of the window decides."""

import numpy as np

from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.models.darts import DartsConfig
from touchstone.training import TrainingConfig
from touchstone.tuning.architecture_state import SearchJob
from touchstone.tuning.methods.darts import ArchitectureConfig

LOOKBACK, N_FEATURES, N_ASSETS = 12, 2, 2


def cause_at(age, n=2400, seed=0):
    """(weights' half, architecture's half): what feature 0 was `age` bars ago, and some noise."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n + LOOKBACK, N_FEATURES)).astype(np.float32)
    asset_id = np.zeros(n + LOOKBACK, np.int32)
    rows = np.arange(LOOKBACK - 1, n + LOOKBACK - 1)
    cause = features[rows - age, 0] + 0.3 * rng.standard_normal(n)
    outcome = np.where(cause > 0.8, 1, np.where(cause < -0.8, -1, 0)).astype(np.int8)
    windows, ones = Windows(features, asset_id, LOOKBACK), np.ones(n, np.float32)
    every = Samples(windows, rows, outcome, cause * 0.01, ones)
    half = n // 2
    return every.take(np.arange(half)), every.take(np.arange(half + LOOKBACK, n))


def search_job(halves, seed=3, method=(), network=(), recipe=(), resume=None):
    """A search of seconds; the last three are settings."""
    settings = {"kind": "darts", "nodes": 1, "epochs": 2, "warm_up": 0, "order": "first"}
    return SearchJob(
        ArchitectureConfig.parse(settings | dict(method)),
        DartsConfig.parse({"kind": "darts", "width": 8, "embedding": 4} | dict(network)),
        TrainingConfig.parse({"batch": 128, "learning_rate": 1e-2} | dict(recipe)),
        *halves,
        N_ASSETS,
        seed,
        "data",
        resume,
    )  # fmt: skip


def ended(epochs):
    """(every checkpoint, what the search came to)."""
    states = []
    while True:
        try:
            states.append(next(epochs).state())
        except StopIteration as end:
            return states, end.value
