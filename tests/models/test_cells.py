"""Operations and cells: what they may see, and that every wiring is a network like any other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.models import MODELS, Shape
from touchstone.models.darts import Darts, DartsConfig
from touchstone.models.layers.cells import heard
from touchstone.models.layers.operations import DILATION, NONE, OPERATIONS, POOLED, operation

WIDTH, LOOKBACK = 8, 14
SHAPE = Shape(LOOKBACK, 3, 4, 3)
REACH = {"skip": 0, "conv3": 2, "conv5": 4, "dilated3": 2 * DILATION, "attention": LOOKBACK,
         "average_pool": POOLED - 1, "max_pool": POOLED - 1, NONE: -1}  # fmt: skip


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("name", [NONE, *OPERATIONS])
def test_an_operation_sees_so_far_back_and_nothing_later(name, affine):
    torch.manual_seed(1)
    layer = operation(name, WIDTH, LOOKBACK, affine=affine)
    channels = torch.randn(5, WIDTH, LOOKBACK)
    assert layer(channels).shape == channels.shape
    at, seen = 3, set()
    for sign in (-3, 3):  # a maximum feels only what is larger
        other = channels.clone()
        other[:, :, at] += sign * torch.rand(WIDTH)
        changed = (layer(other) - layer(channels)).abs().amax((0, 1)) > 1e-6
        seen |= set(np.flatnonzero(changed).tolist())
    assert min(seen, default=at) >= at
    assert max(seen, default=at - 1) - at == min(REACH[name], LOOKBACK - 1 - at)
    has_scale = any("norm" in key for key, _ in layer.named_parameters())
    assert has_scale == (affine and name not in (NONE, "skip"))


@pytest.mark.parametrize(("name", "pool"), [("average_pool", "mean"), ("max_pool", "amax")])
def test_pooling_is_of_a_step_and_those_before_it(name, pool):
    layer = operation(name, WIDTH, LOOKBACK, affine=False)
    layer.norm = torch.nn.Identity()
    channels = torch.randn(2, WIDTH, LOOKBACK, generator=torch.Generator().manual_seed(0))
    found = layer(channels)
    for step in range(LOOKBACK):
        at = [max(step - back, 0) for back in range(POOLED)]
        torch.testing.assert_close(found[:, :, step], getattr(channels[:, :, at], pool)(2))


def test_attention_finds_a_mark_however_far_back_and_knows_how_far():
    torch.manual_seed(0)
    layer = operation("attention", WIDTH, LOOKBACK)
    channels = torch.zeros(1, WIDTH, LOOKBACK)
    marks = []
    for age in (1, 5, 9):
        other = channels.clone()
        other[0, :, -1 - age] = 1.0
        marks.append((layer(other) - layer(channels))[0, :, -1])
    assert all(mark.abs().max() > 1e-4 for mark in marks)
    assert not torch.allclose(marks[0], marks[2], atol=1e-4)


@st.composite
def wirings(draw):
    """Any genotype of one to three nodes."""
    nodes = []
    for k in range(draw(st.integers(1, 3))):
        places = draw(st.lists(st.integers(0, k + 1), min_size=2, max_size=2, unique=True))
        names = draw(st.lists(st.sampled_from(OPERATIONS), min_size=2, max_size=2))
        nodes.append(tuple(zip(places, names, strict=True)))
    return tuple(nodes)


@settings(max_examples=25, deadline=None)
@given(wirings(), st.integers(1, 4), st.integers(0, 2**31))
def test_every_wiring_is_a_network_whose_parameters_all_learn(genotype, cells, seed):
    torch.manual_seed(seed)
    config = DartsConfig(genotype=genotype, cells=cells, width=WIDTH, dropout=0.0)
    net = Darts.built(config, SHAPE)
    windows, ids = torch.randn(32, LOOKBACK, 3), torch.arange(32) % 4
    (net(windows, ids) * torch.randn(32, 3)).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    other = windows.clone()
    other[:, LOOKBACK // 2 :] = torch.randn(32, LOOKBACK - LOOKBACK // 2, 3)
    with torch.no_grad():
        before, after = net.states(windows, ids), net.states(other, ids)
    torch.testing.assert_close(before[:, : LOOKBACK // 2], after[:, : LOOKBACK // 2])


def test_cells_that_nobody_hears_are_not_there():
    assert heard([[0, 1]], 3) == [0, 1, 2]
    assert heard([[0, 2]], 4) == [1, 3]
    assert heard([[1, 2]], 3) == [0, 1, 2]
    assert heard([[0, 1]], 1) == [0]


def test_a_genotype_is_written_as_yaml_and_read_again():
    told = {
        "kind": "darts",
        "genotype": [[[0, "conv3"], [1, "skip"]], [[2, "attention"], [0, "max_pool"]]],
    }
    config = MODELS.parse(told)
    assert config.genotype == (((0, "conv3"), (1, "skip")), ((2, "attention"), (0, "max_pool")))
    assert MODELS.parse(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("genotype", "says"),
    [
        ([[[0, "conv3"], [2, "skip"]]], "node 0 takes from place 2, which comes after it"),
        ([[[1, "conv3"], [1, "skip"]]], "node 0 takes from place 1 twice"),
        ([[[0, "conv3"], [1, "none"]]], "Input should be 'skip'"),
        ([[[0, "conv3"]]], "genotype"),
        ([], "genotype"),
    ],
)
def test_a_wiring_that_cannot_be_says_why(genotype, says):
    with pytest.raises(ConfigError, match=says):
        MODELS.parse({"kind": "darts", "genotype": genotype})
