from functools import partial

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.errors import TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.training import PhaseSamples, TrainingConfig
from touchstone.training.losses import LOSSES
from training.planted import job, samples

KINDS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs != "members"]
STEPPED = [kind for kind in KINDS if kind != "logistic"]
TRAIN, VALIDATE = samples(weights=True)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def drain(this, ledger=None):
    epochs, all_ = training.fit(this, ledger or MemoryLedger()), []
    while True:
        try:
            all_.append(next(epochs))
        except StopIteration as end:
            return all_, end.value


def easier(rows):
    """The same rows under a label of which +1 comes more often."""
    return rows._replace(outcome=np.where(rows.realised > 0, 1, -1).astype(np.int8))


def staged(kind, recipe=(), **more):
    """A job whose curriculum takes two epochs of an easier label."""
    phase = {"label": {"kind": "triple_barrier", "take_profit": 0.02}, "epochs": 2}
    phases = (PhaseSamples(easier(TRAIN), 2),)
    return job(
        kind, TRAIN, VALIDATE, {"curriculum": [phase], **dict(recipe)}, phases=phases, **more
    )


def whole_and_resumed(this, stop):
    """A fit that ran through, and one that was ended after an epoch and went on."""
    whole = training.run(this, MemoryLedger())
    for epoch in training.fit(this, MemoryLedger()):
        if epoch.index == stop:
            state = epoch.state()
            break
    torch.manual_seed(99)  # what others draw in between does not matter
    return whole, training.run(this._replace(resume=state), MemoryLedger())


def same(whole, resumed, stop):
    assert resumed.fitted.files() == whole.fitted.files()
    assert resumed.best_epoch == whole.best_epoch
    told = [[(e.index, e.phase, e.best, e.metrics) for e in f.history] for f in (resumed, whole)]
    assert told[0] == told[1][stop:]


COMBINATIONS = [
    {"optimiser": optimiser, "schedule": schedule, "sampling": sampling, "staged": is_staged}
    for optimiser in ("adamw", "adam")
    for schedule in ("fixed", "plateau", "cosine", "one_cycle")
    for sampling in ("uniform", "weighted")
    for is_staged in (False, True)
]


@pytest.mark.parametrize("place", range(len(COMBINATIONS)))
def test_a_resumed_network_ends_with_the_same_bytes_whatever_the_recipe(place):
    recipe = {"epochs": 3, "rows": 300, "patience": 2, "learning_rate": 2e-2, **COMBINATIONS[place]}
    is_staged = recipe.pop("staged")
    n_epochs = 5 if is_staged else 3
    make = staged if is_staged else partial(job, train=TRAIN, validate=VALIDATE)
    this, stop = (
        make("mlp", recipe=recipe, model={"hidden": [8], "dropout": 0.2}),
        1 + place % n_epochs,
    )
    whole, resumed = whole_and_resumed(this, stop)
    same(whole, resumed, stop)


@pytest.mark.parametrize("stop", [1, 3])
def test_a_resumed_network_with_two_layers_ends_with_the_same_bytes(stop):
    recipe = {"epochs": 5, "schedule": "plateau", "patience": 2, "rows": 500}
    this = job("gru", TRAIN, VALIDATE, recipe, model={"hidden": 16, "layers": 2})
    same(*whole_and_resumed(this, stop), stop)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_resumes_at_every_epoch(kind):
    this = job(
        kind, TRAIN, VALIDATE, {"epochs": 3}, model={} if kind != "lightgbm" else {"rounds": 20}
    )
    states = [(epoch.index, epoch.state()) for epoch in training.fit(this, MemoryLedger())]
    whole = training.run(this, MemoryLedger())
    for done, state in states:
        resumed = training.run(this._replace(resume=state), MemoryLedger())
        assert resumed.fitted.files() == whole.fitted.files()
        assert [e.index for e in resumed.history] == [
            e.index for e in whole.history if e.index > done or e.index == 0
        ]


