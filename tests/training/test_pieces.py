import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import training
from touchstone.ledger import MemoryLedger
from touchstone.training.budget import chance, spend
from touchstone.training.losses.cross_entropy import CrossEntropyConfig, cross_entropy
from touchstone.training.losses.focal import FocalConfig, focal
from touchstone.training.losses.weighted_bce import WeightedBceConfig, weighted_bce
from touchstone.training.progress import Schedule, Watch, classes, surprise
from training.planted import job, samples


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 300), st.floats(0.01, 0.99), st.integers(0, 99))
def test_chances_sum_to_the_number_of_rows_and_rise_with_weight(n, share, seed):
    weight = np.random.default_rng(seed).uniform(0.01, 5, n)
    n_rows = max(1, int(share * n))
    found = chance(weight, n_rows)
    np.testing.assert_allclose(found.sum(), n_rows, rtol=1e-6)
    assert ((found > 0) & (found <= 1)).all()
    assert (np.diff(found[np.argsort(weight)]) >= 0).all()


def test_weights_of_a_draw_estimate_the_weighted_mean_of_all_rows():
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.1, 4, 400)
    value = weight + rng.normal(0, 1, 400)  # heavy rows differ, so a wrong weight would show
    truth = np.average(value, weights=weight)
    for n_rows in (40, 200, 380):
        found = []
        for i in range(300):
            budget = spend(weight, n_rows, np.random.default_rng(i))
            assert budget.place.size == n_rows
            found.append(np.average(value[budget.place], weights=budget.weight))
        assert abs(np.mean(found) - truth) < 4 * np.std(found) / 300**0.5 + 0.01


def test_few_of_many_rows_weigh_nearly_the_same_and_all_rows_their_own():
    weight = np.random.default_rng(0).uniform(0.5, 2, 5000)
    few = spend(weight, 50, np.random.default_rng(1))
    assert np.ptp(few.weight) < 0.05
    for n_rows in (None, 5000, 9999):
        every = spend(weight, n_rows, np.random.default_rng(1))
        np.testing.assert_allclose(every.weight, weight / weight.mean(), rtol=1e-6)
        np.testing.assert_array_equal(every.place, np.arange(5000))


def test_a_draw_is_the_same_for_the_same_generator():
    weight = np.random.default_rng(0).uniform(0.5, 2, 500)
    one, two, three = (spend(weight, 50, np.random.default_rng(i)).place for i in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()
    assert (np.diff(one) > 0).all()


def test_cross_entropy_is_that_of_torch():
    torch.manual_seed(0)
    logits, truth = torch.randn(40, 3), torch.randint(0, 3, (40,))
    found = cross_entropy(logits.log_softmax(1), truth, CrossEntropyConfig())
    expected = torch.nn.functional.cross_entropy(logits, truth, reduction="none")
    torch.testing.assert_close(found, expected)


def test_focal_loss_as_in_the_paper():
    p = torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    found = focal(p.log(), torch.tensor([2, 0]), FocalConfig(alpha=0.25, gamma=2.0))
    expected = [-0.25 * 0.3**2 * np.log(0.7), -0.75 * 0.4**2 * np.log(0.6)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    plain = focal(p.log(), torch.tensor([2, 0]), FocalConfig(gamma=0.0))
    entropy = cross_entropy(p.log(), torch.tensor([2, 0]), CrossEntropyConfig())
    torch.testing.assert_close(plain, entropy / 2)


def test_weighted_bce_is_that_of_torch():
    torch.manual_seed(0)
    logit, truth = torch.randn(40), torch.randint(0, 2, (40,))
    log_p = torch.nn.functional.logsigmoid(torch.stack([-logit, logit], 1))
    found = weighted_bce(log_p, truth, WeightedBceConfig(positive=7.0))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logit, truth.float(), pos_weight=torch.tensor(7.0), reduction="none"
    )
    torch.testing.assert_close(found, expected)


def test_plateau_halves_after_three_epochs_without_a_better_one():
    schedule = Schedule("plateau", 20)
    factors = []
    for i, improved in enumerate([True, False, False, False, False, True, False, False, False]):
        factors.append(schedule.at(i + 1))
        schedule.see(improved)
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert schedule.at(10) == 0.25


def test_cosine_falls_from_one_to_nearly_zero_and_fixed_stays():
    schedule = Schedule("cosine", 10)
    factors = [schedule.at(i) for i in range(1, 11)]
    assert factors[0] == 1
    assert factors == sorted(factors, reverse=True)
    assert 0 < factors[-1] < 0.03
    schedule = Schedule("fixed", 10)
    for i in range(1, 9):
        schedule.see(False)
        assert schedule.at(i) == 1


@pytest.mark.parametrize(("metric", "best"), [("pr_auc", 3), ("log_loss", 1), ("loss", 1)])
def test_the_watch_knows_which_way_is_better(metric, best):
    watch = Watch(metric)
    seen = [watch.see(i, value) for i, value in enumerate([0.3, 0.2, 0.4, 0.5, 0.5])]
    assert seen[0]
    assert watch.best_epoch == best
    assert watch.waited == 4 - best


def test_classes_and_surprise():
    outcome = np.array([-1, 0, 1], np.int8)
    assert classes("barrier", outcome).tolist() == [0, 1, 2]
    assert classes("buy", outcome).tolist() == [0, 0, 1]
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    expected = -np.average(np.log([0.5, 0.8, 0.6]), weights=[1, 2, 1])
    np.testing.assert_allclose(surprise(p, "barrier", outcome, np.array([1, 2, 1])), expected)
    expected = -np.mean(np.log([0.8, 0.9, 0.6]))
    np.testing.assert_allclose(surprise(p[:, 2:], "buy", outcome, np.ones(3)), expected)


@pytest.mark.parametrize("kind", ["mlp", "lightgbm", "logistic"])
def test_a_checkpoint_says_what_it_is_of_and_holds_no_pickle(kind):
    train, validate = samples(n=300)
    epochs = training.fit(job(kind, train, validate, {"epochs": 1}), MemoryLedger())
    epoch = next(epochs)
    state = epoch.state()
    epochs.close()
    assert all(name.endswith((".safetensors", ".json", ".txt")) for name in state)
    facts = json.loads(state["checkpoint.json"])
    assert (facts["kind"], facts["epoch"], facts["metric"]) == (kind, epoch.index, "pr_auc")
    assert facts["metrics"] == epoch.metrics
