"""Promises that every model keeps. A new file in models/ is tested here with no new test."""

import functools
from typing import get_args

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.errors import ArtifactError, ConfigError, DataError, TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.metrics.classification import roc_auc
from touchstone.models import MODELS, OUTCOMES, TASKS, Shape, TabularHead, restore
from touchstone.models.layers.network import Network, probabilities
from touchstone.models.scoring import score, score_inputs
from training.planted import LOOKBACK, N_ASSETS, N_FEATURES, ensembled, job, samples

KINDS = MODELS.kinds()
NETWORKS = [kind for kind in KINDS if MODELS.part(kind).inputs == "window"]
TABULAR = [kind for kind in KINDS if MODELS.part(kind).inputs == "tabular"]
SAMPLED = [*NETWORKS, *TABULAR]
"""Kinds that are fitted to samples; an ensemble is fitted to what its members say."""


@functools.cache
def planted(strength=1.5):
    return samples(strength=strength)


@functools.cache
def fitted(kind, head="barrier", strength=1.5):
    return fit(kind, head, strength)


def fit(kind, head="barrier", strength=1.5):
    train, validate = planted(strength)
    if kind not in SAMPLED:
        members = [{"kind": one, "head": head} for one in ("mlp", "lightgbm", "logistic")]
        config = MODELS.parse({"kind": kind, "members": members})
        asked = [fitted(one["kind"], head, strength) for one in members]
        return ensembled(config, asked, validate)
    recipe = {"loss": "multi_task"} if head == "multi_task" else {}
    this = job(kind, train, validate, recipe, model={"head": head})
    return training.run(this, MemoryLedger()).fitted


def inputs_of(model, rows):
    windows = planted()[1].windows
    take = windows.gather if model.inputs == "window" else windows.tabular
    return take(rows), windows.ids(rows)


HEADS = [(kind, head) for kind in NETWORKS for head in OUTCOMES]
HEADS += [(kind, head) for kind in KINDS if kind not in NETWORKS for head in get_args(TabularHead)]


@pytest.fixture(params=HEADS, ids="-".join)
def model(request):
    return fitted(*request.param)


ROWS = np.arange(LOOKBACK, 400)


def test_scores_are_probabilities_of_its_outcomes(model):
    out = score(model, planted()[1].windows, ROWS)
    assert (out.dtype, out.shape) == (np.float64, (ROWS.size, model.shape.n_outcomes))
    assert ((out >= 0) & (out <= 1)).all()
    if model.shape.n_outcomes == 3:
        np.testing.assert_allclose(out.sum(1), 1, atol=2e-6)


def test_scores_are_rounded_and_no_rows_have_no_scores(model):
    windows = planted()[1].windows
    out = score(model, windows, ROWS)
    np.testing.assert_array_equal(out, np.round(out, 6))
    assert score(model, windows, ROWS[:0]).shape == (0, model.shape.n_outcomes)


def test_comes_back_from_its_files(model):
    files = model.files()
    again = restore(model.config, model.shape, files)
    assert again.files() == files
    assert (again.best_epoch, again.shape) == (model.best_epoch, model.shape)
    windows = planted()[1].windows
    np.testing.assert_array_equal(score(again, windows, ROWS), score(model, windows, ROWS))


def test_files_are_of_sorts_that_run_no_code(model):
    for name in model.files():
        assert name.endswith((".safetensors", ".json", ".txt")), name


