"""A checkpoint carried into a fit with other settings: what goes on, what changes, what may not."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch

from touchstone import training
from touchstone.errors import TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.training import PhaseSamples
from touchstone.training.checkpoint import FACTS
from touchstone.training.weights import TENSORS
from training.planted import job, samples

TRAIN, VALIDATE = samples(weights=True)
NETWORKS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs == "window"]
MLP = {"hidden": [8], "dropout": 0.2}


def made(kind="mlp", recipe=(), epochs=None, **more):
    settings = {"epochs": 6, "rows": 300, **dict(recipe)}
    model = more.pop("model", MLP if kind == "mlp" else {})
    return job(kind, TRAIN, VALIDATE, settings, model=model, epochs=epochs, **more)


def last_state(this):
    """The checkpoint after the last of a fit's fixed epochs."""
    with_states = list(training.fit(this, MemoryLedger()))
    return with_states[-1].state()


def state_after(this, n):
    for epoch in training.fit(this, MemoryLedger()):
        if epoch.index == n:
            return epoch.state()
    raise AssertionError(n)


@pytest.mark.parametrize("schedule", ["fixed", "plateau", "cosine", "one_cycle"])
def test_with_unchanged_settings_a_fit_in_pieces_is_the_uninterrupted_one_bit_for_bit(schedule):
    recipe = {"schedule": schedule, "learning_rate": 2e-2}
    whole = training.run(made(recipe=recipe, epochs=6), MemoryLedger())
    state = None
    for done in (2, 3, 6):
        piece = made(recipe=recipe, epochs=done)
        resume = None if state is None else training.adopted(piece, state)
        ended = training.run(piece._replace(resume=resume), MemoryLedger())
        state = last_state(piece._replace(resume=resume))
        torch.manual_seed(done)  # what others draw in between does not matter
    assert ended.fitted.files() == whole.fitted.files()
    assert [e.metrics for e in ended.history] == [e.metrics for e in whole.history[3:]]
    assert state[TENSORS] == last_state(made(recipe=recipe, epochs=6))[TENSORS]


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_same_job_adopts_its_own_checkpoint_unchanged(kind):
    this = made(kind, epochs=1, model={})
    state = last_state(this)
    again = training.adopted(this, state)
    assert json.loads(again[FACTS]) == json.loads(state[FACTS])
    assert again[TENSORS] == state[TENSORS]


CHANGES = [
    {"learning_rate": 1e-3}, {"weight_decay": 1.0}, {"batch": 64}, {"clip": 0.01},
    {"optimiser": "adam", "weight_decay": 1.0}, {"schedule": "cosine"},
    {"loss": {"kind": "focal", "gamma": 3.0}}, {"augment": [{"kind": "jitter", "size": 0.5}]},
    {"sampling": "weighted"},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: next(iter(c)))
def test_a_changed_setting_takes_effect_from_the_next_epoch_and_weights_are_carried(change):
    state = last_state(made(epochs=2))
    plain, changed = made(epochs=3), made(recipe=change, epochs=3)
    taken = training.adopted(changed, state)
    assert taken[TENSORS] == state[TENSORS]
    went_on = training.run(plain._replace(resume=training.adopted(plain, state)), MemoryLedger())
    other = training.run(changed._replace(resume=taken), MemoryLedger())
    assert other.fitted.files() != went_on.fitted.files()
    assert [e.index for e in other.history] == [3]


def test_another_dropout_and_another_seed_change_what_follows_too():
    state = last_state(made(epochs=2))
    plain = made(epochs=3)
    ends = [
        training.run(one._replace(resume=training.adopted(one, state)), MemoryLedger())
        for one in (plain, made(epochs=3, model={**MLP, "dropout": 0.4}), plain._replace(seed=8))
    ]
    assert len({end.fitted.files()["weights.safetensors"] for end in ends}) == 3


def moved(recipe, state, epochs):
    """How far one more epoch at these settings moves the weights, Euclidean."""
    this = made(recipe=recipe, epochs=epochs)
    after = last_state(this._replace(resume=training.adopted(this, state)))
    before, now = (
        {k: v for k, v in safetensors.torch.load(s[TENSORS]).items() if k.startswith("now/")}
        for s in (state, after)
    )
    return float(np.sqrt(sum(((now[k] - before[k]) ** 2).sum().item() for k in now)))


def test_ten_times_the_learning_rate_moves_the_weights_several_times_as_far():
    state = last_state(made(recipe={"learning_rate": 1e-4}, epochs=2))
    near, far = (moved({"learning_rate": rate}, state, 3) for rate in (1e-4, 1e-3))
    assert far > 3 * near


