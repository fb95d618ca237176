"""Driving fits: what is kept of one, and what is left of one that was stopped."""

import pytest

from small import small_study
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.learn import Resources, Task, learn
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import read_study

GRU = {"kind": "gru", "hidden": 4}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    recipe = {"rows": 500, "epochs": 4}
    study = read_study(
        str(small_study(folder, models=[GRU, {"kind": "logistic"}], training=recipe)), {}
    )
    cache, ledger = StageCache(folder / "cache"), MemoryLedger()
    resources = Resources(cache, lambda: ledger, Silent(), 1)
    prepared = prepare(study, *load(study, Silent(), cache), cache, Silent())
    tasks = [Task(model, prepared.folds.folds[0], "fold 1") for model in study.config.models]
    return study, prepared, tasks, resources, ledger


def test_every_epoch_of_a_fit_is_kept_with_it_and_told_from_the_cache(asked):
    study, prepared, tasks, resources, ledger = asked
    fresh = learn(study, prepared, tasks, resources)
    n_fits = len(ledger.rows)
    again = learn(study, prepared, tasks, resources)
    assert len(ledger.rows) == n_fits
    for first, second in zip(fresh, again, strict=True):
        assert first.history == second.history
        assert [(at, told[f"validate_{first.metric}"]) for at, told in first.history] == list(
            first.looks
        )
    gru, logistic = fresh
    assert [at for at, _ in gru.history] == [1, 2, 3, 4]
    assert all({"train_loss", "validate_loss"} <= told.keys() for _, told in gru.history)
    assert [at for at, _ in logistic.history] == [0]
