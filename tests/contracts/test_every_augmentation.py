"""Promises that every augmentation keeps. A new file in training/augmentations/ is tested here."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.dataset.scalers import Scaler
from touchstone.errors import ConfigError, TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.training.augmentations import AUGMENTATIONS
from touchstone.training.augmented import AsTheyAre, Augmented, augmented, neighbours
from touchstone.training.batches import rows_on
from touchstone.training.losses import row_losses
from touchstone.training.step import log_p
from training.planted import N_FEATURES, job, samples

KINDS = AUGMENTATIONS.kinds()
CPU = torch.device("cpu")
CENTRE = np.array([0.5, -1.0, 0.0], np.float32)
SCALE = np.array([2.0, 0.5, 1.0], np.float32)


def planted(clip=8.0):
    """Train and validation samples whose windows are scaled."""
    found = samples(weights=True)
    windows = found[0].windows.with_scaler(Scaler("standard", CENTRE, SCALE, clip))
    return tuple(one._replace(windows=windows) for one in found)


TRAIN, VALIDATE = planted()


def made(*augment, train=TRAIN, **more):
    """The hook of a job whose recipe holds these, over all train rows."""
    this = job("mlp", train, VALIDATE, {"augment": list(augment)}, **more)
    rows = rows_on(train, "barrier", CPU)
    return augmented(this, rows), rows


def seen(hook, rows, seed=1, size=256):
    """One batch of the first rows, and the same as it was."""
    place = torch.arange(size)
    before = rows.gather(rows.row[place]).clone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        batch = hook(place, rows.row[place])
    return before, batch._replace(seen=batch.seen._replace(windows=batch.seen.windows.clone()))


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_shape_and_type_and_makes_nothing_that_is_not_finite(kind):
    hook, rows = made(kind)
    for size in (1, 2, 256):
        before, batch = seen(hook, rows, size=size)
        after = batch.seen.windows
        assert (after.shape, after.dtype) == (before.shape, torch.float32)
        assert after.isfinite().all()
        assert after.abs().max() <= 8.0
        assert batch.answers.truth.shape == batch.asset_id.shape == (size,)
        assert batch.answers.truth.dtype == torch.int64


@pytest.mark.parametrize("kind", KINDS)
def test_changes_something_and_the_same_seed_changes_the_same(kind):
    hook, rows = made(kind)
    before, one = seen(hook, rows)
    _, two = seen(made(kind)[0], rows)
    _, other = seen(hook, rows, seed=2)
    assert not torch.equal(one.seen.windows, before)
    assert torch.equal(one.seen.windows, two.seen.windows)
    assert torch.equal(one.answers.truth, two.answers.truth)
    assert not torch.equal(one.seen.windows, other.seen.windows)


def sizes(kind, before, batch):
    """(found, documented) of each statistic that the part's file promises."""
    change = (batch.seen.windows - before).double()
    config = AUGMENTATIONS.config(kind)()
    if kind == "jitter":
        return (float(change.std()), config.size), (float(change.mean()), 0.0)
    if kind == "price_scaling":
        zero = torch.from_numpy(-CENTRE / SCALE)
        gain = ((change / (before - zero)) + 1).median(2).values.median(1).values
        return (float(gain.log().std()), config.size), (float(gain.log().mean()), 0.0)
    if kind == "mixup":
        # Beta(a, a) has variance 1 / (4 (2 a + 1)), and the larger share the same about 1 / 2.
        spread = float((batch.seen.share.double() - 0.5).square().mean())
        return ((spread, 1 / (4 * (2 * config.alpha + 1))),)
    assert kind == "time_shift", f"say here what size of change {kind} promises"
    still = float((change.abs().amax((1, 2)) == 0).double().mean())
    own = torch.from_numpy(neighbours(TRAIN, TRAIN.rows[: len(before)], config.bars))
    return ((still, float((own == own[config.bars]).double().mean())),)


@pytest.mark.parametrize("kind", KINDS)
def test_the_change_is_of_the_size_that_is_documented(kind):
    hook, rows = made(kind)
    before, batch = seen(hook, rows, size=len(rows))
    for found, documented in sizes(kind, before, batch):
        assert found == pytest.approx(documented, rel=0.08, abs=0.05 * documented + 2e-3), kind


@pytest.mark.parametrize("kind", KINDS)
def test_validation_rows_and_the_matrix_are_left_as_they_are(kind):
    train, validate = planted()
    bytes_ = train.windows.features.tobytes()
    this = job("mlp", train, validate, {"epochs": 1, "augment": [kind], "device": "cpu"})
    before = torch.from_numpy(validate.windows.gather(validate.rows))
    done = training.run(this, MemoryLedger())
    assert train.windows.features.tobytes() == bytes_
    ids = torch.from_numpy(validate.windows.ids(validate.rows).astype(np.int64))
    with torch.inference_mode():
        logits = done.fitted.network(before, ids)
        truth = torch.from_numpy(validate.outcome + 1).long()
        loss = row_losses(this.recipe.loss, log_p(logits, "barrier"), truth)
        mean = float((loss * torch.from_numpy(validate.weight / validate.weight.mean())).mean())
    assert done.history[0].metrics["validate_loss"] == pytest.approx(mean, abs=1e-6)


