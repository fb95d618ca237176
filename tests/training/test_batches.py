"""Windows reach a network by one of two ways and are the same; a fit on a GPU is the same fit."""

import numpy as np
import pytest
import torch

from touchstone import training
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import TrainingError
from touchstone.ledger import MemoryLedger
from touchstone.training.batches import Host, Resident, batches, rows_on
from training.planted import job, samples

CPU = torch.device("cpu")
TRAIN, VALIDATE = samples(weights=True)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def scaled():
    windows = TRAIN.windows
    n = windows.n_features
    centre = np.linspace(-1, 1, n, dtype=np.float32)
    scale = np.linspace(0.5, 2, n, dtype=np.float32)
    return windows.with_scaler(Scaler("standard", centre, scale, 1.5))


@pytest.mark.parametrize("windows", [TRAIN.windows, scaled()], ids=["raw", "scaled"])
def test_windows_gathered_where_the_matrix_lies_are_those_of_the_host(windows):
    rows = torch.from_numpy(TRAIN.rows.astype(np.int64))
    resident = Resident(windows, CPU)
    assert torch.equal(Host(windows, CPU)(rows), resident(rows))
    assert resident.runs.untyped_storage().nbytes() == windows.features.nbytes


def test_train_and_validation_rows_share_the_way_of_their_windows():
    train = rows_on(TRAIN, "barrier", CPU)
    assert rows_on(VALIDATE, "barrier", CPU, train).gather is train.gather
    other = VALIDATE._replace(windows=Windows(TRAIN.windows.features, TRAIN.windows.asset_id, 3))
    assert rows_on(other, "barrier", CPU, train).gather is not train.gather


@pytest.mark.parametrize("batch", [1, 7, 128, 10_000])
def test_batches_go_over_every_row_in_the_order_asked_for(batch):
    rows = rows_on(TRAIN, "barrier", CPU)
    order = np.random.default_rng(0).permutation(len(rows))
    place, windows = [], []
    for at, row in batches(rows, order, batch):
        place.append(at)
        windows.append(rows.gather(row).clone())
    np.testing.assert_array_equal(torch.cat(place).numpy(), order)
    expected = TRAIN.windows.gather(TRAIN.rows[order])
    np.testing.assert_array_equal(torch.cat(windows).numpy(), expected)


def test_bf16_learns_what_float32_learns():
    found = {}
    for precision in ("float32", "bf16"):
        recipe = {"epochs": 6, "device": "cpu", "precision": precision}
        this = job("gru", TRAIN, VALIDATE, recipe, model={"hidden": 16})
        found[precision] = training.run(this, MemoryLedger()).history[-1].metrics
    assert found["bf16"] != found["float32"]
    assert abs(found["bf16"]["validate_loss"] - found["float32"]["validate_loss"]) < 0.02
    assert found["bf16"]["validate_roc_auc"] > 0.7


@needs_gpu
def test_windows_on_the_device_are_those_of_the_host_bit_for_bit():
    device, windows = torch.device("cuda"), scaled()
    rows = torch.from_numpy(TRAIN.rows.astype(np.int64))
    found = Resident(windows, device)(rows.cuda()).cpu()
    assert torch.equal(found, Host(windows, CPU)(rows))


@needs_gpu
@pytest.mark.parametrize("kind", ["gru", "mlp"])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_fit_on_a_gpu_learns_the_same_and_resumes(kind, precision):
    recipe = {"epochs": 5, "device": "cpu", "precision": precision}
    here = training.run(job(kind, TRAIN, VALIDATE, recipe), MemoryLedger())
    there = job(kind, TRAIN, VALIDATE, recipe | {"device": "cuda"})
    states = [epoch.state() for epoch in training.fit(there, MemoryLedger())]
    whole = training.run(there, MemoryLedger())
    loss = [fit.history[-1].metrics["validate_loss"] for fit in (here, whole)]
    assert abs(loss[0] - loss[1]) < 0.03
    resumed = training.run(there._replace(resume=states[1]), MemoryLedger())
    again = resumed.history[-1].metrics["validate_loss"]
    assert abs(again - loss[1]) < 1e-3


@needs_gpu
def test_a_card_without_memory_says_what_to_change():
    free, _ = torch.cuda.mem_get_info()
    hog = torch.empty(free - 2**28, dtype=torch.uint8, device="cuda")
    recipe = {"epochs": 1, "batch": 2**20, "device": "cuda"}
    big, _ = samples(n=200_000)
    with pytest.raises(TrainingError, match=r"lower (it|batch)"):
        training.run(job("gru", big, None, recipe, epochs=1, model={"hidden": 256}), MemoryLedger())
    del hog


@needs_gpu
def test_a_fit_leaves_nothing_on_the_card():
    recipe = {"epochs": 2, "device": "cuda"}
    training.run(job("gru", TRAIN, VALIDATE, recipe), MemoryLedger())
    before = torch.cuda.memory_allocated()
    for _ in range(3):
        training.run(job("gru", TRAIN, VALIDATE, recipe), MemoryLedger())
    assert torch.cuda.memory_allocated() <= before
