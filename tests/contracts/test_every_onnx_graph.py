"""Promises that every model's ONNX graph keeps: through another runtime the same probabilities.

The options that change a graph are walked through in tests/proofs/onnx.py, since exporting takes
seconds a network.
"""

import sys

import lightgbm
import numpy as np
import onnx
import pytest

from models.graphs import KINDS, TABULAR, assert_same, drawn, drawn_tabular, session
from touchstone import training
from touchstone.errors import ConfigError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, Shape
from touchstone.models.lightgbm import Lightgbm, LightgbmConfig
from touchstone.models.onnx import to_onnx
from training.planted import ensembled, job, samples


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in TABULAR])
def test_a_network_says_the_same_through_another_runtime(kind):
    fitted = drawn({"kind": kind})
    content = to_onnx(fitted, {"lookback": "6"})
    assert_same(fitted, content)
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert [(p.key, p.value) for p in model.metadata_props] == [("lookback", "6")]
    assert b".py" not in content, "a trace of the exporter's stack, with its paths"
    if kind == "mlp":
        assert to_onnx(fitted, {"lookback": "6"}) == content


@pytest.mark.parametrize("head", ["barrier", "buy"])
@pytest.mark.parametrize("kind", TABULAR)
def test_a_tabular_kind_says_the_same_through_another_runtime(kind, head):
    fitted = drawn_tabular({"kind": kind, "head": head})
    content = to_onnx(fitted, {})
    assert_same(fitted, content)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    assert to_onnx(fitted, {}) == content


def test_a_tabular_kind_without_a_graph_says_what_to_write():
    fitted = drawn_tabular({"kind": "logistic", "head": "buy"})
    other = type("OtherConfig", (), {"kind": "forest", "head": "buy"})()
    with pytest.raises(ConfigError, match=r"'forest' has no ONNX graph.*graph\(fitted\)"):
        to_onnx(fitted.__class__(other, fitted.shape, fitted.coefficients), {})


def test_an_ensemble_says_what_to_export_in_its_place():
    train, validate = samples(n=900)
    asked = MODELS.parse("ensemble")
    members = [training.run(job(m.kind, train, validate), MemoryLedger()).fitted
               for m in asked.members]  # fmt: skip
    with pytest.raises(ConfigError, match="export its members"):
        to_onnx(ensembled(asked, members, validate), {})


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ConfigError, match=r"touchstone\[onnx\]"):
        to_onnx(drawn({"kind": "mlp"}), {})


@pytest.mark.parametrize("use_missing", [True, False])
@pytest.mark.parametrize("objective", ["binary", "multiclass"])
def test_trees_send_a_missing_value_where_lightgbm_does(objective, use_missing):
    """Trees that met missing values, and trees that met none, at values on and beside a split."""
    rng = np.random.default_rng(3)
    rows = np.round(rng.normal(size=(1500, 4)), 1).astype(np.float32)
    label = (rows[:, 0] + rng.normal(0, 0.5, 1500) > 0).astype(float)
    given = rows.copy()
    if use_missing:
        given[rng.random(given.shape) < 0.2] = np.nan
    n_outcomes = 1 if objective == "binary" else 3
    if n_outcomes == 3:
        label += rows[:, 1] > 0
    told = {"objective": objective, "num_class": n_outcomes, "verbose": -1, "num_threads": 1}
    told |= {"min_data_in_leaf": 5, "num_leaves": 31, "use_missing": use_missing}
    booster = lightgbm.train(told, lightgbm.Dataset(given, label), 20)
    shape = Shape(4, 1, 1, n_outcomes)
    fitted = Lightgbm.of(LightgbmConfig(), shape, booster.model_to_string())
    asked = np.concatenate([rows, np.nextafter(rows, np.float32(9)), rows, np.full_like(rows, 0)])
    asked[3000:][rng.random((3000, 4)) < 0.5] = np.nan
    (said,) = session(to_onnx(fitted, {})).run(["probability"], {"rows": asked})
    right = booster.predict(asked, num_threads=1).reshape(len(asked), -1)
    np.testing.assert_allclose(said, right, rtol=0, atol=1e-5)
    assert np.ptp(right[:, -1]) > 0.5


def test_trees_of_one_leaf_and_no_trees_at_all_keep_their_base_rate():
    rows = np.zeros((50, 2), np.float32)
    label = np.arange(50) < 20
    told = {"objective": "binary", "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(told, lightgbm.Dataset(rows, label.astype(float)), 2)
    fitted = Lightgbm.of(LightgbmConfig(), Shape(2, 1, 1, 1), booster.model_to_string())
    (said,) = session(to_onnx(fitted, {})).run(["probability"], {"rows": rows})
    np.testing.assert_allclose(said, booster.predict(rows).reshape(-1, 1), atol=1e-6)


def test_splits_that_the_format_cannot_say_are_refused():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 5, (400, 2)).astype(float)
    label = np.isin(rows[:, 0], (1, 3)).astype(float)
    told = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    for more, columns in (({}, [0]), ({"zero_as_missing": True}, "auto")):
        data = lightgbm.Dataset(rows, label, categorical_feature=columns)
        booster = lightgbm.train(told | more, data, 2)
        fitted = Lightgbm.of(LightgbmConfig(), Shape(2, 1, 1, 1), booster.model_to_string())
        with pytest.raises(ConfigError, match="no ONNX form"):
            to_onnx(fitted, {})
