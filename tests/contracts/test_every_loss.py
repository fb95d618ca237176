"""Promises that every loss keeps. A new file in training/losses/ is tested here as it is."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.training.losses import LOSSES, NOTHING, Beside, row_losses, wants

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


def beside(n, n_classes, seed=0):
    """Something of everything that a loss may want."""
    draw = torch.Generator().manual_seed(seed)
    teacher = torch.randn(n, n_classes, generator=draw, dtype=torch.float64).softmax(1)
    tasks = torch.randn(n, 3, generator=draw, dtype=torch.float64)
    tasks[:, 2] = torch.arange(n) % 3
    return Beside(teacher, tasks, torch.randn(n, 5, generator=draw, dtype=torch.float64))


def slow(kind, config, p, truth, more):
    """Each loss of one row, from plain probabilities, in Python's own numbers."""
    if kind == "cross_entropy":
        return -math.log(p[truth])
    if kind == "focal":
        weight = config.alpha if truth == len(p) - 1 else 1 - config.alpha
        return -weight * (1 - p[truth]) ** config.gamma * math.log(p[truth])
    if kind == "weighted_bce":
        return -(config.positive if truth == len(p) - 1 else 1.0) * math.log(p[truth])
    if kind == "bce":
        return -sum(math.log(q if c == truth else 1 - q) for c, q in enumerate(p)) / 2
    if kind == "distillation":
        heat = config.temperature
        flat = [[q ** (1 / heat) for q in row] for row in (more.teacher, p)]
        q, r = ([one / sum(row) for one in row] for row in flat)
        soft = sum(a * math.log(a / b) for a, b in zip(q, r, strict=True))
        return -(1 - config.weight) * math.log(p[truth]) + config.weight * heat**2 * soft
    assert kind == "multi_task", f"no slow reference of {kind}: write one here"
    odds = [math.exp(one) for one in more.said[2:]]
    return (
        slow(config.base.kind, config.base, p, truth, more)
        + config.weight_return * (more.said[0] - more.tasks[0]) ** 2 / 2
        + config.weight_volatility * (more.said[1] - more.tasks[1]) ** 2 / 2
        - config.weight_regime * math.log(odds[int(more.tasks[2])] / sum(odds))
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_is_its_formula_row_by_row(kind, n_classes):
    config, more = LOSSES.config(kind)(), beside(30, n_classes)
    torch.manual_seed(1)
    log_p = torch.randn(30, n_classes, dtype=torch.float64).mul(2).log_softmax(1)
    truth = torch.arange(30) % n_classes
    found = row_losses(config, log_p, truth, more)
    for row in range(30):
        alone = Beside(*(one[row].tolist() for one in more))
        expected = slow(kind, config, log_p[row].exp().tolist(), int(truth[row]), alone)
        assert float(found[row]) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    torch.testing.assert_close(
        row_losses(config, log_p.float(), truth, Beside(*(one.float() for one in more))),
        found.float(), rtol=1e-4, atol=1e-5,
    )  # fmt: skip


def mean_loss(config, log_p, odds):
    """Expected loss where class c comes with chance odds[c], a teacher says so, tasks are hit."""
    more = Beside(odds.unsqueeze(0), torch.zeros(1, 3, dtype=torch.float64), torch.zeros(1, 5))
    rows = [row_losses(config, log_p, torch.tensor([c]), more) for c in range(odds.numel())]
    return sum(chance * row.sum() for chance, row in zip(odds, rows, strict=True))


def least(config, odds):
    """Probabilities of the least expected loss, found by following its gradient."""
    logits = torch.zeros(1, odds.numel(), dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def step():
        search.zero_grad()
        loss = mean_loss(config, logits.log_softmax(1), odds)
        loss.backward()
        return loss

    search.step(step)
    return logits.detach().softmax(1)[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odds", [(0.2, 0.7, 0.1), (0.05, 0.35, 0.6), (0.8, 0.2)])
def test_a_loss_that_says_it_is_proper_is_least_at_the_truth_and_no_other_is(kind, odds):
    config, truth = LOSSES.config(kind)(), torch.tensor(odds, dtype=torch.float64)
    off = (least(config, truth) - truth).abs().max()
    assert off < 1e-3 if config.proper else off > 0.02


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("logit", [-90.0, -30.0, 30.0, 90.0])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_finite_with_all_that_it_may_look_at(kind, n_classes, logit):
    certain = torch.zeros(3, n_classes)
    certain[:, 1] = logit
    more = Beside(*(one.float() for one in beside(3, n_classes)))
    teacher = torch.nn.functional.one_hot(torch.arange(3) % n_classes, n_classes).float()
    certain.requires_grad_()
    said = (more.said * abs(logit)).requires_grad_()
    more = Beside(teacher, more.tasks, said)
    truth = torch.arange(3) % n_classes
    row_losses(LOSSES.config(kind)(), certain.log_softmax(1), truth, more).sum().backward()
    assert torch.isfinite(certain.grad).all()
    assert said.grad is None or torch.isfinite(said.grad).all()


AS_PLAIN = {
    "cross_entropy": ({}, 1.0, (2, 3)),
    "bce": ({}, 1.0, (2,)),
    "focal": ({"gamma": 0.0, "alpha": 0.5}, 0.5, (2, 3)),
    "weighted_bce": ({"positive": 1.0}, 1.0, (2, 3)),
    "distillation": ({"weight": 0.0}, 1.0, (2, 3)),
    "multi_task": (
        {"weight_return": 0.0, "weight_volatility": 0.0, "weight_regime": 0.0}, 1.0, (2, 3),
    ),
}  # fmt: skip
"""Settings at which a loss is so many cross-entropies, and of how many classes."""


@pytest.mark.parametrize("kind", KINDS)
def test_is_the_cross_entropy_at_some_settings(kind):
    settings_, factor, sizes = AS_PLAIN[kind]
    config = LOSSES.parse({"kind": kind, **settings_})
    for n_classes in sizes:
        torch.manual_seed(2)
        log_p = torch.randn(20, n_classes, dtype=torch.float64).log_softmax(1)
        truth = torch.arange(20) % n_classes
        found = row_losses(config, log_p, truth, beside(20, n_classes))
        torch.testing.assert_close(found, factor * -log_p[range(20), truth])


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_wants_is_what_it_looks_at(kind):
    config, log_p = LOSSES.config(kind)(), torch.randn(9, 3, dtype=torch.float64).log_softmax(1)
    truth, more = torch.arange(9) % 3, beside(9, 3)
    for name in ("teacher", "tasks"):
        other = more._replace(**{name: getattr(beside(9, 3, seed=1), name)})
        same = torch.equal(
            row_losses(config, log_p, truth, more), row_losses(config, log_p, truth, other)
        )
        assert same is (name not in wants(config))
    alone = row_losses(config, log_p, truth)
    assert torch.equal(row_losses(config, log_p, truth, NOTHING), alone)


@pytest.mark.parametrize("weight", ["weight_return", "weight_volatility", "weight_regime"])
def test_the_weight_of_a_task_scales_it(weight):
    more, log_p = beside(8, 3), torch.randn(8, 3, dtype=torch.float64).log_softmax(1)
    none = {"weight_return": 0.0, "weight_volatility": 0.0, "weight_regime": 0.0}
    configs = [LOSSES.parse({"kind": "multi_task", **none, weight: w}) for w in (0.0, 1.0, 3.0)]
    found = [row_losses(config, log_p, torch.arange(8) % 3, more) for config in configs]
    torch.testing.assert_close(found[2] - found[0], 3 * (found[1] - found[0]))
    assert (found[1] > found[0]).all()


def test_uncertainty_gives_every_task_the_size_of_the_outcomes():
    more, log_p = beside(64, 3), torch.randn(64, 3, dtype=torch.float64).log_softmax(1)
    truth = torch.arange(64) % 3
    weights = {"weight_return": 1.0, "weight_volatility": 2.0, "weight_regime": 0.5}
    config = LOSSES.parse({"kind": "multi_task", "uncertainty": True, **weights})
    found = row_losses(config, log_p, truth, more).mean()
    base = row_losses(config.base, log_p, truth).mean()
    torch.testing.assert_close(found, base * (1 + 1 + 2 + 0.5))
    noisy = more._replace(tasks=more.tasks * torch.tensor([50.0, 1.0, 1.0]))
    torch.testing.assert_close(row_losses(config, log_p, truth, noisy).mean(), found)


def test_a_task_is_no_base_of_tasks():
    with pytest.raises(ConfigError, match="its own base"):
        LOSSES.parse({"kind": "multi_task", "base": "multi_task"})
