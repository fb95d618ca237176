import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from touchstone import training
from touchstone.config import Config
from touchstone.errors import ArtifactError, ConfigError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, Shape, head_of, restore
from touchstone.models.layers.attention import AdditiveAttention
from touchstone.models.layers.embedding import AssetEmbedding
from touchstone.models.layers.network import threads
from training.planted import LOOKBACK, N_ASSETS, N_FEATURES, job, samples

LIGHT = """
import sys
sys.path.insert(0, sys.argv[1])
from training.planted import job, samples
from touchstone import training
from touchstone.ledger import MemoryLedger
from touchstone.models.calibrators import fit
from touchstone.models.scoring import score
train, validate = samples(n=400)
for kind in ("logistic", "lightgbm"):
    fitted = training.run(job(kind, train, validate), MemoryLedger()).fitted
    score(fitted, validate.windows, validate.rows)
assert "torch" not in sys.modules
"""


def test_torch_is_not_loaded_unless_a_network_is(pytestconfig):
    subprocess.run([sys.executable, "-c", LIGHT, str(pytestconfig.rootpath / "tests")], check=True)


def test_a_model_without_a_known_head_is_refused():
    with pytest.raises(ConfigError, match="its config needs head"):
        head_of(Config())


def test_attention_weights_sum_to_one_and_average_a_constant():
    torch.manual_seed(0)
    attention = AdditiveAttention(5)
    steps = torch.randn(7, 11, 5)
    weights = attention.weights(steps)
    torch.testing.assert_close(weights.sum(1), torch.ones(7))
    torch.testing.assert_close(attention(steps), (weights[..., None] * steps).sum(1))
    constant = torch.randn(7, 1, 5).expand(-1, 11, -1)
    torch.testing.assert_close(attention(constant), constant[:, 0])


def test_an_unknown_instrument_is_the_mean_of_the_known():
    torch.manual_seed(0)
    embedding = AssetEmbedding(4, 3)
    out = embedding(torch.tensor([0, 3, -1, 4, 99]))
    torch.testing.assert_close(out[:2], embedding.vector[[0, 3]])
    torch.testing.assert_close(out[2:], embedding.vector.mean(0).expand(3, -1))


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("layers", [1, 2])
def test_gru_heeds_the_order_of_the_bars(layers):
    config = MODELS.parse({"kind": "gru", "hidden": 16, "layers": layers})
    torch.manual_seed(0)
    net = MODELS.part("gru")(config, Shape(LOOKBACK, N_FEATURES, N_ASSETS, 3)).eval()
    windows = torch.randn(8, LOOKBACK, N_FEATURES)
    asset_id = torch.zeros(8, dtype=torch.int64)
    assert (net(windows, asset_id) - net(windows.flip(1), asset_id)).abs().max() > 1e-4


@pytest.mark.parametrize("kind", ["gru", "mlp"])
def test_weights_of_another_shape_are_refused(kind):
    train, validate = samples(n=300)
    fitted = training.run(job(kind, train, validate, {"epochs": 1}), MemoryLedger()).fitted
    with pytest.raises(ArtifactError, match="cannot be restored"):
        restore(fitted.config, fitted.shape._replace(n_assets=9), fitted.files())


@pytest.mark.parametrize("head", ["barrier", "buy"])
def test_logistic_is_that_of_scikit_learn(head):
    train, validate = samples(n=800, weights=True)
    model = {"head": head, "l2": 1e-2, "tolerance": 1e-9, "max_iterations": 500}
    fitted = training.run(job("logistic", train, validate, model=model), MemoryLedger()).fitted
    x = train.windows.tabular(train.rows).astype(np.float64)
    x = (x - x.mean(0)) / x.std(0)
    y = train.outcome if head == "barrier" else train.outcome == 1
    weight = train.weight / train.weight.mean()
    reference = LogisticRegression(C=1 / (1e-2 * y.size), tol=1e-10, max_iter=2000)
    expected = reference.fit(x, y, weight).predict_proba(x)
    found = fitted.raw(train.windows.tabular(train.rows), train.windows.ids(train.rows))
    np.testing.assert_allclose(found, expected if head == "barrier" else expected[:, 1:], atol=1e-5)


def test_logistic_takes_a_constant_column_and_an_outcome_that_never_came():
    train, validate = samples(n=400)
    train.windows.features[:, 1] = 0.5
    rest = train._replace(outcome=np.where(train.outcome == 0, -1, train.outcome).astype(np.int8))
    fitted = training.run(job("logistic", rest, validate), MemoryLedger()).fitted
    out = fitted.raw(rest.windows.tabular(rest.rows), rest.windows.ids(rest.rows))
    assert np.isfinite(out).all()
    assert out[:, 1].max() < 1e-3


def test_lightgbm_is_silent(capfd):
    train, validate = samples(n=300)
    fitted = training.run(job("lightgbm", train, validate), MemoryLedger()).fitted
    restore(fitted.config, fitted.shape, fitted.files())
    assert capfd.readouterr() == ("", "")