def test_refuses_files_that_are_not_its_own(model):
    files = model.files()
    with pytest.raises(ArtifactError, match="no file"):
        restore(model.config, model.shape, {})
    for name, content in files.items():
        with pytest.raises(ArtifactError):
            restore(model.config, model.shape, files | {name: content[: len(content) // 3]})
        with pytest.raises(ArtifactError):
            restore(model.config, model.shape, files | {name: b"garbage"})
    with pytest.raises(ArtifactError, match="outcomes"):
        restore(model.config, model.shape._replace(n_outcomes=2), files)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_job_gives_the_same_bytes(kind):
    assert fit(kind).files() == fitted(kind).files()


def test_a_row_scores_the_same_alone_as_among_many(model):
    windows = planted()[1].windows
    together = score(model, windows, ROWS)
    alone = np.concatenate([score(model, windows, ROWS[i : i + 1]) for i in range(0, 99, 7)])
    np.testing.assert_array_equal(alone, together[:99:7])
    shuffled = np.random.default_rng(0).permutation(ROWS.size)
    np.testing.assert_array_equal(score(model, windows, ROWS[shuffled]), together[shuffled])
    inputs, ids = inputs_of(model, ROWS)
    raw = model.raw(inputs, ids)
    one = np.concatenate([model.raw(inputs[i : i + 1], ids[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(one, raw[:9], atol=1e-5)
    np.testing.assert_allclose(together, raw, atol=1e-5)
    np.testing.assert_array_equal(score_inputs(model, inputs, ids), together)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_a_value_that_is_not_finite(model, bad):
    inputs, ids = inputs_of(model, ROWS[:70])
    inputs = inputs.copy()
    inputs[66].flat[1] = bad
    with pytest.raises(DataError, match="not finite"):
        score_inputs(model, inputs, ids)


def test_refuses_inputs_of_another_shape(model):
    inputs, ids = inputs_of(model, ROWS[:5])
    with pytest.raises(DataError, match="shape"):
        model.raw(np.ascontiguousarray(inputs[..., :-1]), ids)
    with pytest.raises(DataError, match="asset ids"):
        score_inputs(model, inputs, ids[:-1])


def test_scores_instruments_that_it_never_met(model):
    inputs, _ = inputs_of(model, ROWS[:3])
    outs = [score_inputs(model, inputs, np.full(3, i, np.int32)) for i in (-1, N_ASSETS, 10**6)]
    assert np.isfinite(outs[0]).all()
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])


def test_does_not_change_while_it_scores(model):
    before, windows = model.files(), planted()[1].windows
    score(model, windows, ROWS)
    assert model.files() == before


@pytest.mark.parametrize("kind", SAMPLED)
def test_fit_refuses_a_feature_that_is_not_finite(kind):
    train, validate = samples(n=300)
    train.windows.features[train.rows[5], 1] = np.nan
    with pytest.raises(TrainingError, match="feature number"):
        training.run(job(kind, train, validate), MemoryLedger())


@pytest.mark.parametrize("kind", KINDS)
def test_finds_an_edge_that_is_there(kind):
    _, validate = planted()
    out = score(fitted(kind), validate.windows, validate.rows)
    assert roc_auc(out[:, 2], validate.outcome == 1) > 0.8
    assert roc_auc(out[:, 0], validate.outcome == -1) > 0.75
    assert (
        roc_auc(
            score(fitted(kind, "buy"), validate.windows, validate.rows)[:, 0], validate.outcome == 1
        )
        > 0.8
    )


@pytest.mark.parametrize("kind", KINDS)
def test_finds_none_where_there_is_none(kind):
    fresh = planted(0.0)[1].windows
    rows = np.setdiff1d(np.arange(LOOKBACK, 1200), np.r_[planted(0.0)[0].rows])
    hit = np.random.default_rng(5).random(rows.size) < 0.2
    assert 0.4 < roc_auc(score(fitted(kind, strength=0.0), fresh, rows)[:, 2], hit) < 0.6
    validate = planted(0.0)[1]
    out = score(fitted(kind, strength=0.0), validate.windows, validate.rows)
    assert roc_auc(out[:, 2], validate.outcome == 1) < 0.62


@pytest.mark.parametrize("kind", KINDS)
def test_config_survives_its_own_json_and_refuses_other_keys(kind):
    config = MODELS.config(kind)()
    assert config.kind == kind
    assert MODELS.parse(config.model_dump(mode="json")) == config
    with pytest.raises(ConfigError, match="no such key"):
        MODELS.parse({"kind": kind, "lenght": 3})


def network(kind, head="barrier"):
    torch.manual_seed(3)
    config = MODELS.parse({"kind": kind, "head": head, "dropout": 0.0})
    shape = Shape(LOOKBACK, N_FEATURES, N_ASSETS, len(OUTCOMES[head]))
    return MODELS.part(kind).built(config, shape)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("head", OUTCOMES)
def test_gradient_reaches_every_parameter(kind, head):
    net = network(kind, head)
    assert isinstance(net, Network)
    windows = torch.randn(64, LOOKBACK, N_FEATURES)
    asset_id = torch.arange(64) % N_ASSETS
    logits = net(windows, asset_id)
    n_outcomes, n_more = len(OUTCOMES[head]), sum(TASKS.values()) if head == "multi_task" else 0
    assert logits.shape == (64, n_outcomes + n_more)
    more = logits[:, n_outcomes:].square().sum()
    ((probabilities(logits)[:, -1] * torch.randn(64)).sum() + more).backward()
    assert (net.head.weight.grad.abs().amax(1) > 0).all()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("kind", NETWORKS)
def test_can_learn_one_batch_by_heart(kind):
    net = network(kind)
    windows, asset_id = torch.randn(24, LOOKBACK, N_FEATURES), torch.arange(24) % N_ASSETS
    truth = torch.randint(0, 3, (24,))
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    for _ in range(200):
        loss = torch.nn.functional.cross_entropy(net(windows, asset_id), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.02


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_knows_its_instruments(kind):
    net = network(kind).eval()
    windows = torch.zeros(N_ASSETS, LOOKBACK, N_FEATURES)
    with torch.no_grad():
        logits = net(windows, torch.arange(N_ASSETS))
    assert len({tuple(row) for row in logits.tolist()}) == N_ASSETS


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_step_depends_on_no_later_bar_where_a_network_claims_so(kind):
    net = network(kind).eval()
    if not net.causal:
        pytest.skip(f"{kind} claims nothing about its steps")
    windows, asset_id = torch.randn(5, LOOKBACK, N_FEATURES), torch.arange(5) % N_ASSETS
    other = windows.clone()
    other[:, LOOKBACK // 2 :] = torch.randn(5, LOOKBACK - LOOKBACK // 2, N_FEATURES)
    with torch.no_grad():
        before, after = net.states(windows, asset_id), net.states(other, asset_id)
    torch.testing.assert_close(before[:, : LOOKBACK // 2], after[:, : LOOKBACK // 2])
    assert not torch.allclose(before[:, -1], after[:, -1])
