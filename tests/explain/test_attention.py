"""Attention: shares of what can be seen, read without touching what is scored."""

import functools

import numpy as np
import pytest
import torch

from explain.subjects import LOOKBACK, NETWORKS, TABULAR, some, subject
from touchstone.errors import DataError
from touchstone.explain.attention import layer_weights, over_window, rollout
from touchstone.explain.margins import tensors
from touchstone.models.layers.attention import AdditiveAttention
from touchstone.models.layers.pooling import NewestAsks
from touchstone.models.layers.self_attention import SelfAttention
from touchstone.models.scoring import score

MORE = [
    ("gru", {"pooling": "self"}),
    ("gru", {"pooling": "multi_head"}),
    ("cnn_lstm", {"pool": 4}),
    ("cnn_lstm", {"pool": 2}),
    ("transformer", {"attention": "linear"}),
    ("transformer", {"attention": "performer"}),
    ("transformer", {"causal": False}),
]
WITH = [(kind, {}) for kind in NETWORKS] + MORE
IDS = ["-".join([kind, *map(str, more.values())]) for kind, more in WITH]


@functools.cache
def looked(kind, **more):
    return over_window([subject(kind, n=80, **more)])


@pytest.mark.parametrize(("kind", "more"), WITH, ids=IDS)
def test_weights_are_shares_of_what_is_seen(kind, more):
    found = looked(kind, **more)
    assert bool(found.layers) != bool(found.note)
    for layer in found.layers:
        assert (layer.heads >= 0).all()
        np.testing.assert_allclose(layer.heads.sum(1), 1, atol=1e-4)
        np.testing.assert_allclose(layer.heads.mean(0), layer.mean, atol=1e-9)
        assert len(layer.over) == layer.mean.size == layer.heads.shape[1]
        assert (layer.low <= layer.high).all()
        if layer.between is not None:
            np.testing.assert_allclose(layer.between.sum(1), 1, atol=1e-4)
            np.testing.assert_allclose(layer.between[-1], layer.mean, atol=1e-9)


@pytest.mark.parametrize("attention", ["softmax", "linear", "performer"])
def test_causal_networks_give_nothing_to_later_bars(attention):
    layers = looked("transformer", attention=attention).layers
    assert [layer.layer for layer in layers] == [
        "blocks.0.attention", "blocks.1.attention", "rollout"
    ]  # fmt: skip
    for layer in layers:
        assert not np.triu(layer.between, 1).any()
    free = looked("transformer", causal=False).layers
    assert all(np.triu(layer.between, 1).any() for layer in free)


@pytest.mark.parametrize(("kind", "more"), WITH, ids=IDS)
def test_looking_changes_no_bit_of_a_score_and_leaves_no_hook(kind, more):
    this = subject(kind, n=80, **more)
    before, files = score(this.fitted, this.windows, this.rows), this.fitted.files()
    over_window([this])
    np.testing.assert_array_equal(score(this.fitted, this.windows, this.rows), before)
    assert this.fitted.files() == files
    assert not any(m._forward_pre_hooks for m in this.fitted.network.modules())
    windows, ids = tensors(this.windows.gather(this.rows), this.windows.ids(this.rows))
    logits = this.fitted.network(windows, ids)
    handles = [m.register_forward_pre_hook(lambda *_: None) for m in this.fitted.network.modules()]
    watched = this.fitted.network(windows, ids)
    for handle in handles:
        handle.remove()
    assert torch.equal(logits, watched)


