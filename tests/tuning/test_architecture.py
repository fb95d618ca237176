"""The search: its gradients against exact ones, what it finds, and that it goes on where it was."""

import json

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from touchstone.errors import ConfigError, TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.models import Shape
from touchstone.models.darts import Darts, DartsConfig
from touchstone.models.layers.operations import NONE, OPERATIONS
from touchstone.tuning.architecture import search
from touchstone.tuning.architecture_gradient import REACH, architecture_gradient
from touchstone.tuning.architecture_network import SearchNetwork, every_edge
from touchstone.tuning.architecture_state import unpack
from touchstone.tuning.methods.darts import ArchitectureConfig
from tuning.searched import cause_at, ended, search_job

SHAPE = Shape(5, 2, 2, 3)
CONFIG = DartsConfig(width=4, embedding=4, cells=1, dropout=0.0)


class Small:
    """A network of every operation in float64, and two batches."""

    def __init__(self, seed, nodes=1):
        torch.manual_seed(seed)
        self.network = SearchNetwork(CONFIG, SHAPE, every_edge(nodes, (NONE, *OPERATIONS)))
        self.network.double()
        with torch.no_grad():
            for parameter in self.network.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.3)
        self.alphas = list(self.network.alphas.values())
        self.weights = list(self.network.weights().values())
        self.batches = [
            (torch.randn(16, 5, 2, dtype=torch.float64), torch.arange(16) % 3) for _ in range(2)
        ]

    def loss(self, batch, parameters=None):
        windows, truth = self.batches[batch]
        given = (windows, torch.zeros(16, dtype=torch.int64))
        if parameters is None:
            return cross_entropy(self.network(*given), truth)
        return cross_entropy(functional_call(self.network, parameters, given), truth)

    def gradient(self, xi, reach=REACH):
        return architecture_gradient(
            self.weights, self.alphas, lambda: self.loss(0), lambda: self.loss(1), xi, reach
        )

    def exact(self, xi):
        """Through the unrolled step, by autograd alone."""
        names = list(self.network.weights())
        with sdpa_kernel(SDPBackend.MATH):  # the only one that can be differentiated twice
            step = torch.autograd.grad(self.loss(0), self.weights, create_graph=True)
            ahead = {name: w - xi * g for name, w, g in zip(names, self.weights, step, strict=True)}
            return torch.autograd.grad(self.loss(1, ahead), self.alphas)


def apart(found, exact):
    """The distance of two gradients, as a share of the second one's length."""
    far = sum((f - e).square().sum() for f, e in zip(found, exact, strict=True)).sqrt()
    return float(far / sum(e.square().sum() for e in exact).sqrt())


@pytest.mark.parametrize("seed", range(4))
def test_the_second_order_gradient_is_that_of_the_unrolled_step(seed):
    small, xi = Small(seed), 0.5
    exact = small.exact(xi)
    assert apart(small.gradient(xi, reach=1e-6), exact) < 1e-4
    assert apart(small.gradient(xi), exact) < 0.04  # over kinks of ReLU and maxima
    # What is left out of the first order is more than that: otherwise this proves nothing.
    first = torch.autograd.grad(small.loss(1), small.alphas)
    assert apart(first, exact) > 0.05
    wrong_sign = [2 * d - e for d, e in zip(direct(small, xi), exact, strict=True)]
    assert apart(wrong_sign, exact) > 0.05


def direct(small, xi):
    """The first term of equation 7 alone: the gradient at the weights a step ahead."""
    step = torch.autograd.grad(small.loss(0), small.weights)
    names = list(small.network.weights())
    ahead = {n: w - xi * g for n, w, g in zip(names, small.weights, step, strict=True)}
    return torch.autograd.grad(small.loss(1, ahead), small.alphas)


def test_first_order_is_second_order_with_no_step_ahead():
    small = Small(7, nodes=2)
    plain = torch.autograd.grad(small.loss(1), small.alphas)
    for a, b in zip(small.gradient(0), plain, strict=True):
        assert torch.equal(a, b)
    near = small.gradient(1e-9)
    assert apart(near, plain) < 1e-6


