"""Samples whose outcome follows from their window, or from nothing at all."""

import numpy as np
from scipy.stats import norm

from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.ensembles import Outcomes
from touchstone.ensembles.out_of_fold import How, fit
from touchstone.models import MODELS
from touchstone.models.ensemble import Columns, FittedEnsemble, asked
from touchstone.models.scoring import score
from touchstone.training import Job, TrainingConfig

LOOKBACK, N_FEATURES, N_ASSETS = 6, 3, 4


def samples(n=1200, strength=1.5, seed=0, weights=False):
    """(train, validate): the outcome is the window's mean first feature plus noise, cut in three.

    `strength` 0 gives noise. A quarter of the rows, drawn, are for validation. Beside the outcome
    stand tasks (the value, a size that follows from the second feature, the value's tercile) and a
    teacher who knows the true probabilities.
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
    size = windows.gather(rows)[:, :, 1].mean(1) * LOOKBACK**0.5
    tercile = np.searchsorted(np.quantile(value, [1 / 3, 2 / 3]), value)
    tasks = np.stack([(value - value.mean()) / value.std(), size, tercile], 1).astype(np.float32)
    below = norm.cdf(np.array([low, high]) - strength * driver[:, None])
    teacher = np.diff(below, axis=1, prepend=0, append=1)
    every = Samples(windows, rows, outcome, value * 0.01, weight.astype(np.float32), tasks, teacher)
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
    return every.take(at)


def ensembled(config, fitted, validate, columns=None):
    """An ensemble of fitted members, its combination fitted on the validation samples."""
    rows, windows = validate.rows, validate.windows
    said = np.stack([score(one, windows, rows) for one in fitted])
    instant = (rows % (len(windows) // N_ASSETS)).astype(np.int64)
    columns = columns or Columns(*np.zeros((3, 0)))
    columns = columns._replace(place=columns.place.astype(np.int64))
    seen = columns.read(windows.gather(rows)[:, -1, columns.place])
    members = asked(config, said, instant, windows.ids(rows).astype(np.int64), seen)
    came = Outcomes(
        validate.outcome, validate.realised.astype(float), instant + 1, np.ones(rows.size)
    )
    combined = fit(How(config.combiner, config.prune, 7), members, came)
    return FittedEnsemble(config, fitted[0].shape, tuple(fitted), combined, columns)
