import re

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.errors import TrainingError
from touchstone.ledger import MemoryLedger
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
    "300 of 300 weights": (TRAIN._replace(weight=np.zeros(300, np.float32)), VALIDATE, {}),
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