def test_a_cosine_that_is_adopted_stands_where_the_epoch_says_and_falls_to_zero():
    fixed = {"learning_rate": 2e-2}
    state = last_state(made(recipe=fixed, epochs=5))
    steps = [moved({**fixed, "schedule": s}, state, 6) for s in ("fixed", "cosine")]
    # factor of epoch 6 of 6: (1 + cos(5 pi / 6)) / 2 = 0.067
    assert steps[1] < steps[0] / 4


def test_plateau_keeps_what_it_has_halved():
    recipe = {"schedule": "plateau", "learning_rate": 2e-2}
    state = last_state(made(recipe=recipe, epochs=2))
    content = json.loads(state[FACTS])
    content["schedule"] |= {"factor": 0.25, "waited": 2}
    other = made(recipe={**recipe, "learning_rate": 1e-2, "epochs": 9}, epochs=3)
    taken = training.adopted(other, {**state, FACTS: json.dumps(content).encode()})
    expected = {"kind": "plateau", "epochs": 9, "factor": 0.25, "waited": 2}
    assert json.loads(taken[FACTS])["schedule"] == expected


def test_the_best_epoch_goes_on_being_the_best_where_validation_chooses():
    this = made(recipe={"learning_rate": 2e-2})
    state = state_after(this, 3)
    best = json.loads(state[FACTS])["watch"]
    worse = made(recipe={"learning_rate": 1e-12})
    ended = training.run(worse._replace(resume=training.adopted(worse, state)), MemoryLedger())
    assert ended.best_epoch == best["best_epoch"]


REFUSED = {
    "sizes": (made(epochs=3, model={"hidden": [16]}), "weights"),
    "layers": (made(epochs=3, model={"hidden": [8, 8]}), "weights"),
    "head": (made(epochs=3, model={**MLP, "head": "buy"}), "weights"),
    "kind": (made("gru", epochs=3, model={"hidden": 8}), "kind"),
    "data": (made(epochs=3)._replace(data="other"), "data"),
    "rows": (made(epochs=3)._replace(train=TRAIN.take(np.arange(400))), "n_rows"),
    "costs": (made(epochs=3)._replace(round_trip=0.01), "round_trip"),
    "metric": (made(recipe={"metric": "f1"}, epochs=3), "metric"),
    "fewer epochs": (made(epochs=1), "after epoch 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_change_of_settings_is_refused_and_says_so(name):
    state = last_state(made(epochs=2))
    this, said = REFUSED[name]
    with pytest.raises(TrainingError, match=said):
        training.adopted(this, state)


def test_another_curriculum_is_refused():
    easier = TRAIN._replace(outcome=np.where(TRAIN.realised > 0, 1, -1).astype(np.int8))
    phase = {"label": {"kind": "triple_barrier", "take_profit": 0.02}, "epochs": 2}
    this = made(recipe={"curriculum": [phase]}, epochs=4, phases=(PhaseSamples(easier, 2),))
    with pytest.raises(TrainingError, match="phases"):
        training.adopted(this, last_state(made(epochs=2)))
    state = state_after(this, 1)
    slower = made(
        recipe={"curriculum": [phase], "learning_rate": 1e-4}, epochs=4,
        phases=(PhaseSamples(easier, 2),),
    )  # fmt: skip
    ended = training.run(slower._replace(resume=training.adopted(slower, state)), MemoryLedger())
    assert [(e.index, e.phase) for e in ended.history] == [(2, 1), (3, 0), (4, 0)]


@pytest.mark.parametrize("kind", [k for k in MODELS.kinds() if k not in NETWORKS])
def test_kinds_without_weights_are_refused(kind):
    with pytest.raises(TrainingError, match="no weights"):
        training.adopted(made(kind, model={}), {})


@pytest.mark.parametrize("broken", [{}, {FACTS: b"{"}, {FACTS: b"[]"}])
def test_what_is_no_checkpoint_is_refused(broken):
    with pytest.raises(TrainingError, match="cannot be read"):
        training.adopted(made(epochs=3), broken)


def test_torn_tensors_are_refused():
    state = last_state(made(epochs=2))
    with pytest.raises(TrainingError, match="cannot be read"):
        training.adopted(made(epochs=3), {**state, TENSORS: state[TENSORS][:100]})


def test_a_checkpoint_of_other_settings_is_still_refused_where_nobody_adopts_it():
    state = last_state(made(epochs=2))
    other = made(recipe={"learning_rate": 1e-4}, epochs=2)
    with pytest.raises(TrainingError, match="another fit"):
        list(training.fit(other._replace(resume=state), MemoryLedger()))
