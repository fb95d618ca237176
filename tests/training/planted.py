"""Samples whose outcome follows from their window, or from nothing at all."""

import numpy as np

from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.models import MODELS
from touchstone.training import Job, TrainingConfig

LOOKBACK, N_FEATURES, N_ASSETS = 6, 3, 4


def samples(n=1200, strength=1.5, seed=0, weights=False):
    """(train, validate): the outcome is the window's mean first feature plus noise, cut in three.

    `strength` 0 gives noise. A quarter of the rows, at the end, are for validation.
    """
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n * N_ASSETS, N_FEATURES)).astype(np.float32)
    asset_id = np.repeat(np.arange(N_ASSETS, dtype=np.int32), n)
    windows = Windows(features, asset_id, LOOKBACK)
    rows = np.flatnonzero(np.arange(n * N_ASSETS) % n >= LOOKBACK - 1)
    rows = np.sort(rng.choice(rows, n, replace=False))
    driver = windows.gather(rows)[:, :, 0].mean(1) * LOOKBACK**0.5
    value = strength * driver + rng.standard_normal(n)
    low, high = np.quantile(value, [0.3, 0.8])
    outcome = np.where(value > high, 1, np.where(value < low, -1, 0)).astype(np.int8)
    weight = np.exp(rng.normal(0, 0.5, n)) if weights else np.ones(n)
    every = Samples(windows, rows, outcome, value * 0.01, weight.astype(np.float32))
    place = rng.permutation(n)
    return take(every, np.sort(place[n // 4 :])), take(every, np.sort(place[: n // 4]))


def job(kind, train, validate, recipe=(), **more):
    """A small job; `model` holds settings of the kind, `recipe` those of the training."""
    model = {"kind": kind, **more.pop("model", {})}
    settings = {"epochs": 4, "batch": 128, "learning_rate": 5e-3, **dict(recipe)}
    parsed = TrainingConfig.parse(settings)
    return Job(MODELS.parse(model), parsed, train, validate, N_ASSETS, 7, "data", **more)


def take(every, at):
    """Some samples, by place."""
    columns = (getattr(every, name)[at] for name in ("rows", "outcome", "realised", "weight"))
    return type(every)(every.windows, *columns)
