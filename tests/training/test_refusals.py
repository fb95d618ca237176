import re

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.errors import TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.training import PhaseSamples
from touchstone.training.losses import LOSSES
from training.planted import job, samples, take

TRAIN, VALIDATE = samples(n=400)


def outcomes(rows, value):
    return rows._replace(outcome=np.full_like(rows.outcome, value))


REFUSED = {
    "none of the 300 train rows has outcome +1": (outcomes(TRAIN, -1), VALIDATE, {}),
    "all 300 train rows have outcome +1: raise": (outcomes(TRAIN, 1), VALIDATE, {}),
    "none of the 100 validation rows has outcome +1": (TRAIN, outcomes(VALIDATE, 0), {}),
    "no train rows: lengthen": (take(TRAIN, np.zeros(0, int)), VALIDATE, {}),
    "no validation rows: lengthen": (TRAIN, take(VALIDATE, np.zeros(0, int)), {}),
    "no validation rows to choose the epoch by": (TRAIN, None, {}),
    "epochs fixed at 0: at least 1": (TRAIN, VALIDATE, {"epochs": 0}),
    "all 300 weights of train rows are 0": (
        TRAIN._replace(weight=np.zeros(300, np.float32)),
        VALIDATE,
        {},
    ),
    "1 of 300 weights": (
        TRAIN._replace(weight=np.r_[np.ones(299), -1].astype(np.float32)),
        VALIDATE,
        {},
    ),
    "checkpoint.json of the checkpoint cannot be read": (TRAIN, VALIDATE, {"resume": {}}),
}


@pytest.mark.parametrize("kind", ["mlp", "lightgbm"])
@pytest.mark.parametrize("message", REFUSED)
def test_says_what_is_wrong_and_what_to_change(kind, message):
    train, validate, more = REFUSED[message]
    with pytest.raises(TrainingError, match=re.escape(message)):
        training.run(job(kind, train, validate, **more), MemoryLedger())


def test_validation_rows_that_choose_nothing_may_be_of_one_kind():
    one = outcomes(VALIDATE, 0)
    done = training.run(job("mlp", TRAIN, one, epochs=2), MemoryLedger())
    assert done.best_epoch == 2
    assert "validate_roc_auc" not in done.history[-1].metrics
    assert done.history[-1].metrics["validate_loss"] > 0


@pytest.mark.parametrize("more", [{}, {"validate": None, "epochs": 1}])
def test_weights_that_explode_name_the_settings(more):
    this = job("mlp", TRAIN, VALIDATE, {"learning_rate": 1e30, "batch": 4096})
    with pytest.raises(TrainingError, match=r"not finite in epoch \d: lower learning_rate"):
        training.run(this._replace(**more), MemoryLedger())


def planted(wrong):
    """A loss that is the log-loss and something wrong in the gradient or the value."""

    def loss(log_p, truth, _config):
        said = log_p.gather(1, truth.unsqueeze(1)).squeeze(1)
        return -said + wrong(said)

    return loss


def torn(x):
    """Zero, with a slope of 0 / 0 there: no loss of the last step ever shows it."""
    return (x - x.detach()).abs().sqrt()


def steep(x):
    """Zero, with a slope whose square overflows: clipped to nothing, no loss ever shows it."""
    return (x - x.detach()) * 1e38