def digest(this):
    files = training.run(this, MemoryLedger()).fitted.files()
    return hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()


def everything(train=TRAIN, **more):
    recipe = {"epochs": 3, "device": "cpu", "rows": 500, "augment": KINDS}
    return job("mlp", train, VALIDATE, recipe, **more)


def test_off_is_what_it_was_and_on_is_not():
    plain = job("mlp", TRAIN, VALIDATE, {"epochs": 2})
    off = job("mlp", TRAIN, VALIDATE, {"epochs": 2, "augment": []})
    assert "augment" not in off.recipe.canonical()
    assert off.fingerprint == plain.fingerprint
    assert digest(off) == digest(plain)
    assert isinstance(made()[0], AsTheyAre)
    for kind in KINDS:
        assert isinstance(made(kind)[0], Augmented)
        on = job("mlp", TRAIN, VALIDATE, {"epochs": 2, "augment": [kind]})
        assert digest(on) != digest(plain)
        assert on.fingerprint != plain.fingerprint


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", [1, 2])
def test_a_fit_with_it_resumes_as_if_it_had_not_stopped(kind, stop):
    recipe = {"epochs": 3, "device": "cpu", "rows": 500, "augment": [kind]}
    this = job("mlp", TRAIN, VALIDATE, recipe)
    states = [epoch.state() for epoch in training.fit(this, MemoryLedger())]
    torch.manual_seed(99)
    assert digest(this._replace(resume=states[stop - 1])) == digest(this)


def test_all_together_are_the_same_bits_in_another_process():
    code = "from contracts.test_every_augmentation import *; print(digest(everything()))"
    run = [sys.executable, "-c", code]
    tests = Path(__file__).parents[1]
    told = subprocess.run(run, capture_output=True, text=True, check=True, cwd=tests).stdout
    assert told.strip() == digest(everything())


@pytest.mark.parametrize("kind", KINDS)
def test_config_survives_its_own_json_and_refuses_other_keys(kind):
    config = AUGMENTATIONS.config(kind)()
    assert config.kind == kind
    assert AUGMENTATIONS.parse(config.model_dump(mode="json")) == config
    with pytest.raises(ConfigError, match="no such key"):
        AUGMENTATIONS.parse({"kind": kind, "lenght": 3})
    with pytest.raises(ConfigError, match=f"{kind} twice"):
        job("mlp", TRAIN, VALIDATE, {"augment": [kind, kind]})


@pytest.mark.parametrize("bars", [1, 2])
def test_a_shifted_row_is_a_train_row_of_its_instrument_with_the_label_of_that_row(bars):
    every = TRAIN.take(np.random.default_rng(3).permutation(TRAIN.rows.size))
    hook, rows = made({"kind": "time_shift", "bars": bars}, train=every)
    place = {int(row): at for at, row in enumerate(every.rows)}
    ids = every.windows.asset_id
    found = neighbours(every, every.rows, bars)
    for at, row in enumerate(every.rows):
        for shift in range(-bars, bars + 1):
            there = place.get(int(row) + shift)
            same = there is not None and ids[int(row) + shift] == ids[row]
            assert found[shift + bars, at] == (there if same else at)
    _, batch = seen(hook, rows, size=len(rows))
    windows = every.windows.gather(every.rows)
    keys = {window.tobytes(): at for at, window in enumerate(windows)}
    went = np.array([keys[window.numpy().tobytes()] for window in batch.seen.windows])
    assert (np.abs(every.rows[went] - every.rows) <= bars).all()
    assert (went != np.arange(went.size)).any()
    np.testing.assert_array_equal(batch.answers.truth, every.outcome[went] + 1)
    np.testing.assert_array_equal(batch.answers.tasks, every.tasks[went])
    np.testing.assert_allclose(batch.answers.teacher, every.teacher[went], rtol=1e-6)


@pytest.mark.parametrize("sampling", ["uniform", "weighted"])
def test_rows_that_moved_count_for_what_they_have_become(sampling):
    """Weights that give every outcome the same total still do, though neighbours differ."""
    n = np.bincount(TRAIN.outcome + 1)
    weight = (1 / n[TRAIN.outcome + 1]).astype(np.float32)
    even = TRAIN._replace(weight=weight / weight.mean())
    recipe = {"augment": [{"kind": "time_shift", "bars": 3}], "sampling": sampling}
    every = rows_on(even, "barrier", CPU)
    hook, mass = augmented(job("mlp", even, VALIDATE, recipe), every), np.zeros(3)
    drawn = np.arange(len(every))
    if sampling == "weighted":
        drawn = np.random.default_rng(0).choice(drawn, 20_000, p=weight / weight.sum())
    for seed in range(3 if sampling == "weighted" else 60):
        place = torch.from_numpy(drawn)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            batch = hook(place, every.row[place])
        own = every.weight[place] if sampling == "uniform" else torch.ones(len(place))
        mass += np.bincount(batch.answers.truth, (own * batch.worth).numpy(), 3)
    np.testing.assert_allclose(mass / mass.sum(), 1 / 3, atol=0.015)


