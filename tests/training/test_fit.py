import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.errors import TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.training import TrainingConfig
from touchstone.training.losses import LOSSES
from training.planted import job, samples

KINDS = MODELS.kinds()
STEPPED = [kind for kind in KINDS if kind != "logistic"]
TRAIN, VALIDATE = samples(weights=True)


def drain(this, ledger=None):
    epochs, all_ = training.fit(this, ledger or MemoryLedger()), []
    while True:
        try:
            all_.append(next(epochs))
        except StopIteration as end:
            return all_, end.value


@pytest.mark.parametrize("schedule", ["fixed", "plateau", "cosine"])
@pytest.mark.parametrize("stop", [1, 3])
def test_a_resumed_network_ends_with_the_same_bytes(schedule, stop):
    recipe = {"epochs": 5, "schedule": schedule, "patience": 2, "rows": 500}
    this = job("gru", TRAIN, VALIDATE, recipe, model={"hidden": 16, "layers": 2})
    whole = training.run(this, MemoryLedger())
    for epoch in training.fit(this, MemoryLedger()):
        if epoch.index == stop:
            state = epoch.state()
            break
    torch.manual_seed(99)  # what others draw in between does not matter
    resumed = training.run(this._replace(resume=state), MemoryLedger())
    assert resumed.fitted.files() == whole.fitted.files()
    assert resumed.best_epoch == whole.best_epoch
    assert [e.metrics for e in resumed.history] == [e.metrics for e in whole.history[stop:]]


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
