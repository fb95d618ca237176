"""Models of every kind, fitted to samples whose outcome follows from one feature alone."""

import functools

import numpy as np

from touchstone import training
from touchstone.dataset.samples import Samples
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.windows import Windows
from touchstone.explain import Subject
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.training import Job, TrainingConfig
from training.planted import ensembled

LOOKBACK, HORIZON, N_ASSETS, N_DAYS, BARS_A_DAY = 6, 4, 3, 70, 12
NAMES = ("noise", "driver", "flat", "moves", "double")
DRIVER, FLAT = 1, 2
HOUR_NS = 3_600_000_000_000
FIRST_DAY = 20_000
KINDS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs != "members"]
NETWORKS = tuple(kind for kind in KINDS if MODELS.part(kind).inputs == "window")
TABULAR = tuple(kind for kind in KINDS if kind not in NETWORKS)


@functools.cache
def market(seed=0, strength=2.0):
    """(windows, instants, outcomes, realised): +1 where the mean driver of the window is high.

    `flat` is constant; `moves` has a swing over the day and `double` follows `moves`.
    """
    rng = np.random.default_rng(seed)
    n = N_DAYS * BARS_A_DAY
    hour = np.arange(n) % BARS_A_DAY
    features = rng.standard_normal((N_ASSETS, n, len(NAMES)))
    features[:, :, FLAT] = 3.5
    features[:, :, 3] += 2 * np.sin(2 * np.pi * hour / BARS_A_DAY)
    features[:, :, 4] = features[:, :, 3] + 0.1 * features[:, :, 4]
    mean = np.cumsum(features[:, :, DRIVER], 1)
    mean[:, LOOKBACK:] -= mean[:, :-LOOKBACK].copy()
    value = strength * mean / LOOKBACK**0.5 + rng.standard_normal((N_ASSETS, n))
    low, high = np.quantile(value, [0.3, 0.75])
    outcome = np.where(value > high, 1, np.where(value < low, -1, 0)).astype(np.int8)
    flat = features.reshape(-1, len(NAMES)).astype(np.float32)
    asset_id = np.repeat(np.arange(N_ASSETS, dtype=np.int32), n)
    instant = (FIRST_DAY * 24 + np.arange(n) // BARS_A_DAY * 24 + 8 + hour) * HOUR_NS
    windows = Windows(flat, asset_id, LOOKBACK)
    return windows, np.tile(instant, N_ASSETS), outcome.ravel(), 0.01 * value.ravel()


@functools.cache
def fitted(kind, head="barrier", **settings):
    """(model, windows scaled, train rows, test rows): the first 40 days are fitted."""
    windows, instant, outcome, realised = market()
    day = instant // (24 * HOUR_NS) - FIRST_DAY
    whole = np.arange(len(windows)) % (N_DAYS * BARS_A_DAY) >= LOOKBACK - 1
    train, test = np.flatnonzero(whole & (day < 40)), np.flatnonzero(whole & (day >= 41))
    scaler = SCALERS.part("standard")(SCALERS.config("standard")(), windows.features, train)
    windows = windows.with_scaler(scaler)
    held = Samples(windows, train, outcome[train], realised[train], np.ones(train.size, np.float32))
    if kind == "ensemble":
        members = [fitted(one, head)[0] for one in TABULAR]
        joint = MODELS.parse({"kind": kind, "members": tuple(one.config for one in members)})
        return ensembled(joint, members, held), windows, train, test
    config = MODELS.parse({"kind": kind, "head": head, **SMALL.get(kind, {}), **settings})
    recipe = TrainingConfig.parse({"epochs": 4, "batch": 128, "learning_rate": 5e-3})
    job = Job(config, recipe, held, held.take(np.arange(0, train.size, 4)), N_ASSETS, 7, "data")
    return training.run(job, MemoryLedger()).fitted, windows, train, test


SMALL = {
    "lightgbm": {"rounds": 40, "min_rows": 50},
    "transformer": {"width": 16},
    "hybrid": {"width": 16},
    "gru": {"hidden": 16},
    "lstm": {"hidden": 16},
    "cnn_lstm": {"hidden": 16},
    "mlp": {"hidden": (32, 16)},
}


def subject(kind, head="barrier", n=None, model=None, **settings):
    """A fold's model with its test rows, or the last n of them."""
    found, windows, train, test = fitted(kind, head, **settings)
    _, instant, outcome, realised = market()
    rows = test if n is None else test[-n:]
    return Subject(
        name="fold 1",
        fitted=model or found,
        windows=windows,
        names=NAMES,
        rows=rows,
        train=train,
        outcome=outcome[rows],
        realised=realised[rows],
        instant=instant[rows],
        day=instant[rows] // (24 * HOUR_NS),
        horizon=HORIZON,
        seed=11,
    )


def some(this, at):
    """The same subject, asked about some of its rows, by place."""
    columns = ("rows", "outcome", "realised", "instant", "day")
    return this._replace(**{name: getattr(this, name)[at] for name in columns})