def test_a_shift_goes_to_rows_that_no_budget_drew():
    recipe = {"rows": 100, "augment": ["time_shift"]}
    this = job("mlp", TRAIN, VALIDATE, recipe)
    drawn = rows_on(TRAIN.take(np.arange(0, TRAIN.rows.size, 9)), "barrier", CPU)
    _, batch = seen(augmented(this, drawn), drawn, size=len(drawn))
    own = {window.tobytes() for window in TRAIN.windows.gather(drawn.samples.rows)}
    every = {window.tobytes() for window in TRAIN.windows.gather(TRAIN.rows)}
    went = {window.numpy().tobytes() for window in batch.seen.windows}
    assert went <= every
    assert went - own


def test_a_neighbour_whose_window_is_not_finite_is_refused():
    train, _ = samples(n=400)
    bad = train.rows[(np.diff(train.rows, append=10**9) == 1).argmax()] + 1
    few = train.take(np.flatnonzero(np.abs(train.rows - bad) > 6))
    train.windows.features[bad, 1] = np.nan
    both = train.take(np.flatnonzero((train.rows == bad) | np.isin(train.rows, few.rows)))
    near = train.take(np.flatnonzero(train.rows == bad - 1))
    assert near.rows.size == 1
    this = job("mlp", train, None, {"augment": ["time_shift"]}, epochs=1)
    with pytest.raises(TrainingError, match="feature number 1"):
        augmented(this, rows_on(near, "barrier", CPU))
    assert both.rows.size > few.rows.size


def test_a_factor_leaves_other_columns_and_refuses_those_that_are_not_there():
    hook, rows = made({"kind": "price_scaling", "columns": [2], "size": 0.1})
    before, batch = seen(hook, rows)
    assert torch.equal(batch.seen.windows[:, :, :2], before[:, :, :2])
    raw = before[:, :, 2] * SCALE[2] + CENTRE[2]
    gain = (batch.seen.windows[:, :, 2] * SCALE[2] + CENTRE[2]) / raw
    torch.testing.assert_close(gain, gain[:, :1].expand_as(gain), rtol=1e-3, atol=1e-4)
    with pytest.raises(ConfigError, match=f"column {N_FEATURES} is asked for"):
        made({"kind": "price_scaling", "columns": [N_FEATURES]})


def test_a_mixture_is_what_its_shares_say_and_learns_both_answers():
    hook, rows = made({"kind": "mixup", "alpha": 1.0})
    before, batch = seen(hook, rows)
    partner, share = batch.seen.partner, batch.seen.share
    assert sorted(partner.tolist()) == list(range(len(before)))
    assert (share >= 0.5).all()
    mixed = share[:, None, None] * before + (1 - share)[:, None, None] * before[partner]
    torch.testing.assert_close(batch.seen.windows, mixed)
    network_says = torch.randn(len(before), 3).log_softmax(1)
    truth, loss = batch.answers.truth, job("mlp", TRAIN, VALIDATE).recipe.loss
    soft = torch.zeros(len(before), 3).index_put_((torch.arange(len(before)), truth), share)
    soft.index_put_((torch.arange(len(before)), truth[partner]), 1 - share, accumulate=True)
    both = share * row_losses(loss, network_says, truth)
    both += (1 - share) * row_losses(loss, network_says, truth[partner])
    torch.testing.assert_close(both, -(soft * network_says).sum(1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_step_draws_anew_each_time_and_resumes(kind):
    recipe = {"epochs": 3, "device": "cuda", "batch": 64, "augment": [kind]}
    this = job("mlp", TRAIN, VALIDATE, recipe, model={"dropout": 0.0})
    states = [epoch.state() for epoch in training.fit(this, MemoryLedger())]
    whole = training.run(this, MemoryLedger()).history[-1].metrics["validate_loss"]
    resumed = training.run(this._replace(resume=states[0]), MemoryLedger())
    assert abs(resumed.history[-1].metrics["validate_loss"] - whole) < 1e-3
    device = torch.device("cuda")
    rows = rows_on(TRAIN, "barrier", device)
    hook, place = augmented(this, rows), torch.arange(64, device=device)
    taken = rows.row[place]
    for _ in range(3):
        hook(place, taken)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = hook(place, taken)
    played = []
    for _ in range(3):
        graph.replay()
        played.append(found.seen.windows.clone())
    assert not torch.equal(played[0], played[1])
    assert not torch.equal(played[1], played[2])
