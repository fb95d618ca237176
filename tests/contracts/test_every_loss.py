"""Promises that every loss keeps. A new file in training/losses/ is tested here as it is."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.training.losses import LOSSES

KINDS = LOSSES.kinds()


@pytest.fixture(params=KINDS)
def loss(request):
    config = LOSSES.config(request.param)()
    part = LOSSES.part(request.param)
    return lambda log_p, truth: part(log_p, truth, config)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_is_one_number_per_row_not_below_zero(loss, n_classes):
    torch.manual_seed(0)
    log_p = torch.randn(50, n_classes).mul(3).log_softmax(1)
    out = loss(log_p, torch.arange(50) % n_classes)
    assert out.shape == (50,)
    assert (out >= 0).all()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("logit", [-60.0, -3.0, 0.0, 3.0, 60.0])
def test_gradient_is_finite_even_where_the_network_is_certain(loss, n_classes, logit):
    for truth in range(n_classes):
        logits = torch.zeros(1, n_classes)
        logits[0, 0] = logit
        logits.requires_grad_()
        loss(logits.log_softmax(1), torch.tensor([truth])).sum().backward()
        assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(st.floats(0.02, 0.9), st.floats(0.02, 0.98), st.integers(0, 2))
def test_falls_as_the_probability_of_what_came_rises(kind, p, share, truth):
    part, config = LOSSES.part(kind), LOSSES.config(kind)()
    rest = torch.tensor([share, 1 - share], dtype=torch.float64)

    def at(probability):
        others = (rest * (1 - probability)).tolist()
        others.insert(truth, probability)
        row = torch.tensor([others], dtype=torch.float64)
        return float(part(row.log(), torch.tensor([truth]), config))

    assert at(p) > at(p + 0.05) >= 0


def test_is_nothing_where_the_network_was_certain_and_right(loss):
    log_p = torch.tensor([[-1e-9, -40.0, -40.0], [-40.0, -40.0, -1e-9]])
    assert (loss(log_p, torch.tensor([0, 2])) < 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
def test_config_survives_its_own_json_and_refuses_other_keys(kind):
    config = LOSSES.config(kind)()
    assert config.kind == kind
    assert LOSSES.parse(config.model_dump(mode="json")) == config
    with pytest.raises(ConfigError, match="no such key"):
        LOSSES.parse({"kind": kind, "lenght": 3})