def test_the_weights_are_afterwards_what_they_were():
    small = Small(1)
    before = [w.detach().clone() for w in small.weights]
    small.gradient(0.5)
    assert all(torch.equal(a, b) for a, b in zip(before, small.weights, strict=True))

    asked = []

    def breaks():
        asked.append(1)
        if len(asked) > 1:
            raise ValueError("no loss")
        return small.loss(0)

    with pytest.raises(ValueError, match="no loss"):
        architecture_gradient(small.weights, small.alphas, breaks, lambda: small.loss(1), 0.5)
    assert all(torch.equal(a, b) for a, b in zip(before, small.weights, strict=True))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_architecture_without_doubt_is_the_found_network(name):
    torch.manual_seed(2)
    other = "conv3" if name != "conv3" else "skip"
    mixed = SearchNetwork(CONFIG, SHAPE, every_edge(1, (NONE, *OPERATIONS)))
    found = Darts(CONFIG.model_copy(update={"genotype": (((0, name), (1, other)),)}), SHAPE)
    with torch.no_grad():
        for (_, place), alpha in mixed.alphas.items():
            alpha.fill_(-1e9)[1 + OPERATIONS.index((name, other)[place])] = 0.0
    theirs = dict(mixed.state_dict())
    ours = found.state_dict()
    for key in ours:
        place = key.split("edges.0_")[1][0] if "edges" in key else ""
        if place:
            which = OPERATIONS.index((name, other)[int(place)])
            moved = key.replace(f"edges.0_{place}", f"edges.0_{place}.operations.{which}")
            if moved not in theirs:  # the scale and shift of a norm, which a search does without
                assert "norm" in key
                continue
            ours[key] = theirs[moved]
        else:
            ours[key] = theirs[key]
    found.load_state_dict(ours)
    given = torch.randn(6, 5, 2), torch.arange(6) % 2
    with torch.no_grad():
        torch.testing.assert_close(mixed.eval()(*given), found.eval()(*given))


@pytest.mark.parametrize(
    ("age", "sees", "others"),
    [(8, "dilated3", ["skip", "conv3", "max_pool"]), (11, "attention", ["skip", "conv5"])],
)
def test_the_operation_that_alone_can_see_the_cause_rises(age, sees, others):
    method = {"operations": [*others, sees], "stages": [{"cells": 1}], "epochs": 8, "rate": 0.03}
    job = search_job(cause_at(age), method=method)
    _, found = ended(search(job, MemoryLedger()))
    first, last = found.history[0].shares, found.history[-1].shares
    for edge in last:
        assert last[edge][sees] > 0.35, last
        assert last[edge][sees] > first[edge][sees]
    assert [name for _, name in found.genotype[0]] == [sees, sees]
    assert found.history[-1].held_loss < found.history[0].held_loss


def silenced(rate, seed=0, before=()):
    """A search whose outcome the newest bar decides: a skip would do."""
    stages = [*before, {"cells": 1, "skip_dropout": rate}]
    method = {"operations": ["skip", "conv3"], "stages": stages, "epochs": 3, "rate": 0.1}
    job = search_job(cause_at(0, n=600, seed=seed), seed=seed, method=method)
    return ended(search(job, MemoryLedger()))[1]


def test_skips_that_are_silenced_are_weighed_less():
    def weight(rate, seed):
        last = silenced(rate, seed).history[-1].shares
        return np.mean([shares["skip"] for shares in last.values()])

    often, never = (np.mean([weight(rate, seed) for seed in range(3)]) for rate in (0.9, 0.0))
    assert often < never - 0.03


def test_the_stage_before_does_not_know_of_it():
    first = [{"cells": 1}]
    one, other = silenced(0.0, before=first), silenced(0.9, before=first)
    assert one.history[:3] == other.history[:3]
    assert one.history[3:] != other.history[3:]


def test_the_gradient_of_a_silenced_network_is_exact_for_what_is_silenced():
    """Every loss of a batch is asked of the same values: else differences of weights are noise."""
    (small, found), xi = (Small(3), []), 0.5
    small.network.silence.rate = 0.5
    for batch in range(2):

        def loss(parameters=None, batch=batch):
            small.network.silence.begin(batch)
            return Small.loss(small, batch, parameters)

        found.append(loss)
    small.loss = lambda batch, parameters=None: found[batch](parameters)
    exact = small.exact(xi)
    assert apart(small.gradient(xi, reach=1e-6), exact) < 1e-4
    small.loss = lambda batch, parameters=None: Small.loss(small, batch, parameters)
    assert apart(small.gradient(xi, reach=1e-6), exact) > 1, "drawn anew it is noise"
    network = small.network.eval()
    given = torch.randn(4, 5, 2, dtype=torch.float64), torch.zeros(4, dtype=torch.int64)
    assert torch.equal(network(*given), network(*given)), "nothing is silenced where it is measured"


TWO = {"nodes": 2, "epochs": 2, "warm_up": 1, "order": "second", "operations": ["skip", "conv3"],
       "stages": [{"cells": 1, "skip_dropout": 0.3},
                  {"cells": 2, "operations": 2, "skip_dropout": 0.5}]}  # fmt: skip


