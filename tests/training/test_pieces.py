import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import training
from touchstone.ledger import MemoryLedger
from touchstone.training import Epoch, TrainingConfig, checkpoint_name
from touchstone.training.budget import balanced_chance, chance, redraw, spend
from touchstone.training.losses.cross_entropy import CrossEntropyConfig, cross_entropy
from touchstone.training.losses.focal import FocalConfig, focal
from touchstone.training.losses.weighted_bce import WeightedBceConfig, weighted_bce
from touchstone.training.progress import (
    Schedule,
    Truth,
    Watch,
    classes,
    measured,
    one_cycle,
    surprise,
)
from touchstone.training.update import Update
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


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=200), st.integers(0, 99))
def test_a_balanced_draw_takes_every_class_as_often_and_in_it_by_weight(label, seed):
    label = np.array(label)
    weight = np.random.default_rng(seed).uniform(0.01, 5, label.size)
    share = balanced_chance(weight, label)
    for one in np.unique(label):
        mine = label == one
        np.testing.assert_allclose(share[mine].sum(), 1 / np.unique(label).size)
        np.testing.assert_allclose(share[mine] / weight[mine], share[mine][0] / weight[mine][0])


def test_a_redraw_takes_rows_as_often_as_their_chances_say():
    share = balanced_chance(np.arange(1, 401), np.arange(400) % 3)
    rounds = [redraw(share, np.random.default_rng(i)) for i in range(100)]
    count = np.bincount(np.concatenate(rounds), minlength=400)
    expected = share * 400 * 100
    assert np.abs((count - expected) / np.sqrt(expected)).max() < 5
    assert 0.8 < np.mean((count - expected) ** 2 / expected) < 1.2
    np.testing.assert_array_equal(rounds[1], redraw(share, np.random.default_rng(1)))


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


def test_one_cycle_climbs_and_falls_step_by_step():
    schedule = Schedule("one_cycle", 5)
    factors = [schedule.at(i, step / 20) for i in range(1, 6) for step in range(20)]
    top = int(np.argmax(factors))
    assert (factors[0], factors[top], top) == (1 / 25, 1, 30)
    assert (np.diff(factors[: top + 1]) > 0).all()
    assert (np.diff(factors[top:]) < 0).all()
    assert np.abs(np.diff(factors)).max() < 0.04
    assert one_cycle(1) == one_cycle(0.3 + 0.7) == 0
    assert [s.at(9) for s in (schedule, Schedule("cosine", 5))] == [0, 0]
    kinds = ("fixed", "plateau", "cosine")
    assert all(Schedule(k, 5).at(2, 0.1) == Schedule(k, 5).at(2, 0) for k in kinds[:2])
    assert [Schedule(k, 5).stepwise for k in (*kinds, "one_cycle")] == [False] * 3 + [True]


def fused(precision, value=2.0):
    """One weight, and what takes its steps."""
    weight = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        weight.weight.fill_(value)
    optimiser = torch.optim.AdamW(weight.parameters(), 0.1, fused=True)
    recipe = TrainingConfig(precision=precision, clip=1e9)
    return weight, Update(recipe, weight, optimiser)


def test_a_scaled_step_is_the_step_itself():
    ends = []
    for precision in ("float32", "fp16"):
        weight, update = fused(precision)
        update.begin()
        for _ in range(5):
            update((weight.weight**2).sum())
        assert not update.broken()
        ends.append(weight.weight.item())
    assert ends[0] == ends[1] < 2


def test_a_step_that_overflows_is_left_out_and_halves_the_scale():
    weight, update = fused("fp16")
    update((weight.weight * torch.inf).sum())
    assert weight.weight.item() == 2
    assert update.state()["scale"] == 2.0**15
    assert not update.broken()  # a scale that is looked for is no fault
    other_weight, other = fused("fp16")
    other.load(update.state())
    assert other.state() == update.state()
    for _ in range(16):
        other((other_weight.weight * torch.inf).sum())
    assert (other.state()["scale"], other.broken()) == (0.5, True)
    other.begin()
    assert not other.broken()


def test_a_step_without_a_finite_gradient_is_seen():
    weight, update = fused("float32")
    update((weight.weight * 3).sum())
    assert not update.broken()
    update((weight.weight * 1e38).sum() * 10)
    assert update.broken()
    assert update.state() == {}


@pytest.mark.parametrize(
    ("metric", "best"),
    [("pr_auc", 3), ("log_loss", 1), ("loss", 1), ("f1", 3), ("net", 3), ("recall", 3)],
)
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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3, st.integers(-1, 1)), min_size=1, max_size=50))
def test_accuracy_is_the_share_of_rows_whose_likeliest_outcome_came(rows):
    table = np.array(rows)
    said, outcome = table[:, :3].astype(np.float32) / 4, table[:, 3].astype(np.int8)
    found = measured("x", said, Truth(outcome, np.zeros(len(table)), 0.0), 0.0)
    assert found["x_accuracy"] == np.mean(said.argmax(1) - 1 == outcome)


def test_names_of_checkpoints_carry_epoch_kind_and_metric_and_sort():
    train, validate = samples(n=60)
    found = {"train_loss": 1.0, "validate_loss": 1.25, "validate_net": -0.00125}
    epochs = [Epoch(i, found, True, dict) for i in (2, 12, 100)]
    this = job("mlp", train, validate, {"metric": "net"})
    names = [checkpoint_name(this, epoch) for epoch in epochs]
    assert names[1] == "epoch0012_mlp_net_-0.00125"
    assert names == sorted(names)
    assert checkpoint_name(this._replace(validate=None), epochs[0]) == "epoch0002_mlp_loss_1.00000"
    undefined = job("mlp", train, validate, {"metric": "roc_auc"}, epochs=3)
    assert checkpoint_name(undefined, epochs[0]) == "epoch0002_mlp_loss_1.25000"