@pytest.mark.parametrize("kind", STEPPED)
def test_the_best_epoch_fixed_gives_the_best_weights_without_validation(kind):
    this = job(kind, TRAIN, VALIDATE, {"epochs": 6, "learning_rate": 2e-2})
    chosen = training.run(this, MemoryLedger())
    fixed = training.run(this._replace(validate=None, epochs=chosen.best_epoch), MemoryLedger())
    assert fixed.best_epoch == chosen.best_epoch
    assert fixed.fitted.files() == chosen.fitted.files()
    assert fixed.history[-1].best


def test_the_logistic_regression_needs_neither_validation_nor_epochs():
    this = job("logistic", TRAIN, VALIDATE)
    chosen = training.run(this, MemoryLedger())
    assert chosen.best_epoch == 0
    for more in ({"validate": None}, {"validate": None, "epochs": chosen.best_epoch}):
        again = training.run(this._replace(**more), MemoryLedger())
        assert again.fitted.files() == chosen.fitted.files()


@pytest.mark.parametrize("kind", STEPPED)
@pytest.mark.parametrize(("metric", "sign"), [("pr_auc", 1), ("log_loss", -1), ("loss", -1)])
def test_keeps_the_epoch_that_is_best_in_the_metric(kind, metric, sign):
    recipe = {"epochs": 8, "learning_rate": 2e-2, "metric": metric, "patience": 2}
    done = training.run(job(kind, TRAIN, VALIDATE, recipe), MemoryLedger())
    values = [sign * epoch.metrics[f"validate_{metric}"] for epoch in done.history]
    assert done.history[int(np.argmax(values))].index == done.best_epoch == done.fitted.best_epoch
    assert [e.best for e in done.history] == [
        value > max(values[:i], default=-np.inf) for i, value in enumerate(values)
    ]
    waited = len(values) - 1 - int(np.argmax(values))
    assert waited <= 2


@pytest.mark.parametrize("kind", ["mlp", "lightgbm"])
@pytest.mark.parametrize("metric", ["f1", "precision", "recall", "net"])
def test_stops_by_what_a_threshold_selects(kind, metric):
    recipe = {"epochs": 8, "learning_rate": 2e-2, "metric": metric, "patience": 2}
    this = job(kind, TRAIN, VALIDATE, recipe, round_trip=0.003)
    done = training.run(this, MemoryLedger())
    values = [epoch.metrics[f"validate_{metric}"] for epoch in done.history]
    assert done.history[int(np.argmax(values))].index == done.best_epoch
    free = training.run(this._replace(round_trip=0.0), MemoryLedger())
    cost = [f.history[0].metrics["validate_net"] for f in (free, done)]
    assert cost[0] - cost[1] == pytest.approx(0.003)


def test_a_curriculum_is_told_carries_the_weights_on_and_is_never_best():
    done = training.run(staged("mlp"), MemoryLedger())
    assert [(e.index, e.phase) for e in done.history] == [
        *((i, 1) for i in (1, 2)),
        *((i, 0) for i in range(3, 7)),
    ]
    assert not any(e.best for e in done.history[:2])
    assert done.best_epoch > 2
    slow = {"learning_rate": 5e-4}
    done = training.run(staged("mlp", slow), MemoryLedger())
    plain = training.run(job("mlp", TRAIN, VALIDATE, slow), MemoryLedger())
    # Two epochs of another label have taught the network what moves the outcome.
    first = [f.history[at].metrics["validate_roc_auc"] for f, at in ((done, 2), (plain, 0))]
    assert first[0] > first[1] + 0.03
    # In a phase train metrics are of its label: +1 is half of its rows, and a fifth of the rest.
    base = [done.history[at].metrics["train_pr_auc"] for at in (1, 2)]
    assert base[0] > base[1] + 0.1


def test_the_best_epoch_of_a_curriculum_fixed_gives_the_best_weights():
    chosen = training.run(staged("mlp", {"schedule": "one_cycle"}), MemoryLedger())
    again = staged("mlp", {"schedule": "one_cycle"}, epochs=chosen.best_epoch)
    fixed = training.run(again._replace(validate=None), MemoryLedger())
    assert fixed.fitted.files() == chosen.fitted.files()
    assert [e.best for e in fixed.history] == [False] * (chosen.best_epoch - 1) + [True]