@pytest.fixture(scope="module")
def through():
    """A search through two stages: (its job, its ledger, its checkpoints, what it found)."""
    job, ledger = search_job(cause_at(0, n=600), method=TWO), MemoryLedger()
    return job, ledger, *ended(search(job, ledger))


def test_a_search_that_was_stopped_goes_on_to_the_same_bits(through):
    job, _, states, found = through
    assert len(states) == 4
    for done, state in enumerate(states, 1):
        again, same = ended(search(job._replace(resume=state), MemoryLedger()))
        assert again == states[done:]
        assert same == found


def test_a_stage_is_deeper_and_chooses_among_the_strongest(through):
    job, _, states, found = through
    assert [one.stage for one in found.history] == [0, 0, 1, 1]
    for edge, shares in found.history[2].shares.items():
        before = found.history[1].shares[edge]
        assert len(shares) == 2
        assert set(shares) == set(sorted(before, key=before.get)[-2:])
        assert sum(shares.values()) == pytest.approx(1)
    n_weights = [len(unpack(job, s).tensors) for s in states]
    assert n_weights[2] != n_weights[1]


def test_the_architecture_stands_still_while_the_weights_warm_up(through):
    _, _, _, found = through
    start = search_job(cause_at(0, n=600), method=TWO | {"epochs": 3, "warm_up": 2})
    _, slow = ended(search(start, MemoryLedger()))
    first, second, third = (one.shares for one in slow.history[:3])
    assert first == second != third
    assert found.history[0].shares == first != found.history[1].shares


def test_every_search_stands_in_the_ledger(through):
    job, ledger, _, found = through
    (facts,) = ledger.written("fit", job.fingerprint)
    assert (facts["status"], facts["epochs"], facts["model"]) == ("finished", 4, "darts search")
    assert json.loads(json.dumps(facts["genotype"])) == json.loads(json.dumps(found.genotype))
    stopped = MemoryLedger()
    epochs = search(job, stopped)
    next(epochs)
    epochs.close()
    assert stopped.written("fit", job.fingerprint)[0]["status"] == "stopped"


def test_the_half_of_the_architecture_never_moves_the_weights():
    """Other held rows: another architecture, but in the warm-up the same weights, bit for bit."""
    weights, held = cause_at(0, n=600)
    other = held._replace(outcome=-held.outcome)
    method = {"epochs": 2, "warm_up": 1, "stages": [{"cells": 1}]}
    (a, after_a), (b, after_b) = (
        ended(search(search_job((weights, h), method=method), MemoryLedger()))[0]
        for h in (held, other)
    )
    job = search_job((weights, held), method=method)
    ours, theirs = unpack(job, a).tensors, unpack(job, b).tensors
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    ours, theirs = unpack(job, after_a).tensors, unpack(job, after_b).tensors
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_what_cannot_be_searched_says_why(through):
    job, _, states, _ = through
    with pytest.raises(TrainingError, match="of another search: its seed is 3, this one's 4"):
        ended(search(job._replace(seed=4, resume=states[0]), MemoryLedger()))
    with pytest.raises(TrainingError, match="cannot be read"):
        ended(search(job._replace(resume=b"torn"), MemoryLedger()))
    hitless = job.held._replace(outcome=np.zeros_like(job.held.outcome))
    failed = MemoryLedger()
    with pytest.raises(TrainingError, match=r"architecture's half.*all hits or all misses"):
        ended(search(job._replace(held=hitless), failed))
    assert failed.rows[0][3]["status"] == "failed"
    wants = search_job(cause_at(0, n=600), recipe={"loss": {"kind": "distillation"}})
    with pytest.raises(TrainingError, match="wants more than outcomes"):
        ended(search(wants, MemoryLedger()))
    steep = search_job(cause_at(0, n=600), recipe={"learning_rate": 1e30})
    with pytest.raises(TrainingError, match=r"epoch 1: lower training\.learning_rate"):
        ended(search(steep, MemoryLedger()))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"operations": ["skip", "skip"]}, "skip comes twice"),
        ({"stages": [{"cells": 2}, {"cells": 1}]}, "cells may not fall"),
        ({"stages": [{"cells": 2, "operations": 3}]}, "the first has all operations"),
        ({"epochs": 2, "warm_up": 2}, "take 1 at most"),
        ({"operations": ["none", "skip"]}, "Input should be 'skip'"),
    ],
)
def test_settings_that_cannot_be_say_why(settings, says):
    with pytest.raises(ConfigError, match=says):
        ArchitectureConfig.parse({"kind": "darts"} | settings)
