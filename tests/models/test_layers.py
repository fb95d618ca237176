"""Layers against what their papers say they compute."""

import itertools

import pytest
import torch

from touchstone.errors import ConfigError
from touchstone.models import MODELS, Shape
from touchstone.models.layers.convolution import BatchNorm, CausalConv, ResidualBlock
from touchstone.models.layers.pooling import pooling
from touchstone.models.layers.positions import LearnedPositions, SinusoidalPositions
from touchstone.models.layers.self_attention import SelfAttention, kernelled, orthogonal, positive
from touchstone.models.multiscale_cnn import means

N, LOOKBACK, SIZE = 3, 7, 8


@pytest.fixture
def steps():
    return torch.randn(N, LOOKBACK, SIZE, generator=torch.Generator().manual_seed(1))


def slow_attention(weight, value):
    """Weighted means of values, (n, heads, lookback, lookback) weights that need not sum to one."""
    return (weight / weight.sum(-1, keepdim=True)) @ value


@pytest.mark.parametrize("causal", [True, False])
def test_linear_attention_is_the_quadratic_one_of_its_kernel(causal):
    torch.manual_seed(0)
    query, key, value = (torch.rand(N, 2, LOOKBACK, 4) + 0.1 for _ in range(3))
    weight = query @ key.transpose(2, 3)
    weight = weight.tril() if causal else weight
    found = kernelled(query, key, value, causal=causal)
    torch.testing.assert_close(found, slow_attention(weight, value), atol=1e-5, rtol=1e-5)


def test_random_features_give_the_softmax_kernel_on_average():
    torch.manual_seed(0)
    x, y = torch.randn(4) * 0.5, torch.randn(4) * 0.5
    drawn = torch.stack(
        [positive(x, f) @ positive(y, f) for f in (orthogonal(4) for _ in range(4000))]
    )
    error = drawn.std() / len(drawn) ** 0.5
    assert abs(drawn.mean() - (x @ y).exp()) < 4 * error
    assert error < 0.02 * (x @ y).exp()


@pytest.mark.parametrize("kind", ["softmax", "linear", "performer"])
@pytest.mark.parametrize("causal", [True, False])
def test_attention_sees_what_it_may(kind, causal, steps):
    torch.manual_seed(2)
    layer = SelfAttention(SIZE, 2, kind, causal=causal)
    later = steps.clone()
    later[:, 4:] += 1
    changed = (layer(later) - layer(steps)).abs().amax((0, 2)) > 1e-5
    assert changed[4:].all()
    assert changed[:4].any() != causal


@pytest.mark.parametrize("kind", ["last", "mean", "additive", "self", "multi_head"])
def test_pooling_gives_one_vector_of_what_it_may_see(kind, steps):
    torch.manual_seed(3)
    layer = pooling(kind, SIZE)
    found = layer(steps)
    assert found.shape == (N, SIZE)
    if kind == "last":
        assert torch.equal(found, steps[:, -1])
    elif kind == "mean":
        torch.testing.assert_close(found, steps.mean(1))
    else:  # of equal steps every attention gives one and the same
        same = steps[:, -1:].expand(-1, LOOKBACK, -1)
        torch.testing.assert_close(layer(same), layer(same[:, -1:]), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [7, 8])
def test_a_position_is_an_age_whatever_the_lookback(size):
    long, short = SinusoidalPositions(9, size).table, SinusoidalPositions(4, size).table
    torch.testing.assert_close(long[-4:], short)
    assert len({tuple(row) for row in long.tolist()}) == 9
    learned = LearnedPositions(4, size)
    assert torch.equal(learned(torch.zeros(2, 4, size))[1], learned.vector)


def test_convolutions_see_no_later_step():
    torch.manual_seed(4)
    channels = torch.randn(2, 4, 12)
    later = channels.clone()
    later[:, :, 8:] += 1
    for layer in (CausalConv(4, 4, 3, 2), ResidualBlock(4, 3, 2, 0.0)):
        changed = (layer(later) - layer(channels)).abs().amax((0, 1)) > 1e-6
        assert layer(channels).shape == channels.shape
        assert changed[8:].all()
        assert not changed[:8].any()


@pytest.mark.parametrize("scale", [1, 3, 4, 7])
def test_a_scale_is_means_counted_back_from_the_newest(scale):
    channels = torch.arange(7.0).view(1, 1, 7)
    ends = range(7, scale - 1, -scale)
    expected = [sum(range(end - scale, end)) / scale for end in ends][::-1]
    assert means(channels, scale).flatten().tolist() == pytest.approx(expected)


OPTIONS = {
    "gru": {"bidirectional": [False, True], "pooling": ["last", "mean", "self", "multi_head"]},
    "lstm": {"bidirectional": [False, True], "layers": [1, 2]},
    "cnn_lstm": {"pool": [1, 2, 99], "convolutions": [1, 2]},
    "transformer": {
        "attention": ["softmax", "linear", "performer"], "positions": ["sinusoidal", "learned"],
        "causal": [True, False],
    },
    "multiscale_cnn": {"scales": [(1,), (1, 2), (5, 1, 15)]},
    "volume_profile_cnn": {"first": [0, 1], "bins": [None, 2]},
    "hybrid": {"heads": [1, 4]},
}  # fmt: skip


@pytest.mark.parametrize("kind", OPTIONS)
def test_every_option_makes_a_network_that_trains(kind):
    windows, ids = torch.randn(6, 6, 3), torch.arange(6)
    for values in itertools.product(*OPTIONS[kind].values()):
        torch.manual_seed(5)
        config = MODELS.parse({"kind": kind, **dict(zip(OPTIONS[kind], values, strict=True))})
        net = MODELS.part(kind)(config, Shape(6, 3, 4, 3))
        logits = net(windows, ids)
        logits.logsumexp(1).sum().backward()
        assert logits.shape == (6, 3), values
        assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters()), values


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"kind": "transformer", "width": 30}, "width 30 is no multiple of heads 4; take width 28"),
        ({"kind": "hybrid", "heads": 5}, "width 32 is no multiple of heads 5; take width 30"),
        ({"kind": "volume_profile_cnn", "first": 2, "bins": 9}, "study has 3 features"),
    ],
)
def test_what_cannot_be_built_says_what_to_change(wish, says):
    with pytest.raises(ConfigError, match=says):
        MODELS.part(wish["kind"])(MODELS.parse(wish), Shape(6, 3, 4, 3))


def test_heads_that_do_not_share_the_units_are_refused_with_a_way_out():
    with pytest.raises(ConfigError, match=r"4 heads, and 30 units.*take hidden 28"):
        pooling("multi_head", 30)


def test_a_batch_of_one_step_is_normalised_by_what_was_seen_before():
    norm = BatchNorm(3)
    norm(torch.randn(50, 3, 2))
    one = torch.randn(1, 3, 1)
    learning = norm(one)
    assert torch.equal(learning, norm.eval()(one))
    assert learning.isfinite().all()