def test_a_weighted_draw_takes_every_outcome_as_often_whatever_they_weigh_in_total():
    """Of noise a fifth came out +1: that is learned, and from a balanced draw a third."""
    even, validate = samples(strength=0)
    heavy = even._replace(weight=np.where(even.outcome == 1, 8, even.weight))
    means = []
    for rows, sampling in ((even, "uniform"), (even, "weighted"), (heavy, "weighted")):
        recipe = {"sampling": sampling, "epochs": 2, "learning_rate": 1e-3}
        done = training.run(job("mlp", rows, validate, recipe, epochs=2), MemoryLedger())
        windows = validate.windows
        raw = done.fitted.raw(windows.gather(validate.rows), windows.ids(validate.rows))
        means.append(raw[:, 2].mean())
    np.testing.assert_allclose(means, [0.2, 1 / 3, 1 / 3], atol=0.03)
    assert means[2] == pytest.approx(means[1], abs=1e-3)


@pytest.mark.parametrize(
    "recipe", [{"optimiser": "adam", "weight_decay": 1e-4}, {"schedule": "one_cycle"}]
)
def test_learns_by_adam_and_by_one_cycle(recipe):
    recipe = {"epochs": 5, "learning_rate": 1e-2, **recipe}
    done = training.run(job("mlp", TRAIN, VALIDATE, recipe), MemoryLedger())
    assert done.history[-1].metrics["validate_roc_auc"] > 0.75


@pytest.mark.parametrize("kind", ["mlp", "lightgbm"])
def test_periodic_checkpoints_are_marked(kind):
    recipe = {"keep_every": 2, "epochs": 5, "patience": 50}
    model = {"rounds": 20} if kind == "lightgbm" else {}
    history = training.run(job(kind, TRAIN, VALIDATE, recipe, model=model), MemoryLedger()).history
    assert [e.periodic for e in history] == [e.index % 2 == 0 for e in history]
    assert any(e.periodic for e in history)
    plain = training.run(job(kind, TRAIN, VALIDATE, {"epochs": 2}), MemoryLedger()).history
    assert not any(e.periodic for e in plain)


@needs_gpu
@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_a_recorded_step_heeds_schedule_scale_and_phase(schedule, precision):
    """The card learns what the CPU learns in float32; one_cycle's rate is read at every step."""
    recipe = {"schedule": schedule, "device": "cpu", "epochs": 5}
    here = training.run(staged("mlp", recipe), MemoryLedger())
    there = staged("mlp", recipe | {"device": "cuda", "precision": precision})
    whole, resumed = whole_and_resumed(there, 3)
    loss = [fit.history[-1].metrics["validate_loss"] for fit in (here, whole, resumed)]
    assert abs(loss[0] - loss[1]) < 0.03
    assert abs(loss[1] - loss[2]) < 1e-3


def test_stops_when_patience_is_spent():
    recipe = {"epochs": 50, "learning_rate": 2e-2, "patience": 2}
    done = training.run(job("mlp", TRAIN, VALIDATE, recipe), MemoryLedger())
    assert len(done.history) < 50
    assert done.history[-1].index == done.best_epoch + 2


def test_the_seed_is_heeded():
    this = job("mlp", TRAIN, VALIDATE, {"epochs": 1})
    files = training.run(this, MemoryLedger()).fitted.files()
    assert training.run(this._replace(seed=8), MemoryLedger()).fitted.files() != files


@pytest.mark.parametrize("loss", LOSSES.kinds())
@pytest.mark.parametrize("head", ["barrier", "buy"])
def test_every_loss_teaches_both_heads(loss, head):
    recipe = {"epochs": 4, "loss": {"kind": loss}}
    done = training.run(job("mlp", TRAIN, VALIDATE, recipe, model={"head": head}), MemoryLedger())
    assert done.history[-1].metrics["validate_roc_auc"] > 0.75
    losses = [epoch.metrics["train_loss"] for epoch in done.history]
    assert losses[-1] < losses[0]


