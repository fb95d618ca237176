"""Small artifacts for tests: real models with drawn weights."""

import numpy as np
import torch

from touchstone.dataset.scalers import Scaler
from touchstone.execution.costs import CostsConfig
from touchstone.labels import LABELS
from touchstone.models import Shape
from touchstone.models.calibrators import calibrate_outcomes, expected_return
from touchstone.models.calibrators.isotonic import IsotonicConfig
from touchstone.models.calibrators.platt import PlattConfig
from touchstone.models.gru import Gru, GruConfig
from touchstone.models.layers.network import finish
from touchstone.models.logistic import Coefficients, Logistic, LogisticConfig
from touchstone.registry.artifact import ArtifactParts
from touchstone.registry.golden import Decider, Rows, record, scores
from touchstone.registry.manifest import Origin
from touchstone.strategies.cost_aware import CostAwareConfig
from touchstone.strategies.threshold import ThresholdConfig

LOOKBACK, N_FEATURES, N_ASSETS = 6, 3, 4
FEATURES = {
    "ret": "log(close / lag(close, 1))",
    "gap": "open / lag(close, 1) - 1",
    "size": "log(volume + 1)",
}


def draw_rows(n=64, seed=0):
    rng = np.random.default_rng(seed)
    windows = rng.normal(1, 2, (n, LOOKBACK, N_FEATURES)).astype(np.float32)
    asset_id = rng.integers(0, N_ASSETS, n).astype(np.int32)
    return Rows(windows, asset_id, np.full(n, 0.05), np.where(np.arange(n) % 2, 0.02, 0.03))


def gru(head="barrier", seed=0):
    config = GruConfig(hidden=8, embedding=2, head=head)
    shape = Shape(LOOKBACK, N_FEATURES, N_ASSETS, 3 if head == "barrier" else 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        weights = Gru(config, shape).state_dict()
    return finish(Gru, config, shape, weights, 3)


def logistic(n_columns, head="barrier", seed=0):
    rng, n_outcomes = np.random.default_rng(seed), 3 if head == "barrier" else 1
    centre, scale = rng.normal(size=n_columns), np.exp(rng.normal(size=n_columns))
    found = Coefficients(
        centre, scale, rng.normal(size=(n_columns, n_outcomes)) / 4, np.zeros(n_outcomes)
    )
    shape = Shape(LOOKBACK, N_FEATURES, N_ASSETS, n_outcomes)
    return Logistic(LogisticConfig(head=head), shape, found)


def scaler():
    rng = np.random.default_rng(1)
    centre, scale = rng.normal(size=N_FEATURES), np.exp(rng.normal(size=N_FEATURES))
    return Scaler("standard", centre.astype(np.float32), scale.astype(np.float32), 10.0)


def decider(fitted, calibrated="isotonic"):
    """Calibrated on rows whose truth favours high scores, so that decisions differ by row."""
    raw = Decider(fitted, scaler(), None, None, ThresholdConfig(), CostsConfig(), 0.004, 8)
    rows = draw_rows(400, seed=5)
    score = scores(raw, rows.windows, rows.asset_id)
    rng = np.random.default_rng(6)
    luck = np.argsort(np.argsort(score[:, -1])) - 200 + rng.normal(0, 60, 400)
    outcome = np.where(np.abs(luck) < 70, 0, np.sign(luck))
    if score.shape[1] == 1:
        expected = expected_return(score[:, -1], 0.02 * outcome)
        strategy = CostAwareConfig(margin_bp=(10,))
        return raw._replace(expected=expected, strategy=strategy)
    config = IsotonicConfig(min_rows=20) if calibrated == "isotonic" else PlattConfig()
    calibrator = calibrate_outcomes(config, score, outcome.astype(np.int8))
    return raw._replace(calibrator=calibrator, strategy=CostAwareConfig(margin_bp=(10,)))


def parts(made=None, n_golden=32):
    made = made or decider(gru())
    return ArtifactParts(
        decider=made,
        golden=record(made, draw_rows(n_golden)),
        timeframe="1h",
        calendar="24/7",
        symbols=("ADA", "BTC", "ETH", "SOL"),
        features=FEATURES,
        features_fingerprint="f" * 12,
        label=LABELS.parse({"kind": "triple_barrier"}),
        origin=Origin(
            data="d" * 64,
            study="s" * 12,
            candidate="c" * 12,
            seed=7,
            train_start=0,
            train_end=10,
            packages={"numpy": np.__version__},
        ),
    )
