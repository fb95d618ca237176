"""A head for several tasks: three outcomes to all above it, and what it learns beside them."""

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.errors import ConfigError, TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.metrics.classification import roc_auc
from touchstone.models import MODELS, TASKS
from touchstone.models.layers.network import finish
from touchstone.models.scoring import score
from training.planted import job, samples

TRAIN, VALIDATE = samples(weights=True)
LOSS = {"kind": "multi_task", "weight_return": 1.0, "weight_volatility": 1.0, "weight_regime": 1.0}
NETWORKS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs == "window"]


def fit(kind="gru", head="multi_task", loss=LOSS, **recipe):
    recipe = {"epochs": 8, "loss": loss, **recipe}
    model = {"head": head, "hidden": 16} if kind == "gru" else {"head": head}
    return training.run(job(kind, TRAIN, VALIDATE, recipe, model=model), MemoryLedger())


def said(fitted, samples):
    windows = torch.from_numpy(samples.windows.gather(samples.rows))
    ids = torch.from_numpy(samples.windows.ids(samples.rows).astype(np.int64))
    with torch.inference_mode():
        return fitted.network(windows, ids)


@pytest.mark.parametrize("uncertainty", [False, True])
def test_learns_the_outcomes_and_every_task(uncertainty):
    fitted = fit(loss=LOSS | {"uncertainty": uncertainty}).fitted
    out = said(fitted, VALIDATE).numpy()
    assert out.shape == (VALIDATE.rows.size, 3 + sum(TASKS.values()))
    for column, task in ((3, 0), (4, 1)):
        assert np.corrcoef(out[:, column], VALIDATE.tasks[:, task])[0, 1] > 0.55
    assert (out[:, 5:].argmax(1) == VALIDATE.tasks[:, 2]).mean() > 0.5
    up = score(fitted, VALIDATE.windows, VALIDATE.rows)
    assert up.shape == (VALIDATE.rows.size, 3)
    assert roc_auc(up[:, 2], VALIDATE.outcome == 1) > 0.8
    np.testing.assert_allclose(up, torch.softmax(torch.from_numpy(out[:, :3]), 1), atol=2e-6)


def test_tasks_that_weigh_nothing_change_nothing_but_the_first_weights():
    none = {"weight_return": 0.0, "weight_volatility": 0.0, "weight_regime": 0.0}
    done = fit(loss={"kind": "multi_task", **none}, epochs=2)
    head = done.fitted.network.head
    assert head.weight.shape[0] == 3 + sum(TASKS.values())
    assert (head.bias[3:] == head.bias[3:].mean()).sum() < 5  # as they were drawn
    assert done.history[-1].metrics["validate_roc_auc"] > 0.7


def test_the_loss_of_tasks_is_its_base_for_other_heads():
    for head in ("barrier", "buy"):
        one, two = (fit(head=head, loss=loss, epochs=2) for loss in (LOSS, "cross_entropy"))
        assert one.fitted.files() == two.fitted.files()


@pytest.mark.parametrize("kind", ["gru", "cnn_lstm"])
def test_a_head_of_tasks_resumes(kind):
    recipe = {"epochs": 2, "loss": LOSS | {"uncertainty": True}}
    this = job(kind, TRAIN, VALIDATE, recipe, model={"head": "multi_task"})
    epochs = training.fit(this, MemoryLedger())
    state = next(epochs).state()
    epochs.close()
    whole = training.run(this, MemoryLedger())
    resumed = training.run(this._replace(resume=state), MemoryLedger())
    assert resumed.fitted.files() == whole.fitted.files()


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("head", ["barrier", "multi_task"])
def test_the_number_of_parameters_is_that_of_the_weights(kind, head):
    this = job(kind, TRAIN, VALIDATE, model={"head": head})
    part = MODELS.part(kind)
    made = part.built(this.model, this.shape)
    done = finish(part, this.model, this.shape, made.state_dict(), 1)
    assert done.n_parameters == sum(one.numel() for one in made.parameters()) > 100


@pytest.mark.parametrize(
    ("changes", "recipe", "says"),
    [
        ({}, {"loss": "cross_entropy"}, "set training.loss to {kind: multi_task, base: cross"),
        ({"tasks": None}, {"loss": LOSS}, "give Samples.tasks"),
        ({"tasks": TRAIN.tasks[:, :2]}, {"loss": LOSS}, r"of shape \(900, 3\), got \(900, 2\)"),
        ({"tasks": TRAIN.tasks * np.nan}, {"loss": LOSS}, "finite numbers"),
        ({"tasks": TRAIN.tasks + 0.5}, {"loss": LOSS}, "is a class, 0, 1 or 2"),
        ({"teacher": None}, {"loss": LOSS | {"base": "distillation"}}, "needs a teacher's scores"),
        ({"teacher": TRAIN.teacher * 2}, {"loss": LOSS}, "sample 0 are no probabilities"),
        ({"teacher": TRAIN.teacher[:, :2]}, {"loss": LOSS}, "as a model's, got"),
        ({"teacher": TRAIN.teacher[:9]}, {"loss": LOSS}, "teacher of 9 rows beside 900 samples"),
    ],
)
def test_refuses_a_head_without_its_loss_and_a_loss_without_what_it_wants(changes, recipe, says):
    this = job("mlp", TRAIN._replace(**changes), VALIDATE, recipe, model={"head": "multi_task"})
    with pytest.raises((TrainingError, ConfigError), match=says):
        training.run(this, MemoryLedger())


@pytest.mark.parametrize("kind", [kind for kind in MODELS.kinds() if kind not in NETWORKS])
def test_rows_have_no_head_of_tasks(kind):
    with pytest.raises(ConfigError, match="head"):
        MODELS.parse({"kind": kind, "head": "multi_task"})


def test_a_student_of_a_teacher_who_knows_comes_nearer_to_the_truth():
    few = TRAIN.take(np.arange(0, TRAIN.rows.size, 6))
    off = []
    for loss in ({"kind": "distillation", "weight": 0.9, "temperature": 2.0}, "cross_entropy"):
        this = job("mlp", few, VALIDATE, {"epochs": 15, "loss": loss}, epochs=15)
        fitted = training.run(this, MemoryLedger()).fitted
        found = score(fitted, VALIDATE.windows, VALIDATE.rows)
        off.append(np.square(found - VALIDATE.teacher).mean())
    assert off[0] < 0.8 * off[1]