def test_metrics_are_those_of_both_sorts_of_rows():
    done = training.run(job("mlp", TRAIN, VALIDATE, {"epochs": 1}), MemoryLedger())
    names = {"loss", "accuracy", "pr_auc", "roc_auc", "log_loss"} | {
        "precision",
        "recall",
        "f1",
        "net",
    }
    expected = {f"{rows}_{name}" for rows in ("train", "validate") for name in names}
    for kind in KINDS:
        done = training.run(job(kind, TRAIN, VALIDATE, {"epochs": 1}), MemoryLedger())
        assert set(done.history[0].metrics) == expected
        assert all(isinstance(value, float) for value in done.history[0].metrics.values())


def test_begins_at_the_base_rates():
    recipe = {"epochs": 1, "learning_rate": 1e-9, "batch": 4096}
    done = training.run(job("mlp", TRAIN, VALIDATE, recipe), MemoryLedger())
    # Three outcomes at 0.3, 0.5, 0.2 have an entropy of 1.03; a uniform guess costs 1.10.
    assert done.history[0].metrics["validate_loss"] < 1.06


def test_leaves_torch_as_it_was():
    recipe = {"epochs": 2, "threads": 2, "rows": 50, "batch": 4096}
    torch.manual_seed(5)
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    for _ in training.fit(job("mlp", TRAIN, VALIDATE, recipe), MemoryLedger()):
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == n_threads
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_budget_is_for_networks(kind):
    done = training.run(job(kind, TRAIN, VALIDATE, {"rows": 300, "epochs": 1}), MemoryLedger())
    expected = 300 if MODELS.part(kind).inputs == "window" else TRAIN.rows.size
    assert (done.rows_used, done.rows_available) == (expected, TRAIN.rows.size)


@pytest.mark.parametrize("kind", KINDS)
def test_heavy_rows_count_for_more(kind):
    heavy = np.where(TRAIN.outcome == 1, 20.0, 1.0).astype(np.float32)
    light = np.ones_like(heavy)
    means = []
    for weight in (heavy, light):
        this = job(kind, TRAIN._replace(weight=weight), VALIDATE, {"epochs": 6})
        fitted = training.run(this, MemoryLedger()).fitted
        windows = VALIDATE.windows
        take = windows.gather if fitted.inputs == "window" else windows.tabular
        inputs = take(VALIDATE.rows)
        means.append(fitted.raw(inputs, windows.ids(VALIDATE.rows))[:, 2].mean())
    assert means[0] > means[1] + 0.1


def test_every_fit_is_in_the_ledger_however_it_ends():
    ledger = MemoryLedger()
    this = job("mlp", TRAIN, VALIDATE, {"epochs": 3})
    training.run(this, ledger)
    epochs = training.fit(this, ledger)
    next(epochs)
    epochs.close()
    none = TRAIN._replace(outcome=np.zeros_like(TRAIN.outcome))
    with pytest.raises(TrainingError):
        training.run(this._replace(train=none), ledger)
    assert [row[:3] for row in ledger.rows] == [("fit", this.fingerprint, "data")] * 3
    facts = [row[3] for row in ledger.rows]
    assert [f["status"] for f in facts] == ["finished", "stopped", "failed"]
    assert facts[0]["best_epoch"] >= 1
    assert facts[0]["metrics"]["validate_pr_auc"] > 0
    assert facts[1]["epochs"] == 1
    assert "outcome +1" in facts[2]["reason"]


def test_the_fingerprint_heeds_model_and_recipe():
    this = job("mlp", TRAIN, VALIDATE)
    others = [
        this._replace(model=MODELS.parse({"kind": "mlp", "embedding": 3})),
        this._replace(recipe=TrainingConfig(epochs=3)),
        this._replace(recipe=TrainingConfig.parse({"loss": {"kind": "focal", "gamma": 1.0}})),
        this._replace(recipe=TrainingConfig.parse({"loss": {"kind": "focal", "gamma": 1.5}})),
    ]
    assert len({j.fingerprint for j in (this, *others)}) == 5