@pytest.mark.parametrize("kind", ["softmax", "linear", "performer"])
@pytest.mark.parametrize("causal", [True, False])
def test_self_attention_is_its_weights_times_its_values(kind, causal):
    torch.manual_seed(1)
    layer, steps = SelfAttention(8, 2, kind, causal=causal), torch.randn(5, 7, 8)
    value = layer.mixed(steps).view(5, 7, 3, 2, 4).permute(2, 0, 3, 1, 4)[2]
    found = (layer.weights(steps) @ value).transpose(1, 2).reshape(5, 7, 8)
    torch.testing.assert_close(layer.out(found), layer(steps), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("heads", [1, 4])
def test_pooling_is_its_weights_times_its_values(heads):
    torch.manual_seed(2)
    layer, steps = NewestAsks(8, heads), torch.randn(5, 7, 8)
    value = layer.pair(steps).view(5, 7, 2, heads, 8 // heads).permute(2, 0, 3, 1, 4)[1]
    found = (layer.weights(steps).unsqueeze(2) @ value).reshape(5, 8)
    torch.testing.assert_close(found, layer(steps))
    additive = AdditiveAttention(8)
    found = (additive.weights(steps).unsqueeze(1) @ steps).squeeze(1)
    torch.testing.assert_close(found, additive(steps))


def test_cross_attention_and_gate_are_what_the_hybrid_adds_up():
    this = subject("hybrid", n=5)
    network = this.fitted.network
    windows, ids = tensors(this.windows.gather(this.rows), this.windows.ids(this.rows))
    given = {}
    handle = network.crossed[1].register_forward_pre_hook(
        lambda _, inputs: given.update(inputs=inputs)
    )
    with torch.no_grad():
        network(windows, ids)
        handle.remove()
        newest, others, _ = given["inputs"]
        layer, size = network.crossed[1], newest.shape[2]
        q, k, _ = (
            torch.nn.functional.linear(x, w, b).view(5, -1, 4, size // 4).transpose(1, 2)
            for x, w, b in zip(
                (newest, others, others),
                layer.in_proj_weight.chunk(3),
                layer.in_proj_bias.chunk(3),
                strict=True,
            )
        )
        share = (q @ k.transpose(2, 3) / (size // 4) ** 0.5).softmax(-1)
        found = layer_weights(network, windows, ids)
        both = share[..., :LOOKBACK] + share[..., LOOKBACK:]
        torch.testing.assert_close(found["crossed.1"], both)
        torch.testing.assert_close(found["gate"][:, 0, 0], network.trust(windows))
    assert looked("hybrid").layers[-1].over == ("convolution", "recurrence", "transformer")


def test_rollout_follows_the_weights_step_by_step():
    rng = np.random.default_rng(0)
    blocks = [np.tril(rng.random((2, 3, 4, 4))) for _ in range(3)]
    blocks = [b / b.sum(-1, keepdims=True) for b in blocks]
    got = rollout([torch.from_numpy(b).float() for b in blocks]).numpy()[:, 0]
    for i in range(2):
        through = np.eye(4)
        for b in blocks:
            through = np.array([
                [sum((b[i, :, r, k].mean() + (r == k)) / 2 * through[k, c] for k in range(4))
                 for c in range(4)] for r in range(4)
            ])  # fmt: skip
        np.testing.assert_allclose(got[i], through, atol=1e-6)


def test_what_is_weighed_has_a_name():
    assert [layer.layer for layer in looked("volume_profile_cnn").layers] == ["attention"]
    assert looked("gru").layers[0].over == ("-5", "-4", "-3", "-2", "-1", "0")
    assert looked("cnn_lstm", pool=4).layers[0].over == ("-3 to 0",)
    assert looked("cnn_lstm", pool=2).layers[0].over == ("-5 to -4", "-3 to -2", "-1 to 0")
    assert looked("multiscale_cnn").layers[0].over == ("6 bars", "4 bars", "1 bar")
    assert looked("gru", pooling="multi_head").layers[0].heads.shape == (4, LOOKBACK)


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [("ensemble", {}, "several models in one")]
    + [(kind, {}, "summaries") for kind in TABULAR]
    + [("mlp", {}, "no layer"), ("gru", {"pooling": "last"}, "gru with pooling: last")],
)
def test_models_without_attention_say_so(kind, more, said):
    found = looked(kind, **more)
    assert found.layers == ()
    assert said in found.note
    assert "no attention" in found.note


def test_rows_of_any_order_and_of_several_folds_count_together():
    this = subject("transformer", n=80)
    whole = over_window([this])
    shuffled = over_window([some(this, np.random.default_rng(0).permutation(80))])
    parts = over_window([some(this, slice(0, 30)), some(this, slice(30, None))])
    for a, b, c in zip(whole.layers, shuffled.layers, parts.layers, strict=True):
        np.testing.assert_array_equal(a.heads, b.heads)
        np.testing.assert_allclose(a.heads, c.heads, atol=1e-6)
        np.testing.assert_allclose(a.low, c.low, atol=1e-6)
    with pytest.raises(DataError, match="no rows"):
        over_window([some(this, slice(0))])