WRONG = {
    "a gradient is not finite in epoch 1: lower learning_rate": (torn, 4096),
    "a gradient is not finite in epoch 1: lower ": (steep, 128),
    "the loss is not finite in epoch 1: lower learning_rate": (torn, 128),
    "the loss is not finite in epoch 1: lower ": (lambda x: x.detach() * torch.nan, 4096),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_loss_or_gradient_that_is_no_number_ends_the_epoch(message, monkeypatch):
    wrong, batch = WRONG[message]
    config = LOSSES.config("cross_entropy")
    monkeypatch.setitem(LOSSES._parts, "cross_entropy", (config, planted(wrong)))
    with pytest.raises(TrainingError, match=message):
        training.run(job("mlp", TRAIN, VALIDATE, {"batch": batch}), MemoryLedger())


def test_an_ensemble_is_not_fitted_to_samples():
    ledger = MemoryLedger()
    with pytest.raises(TrainingError, match="to what its members say"):
        training.run(job("ensemble", TRAIN, VALIDATE), ledger)
    assert ledger.rows[0][3]["status"] == "failed"


@pytest.mark.parametrize("kind", ["mlp", "lightgbm"])
def test_memory_that_runs_out_names_the_settings(kind, monkeypatch):
    """400 TB are more than any machine maps; trees draw no such matrix, so numpy's error is given
    to them."""
    ledger, model = MemoryLedger(), {"hidden": [10_000_000, 10_000_000]}
    if kind == "lightgbm":
        model = {}
        part = MODELS.part(kind)
        monkeypatch.setattr(part, "grow", lambda *_: iter([np.empty(10**14, np.float64)]))
    with pytest.raises(TrainingError, match=r"memory ran out.*lower batch \(now 128\), rows"):
        training.run(job(kind, TRAIN, VALIDATE, model=model), ledger)
    assert "memory ran out" in ledger.rows[0][3]["reason"]


def test_other_errors_of_torch_stay_what_they_are(monkeypatch):
    config = LOSSES.config("cross_entropy")
    wrong = (config, lambda log_p, *_: log_p.reshape(7, 7, 7, 7, 7))
    monkeypatch.setitem(LOSSES._parts, "cross_entropy", wrong)
    with pytest.raises(RuntimeError, match="shape"):
        training.run(job("mlp", TRAIN, VALIDATE), MemoryLedger())


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_fp16_on_a_cpu_is_refused_with_what_to_take_instead(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe = {"precision": "fp16", "device": device}
    with pytest.raises(TrainingError, match="float32, or bf16 where the CPU has it, or fit on a"):
        training.run(job("mlp", TRAIN, VALIDATE, recipe), MemoryLedger())


EASY = {"label": {"kind": "triple_barrier"}, "epochs": 2}


@pytest.mark.parametrize(
    ("phases", "more", "message"),
    [
        ((), {}, r"phases of \(2,\) epochs, the job samples for \(\)"),
        ((PhaseSamples(TRAIN, 3),), {}, r"\(2,\) epochs, the job samples for \(3,\)"),
        ((PhaseSamples(outcomes(TRAIN, -1), 2),), {}, "phase 1 of the curriculum: none of the 300"),
        ((PhaseSamples(TRAIN, 2),), {"epochs": 2}, "fixed at 2, and the curriculum alone takes 2"),
    ],
)
def test_a_curriculum_that_does_not_fit_is_refused(phases, more, message):
    this = job("mlp", TRAIN, VALIDATE, {"curriculum": [EASY]}, phases=phases, **more)
    with pytest.raises(TrainingError, match=message):
        training.run(this, MemoryLedger())


def test_a_missing_device_names_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="use device: auto or cpu"):
        training.run(job("mlp", TRAIN, VALIDATE, {"device": "cuda"}), MemoryLedger())


def test_a_checkpoint_of_another_fit_is_refused():
    this = job("mlp", TRAIN, VALIDATE, {"epochs": 2})
    epochs = training.fit(this, MemoryLedger())
    state = next(epochs).state()
    epochs.close()
    others = {
        "its seed is 7": this._replace(seed=8),
        "its data is 'data'": this._replace(data="other"),
        "its fit is": job("mlp", TRAIN, VALIDATE, {"epochs": 3}),
        "its n_rows is 300": this._replace(train=take(TRAIN, np.arange(200))),
    }
    for message, other in others.items():
        with pytest.raises(TrainingError, match=message):
            training.run(other._replace(resume=state), MemoryLedger())
    cut = dict(state)
    cut["checkpoint.safetensors"] = cut["checkpoint.safetensors"][:99]
    with pytest.raises(TrainingError, match="cannot be read"):
        training.run(this._replace(resume=cut), MemoryLedger())
