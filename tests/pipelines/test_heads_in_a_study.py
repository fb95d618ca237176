"""All that a recipe offers networks, asked for in a study's file at once."""

from dataclasses import replace

import numpy as np
import pytest

from small import small_study, write_bars
from touchstone.data.cache import StageCache
from touchstone.errors import ConfigError, TooFewBarsError, TrainingError
from touchstone.labels.tasks import paths
from touchstone.ledger import MemoryLedger
from touchstone.models import TASKS
from touchstone.pipelines.campaign_machine import probed
from touchstone.pipelines.learn import Resources, Task, learn
from touchstone.pipelines.phases import phase_rows
from touchstone.pipelines.prepare import load, prepare, resolve
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import columns_of, shelve
from touchstone.pipelines.study import read_study
from touchstone.pipelines.trace_fits import Kept
from touchstone.simulation import MarketConfig, simulate

PANEL = simulate(MarketConfig(n_instruments=3, n_bars=5300, ic=0.4), 11)[0]
FURTHER = {"kind": "forward_return", "horizon": 100}
"""Looks further ahead than the study's own label."""
CHANGES = {
    "models": [{"kind": "gru", "hidden": 8, "head": "multi_task"}, {"kind": "logistic"}],
    "training": {
        "rows": 600, "epochs": 1, "sampling": "weighted", "optimiser": "adam",
        "schedule": "one_cycle", "metric": "net", "keep_every": 1,
        "loss": {"kind": "multi_task", "base": "focal", "uncertainty": True},
        "curriculum": [{"label": FURTHER, "epochs": 1}],
        "augment": [{"kind": "time_shift", "bars": 5}, {"kind": "jitter", "size": 0.002},
                    "price_scaling", "mixup"],
    },
}  # fmt: skip


def first_fold(tmp_path, name, panel):
    """The study's first fold, every model fitted for the phase and one epoch more."""
    bars = {"source": "parquet", "path": str(write_bars(tmp_path / name, panel))}
    study = read_study(str(small_study(tmp_path, bars=bars, **CHANGES)))
    resources = Resources(StageCache(tmp_path / f"{name}-cache"), MemoryLedger, Silent(), 1)
    prepared = prepare(study, *load(study, Silent()), resources.cache, Silent())
    fold = prepared.folds.folds[0]
    tasks = [Task(model, fold, "fold 1", 2) for model in study.config.models]
    return study, prepared, resources, tasks, learn(study, prepared, tasks, resources)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    return first_fold(tmp_path_factory.mktemp("heads"), "whole", PANEL)


def test_three_outcomes_come_of_it_and_the_cache_gives_it_back(learned):
    study, prepared, resources, tasks, fits = learned
    for task, fit in zip(tasks, fits, strict=True):
        assert fit.validate.shape == (task.fold.validate.size, 3)
        np.testing.assert_allclose(fit.validate.sum(1), 1, atol=2e-6)
    network = fits[0].restore(tasks[0].model)
    assert network.network.head.out_features == 3 + sum(TASKS.values())
    again = learn(study, prepared, tasks, resources)
    assert [one.files for one in again] == [one.files for one in fits]


def test_tasks_are_those_of_the_studys_labels_and_only_where_a_head_asks(learned):
    study, prepared, resources, _, _ = learned
    found = columns_of(shelve(study.config, prepared, resources.cache)).tasks
    np.testing.assert_array_equal(found, paths(prepared.panel, prepared.labels))
    plain = study.config.model_copy(update={"models": study.config.models[1:]})
    assert columns_of(shelve(plain, prepared, resources.cache)).tasks is None


def test_before_any_fit_a_campaign_may_look_at_the_columns_and_reckon(learned):
    study, _, _, tasks, _ = learned
    cache = Kept()
    prepared = prepare(study, *load(study, Silent()), cache, Silent())
    columns = columns_of(shelve(study.config, prepared, cache))
    assert len(columns.phases) == 1
    short = study.config.training.model_copy(update={"curriculum": ()})
    costs = [
        probed(study.config.model_copy(update={"training": recipe}), prepared, tasks[0].model,
               columns).seconds
        for recipe in (short, study.config.training)
    ]  # fmt: skip
    assert min(costs) > 0


WIDE = FURTHER | {"width": "stdd(close, 9)"}
REFUSED = {
    "learns its tasks by the loss multi_task": {"loss": "bce"},
    "needs a teacher's scores": {"loss": {"kind": "multi_task", "base": "distillation"}},
    "no function named 'stdd'": {"curriculum": [{"label": WIDE, "epochs": 1}]},
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_a_study_cannot_give_is_said_before_anything_is_computed(says, tmp_path):
    training = CHANGES["training"] | REFUSED[says]
    study = read_study(str(small_study(tmp_path, **CHANGES | {"training": training})))
    with pytest.raises((ConfigError, TrainingError), match=says):
        resolve(study, PANEL)


@pytest.mark.parametrize(
    ("horizon", "says"),
    [(5290, "phase 1 of the curriculum, by its label: fold 1 of 2: no train rows"),
     (800, "phase 1 of the curriculum, by its label: fold 1 of 2: no validate rows")],
)  # fmt: skip
def test_a_phase_that_leaves_a_fold_no_rows_is_named(learned, horizon, says):
    study, prepared, _, _, _ = learned
    phase = {"label": FURTHER | {"horizon": horizon}, "epochs": 1}
    training = study.config.training.parse({"curriculum": [phase]})
    config = study.config.model_copy(update={"training": training})
    with pytest.raises(TooFewBarsError, match=says):
        phase_rows(config, prepared, Kept())


def test_what_comes_after_the_train_range_teaches_nothing(learned, tmp_path):
    """Neither through targets of tasks, nor their scale, nor a phase's label that reaches further,
    nor a row that was shifted, drawn twice or mixed."""
    _, prepared, _, tasks, fits = learned
    end = tasks[0].fold.spans.train_end
    panel = prepared.panel
    after = panel.available_at > end
    factor = np.where(after, np.exp(np.random.default_rng(3).normal(0, 1, len(panel))), 1.0)
    fields = ("open", "high", "low", "close", "volume")
    other = replace(panel, **{name: getattr(panel, name) * factor for name in fields})
    changed = first_fold(tmp_path, "other", other)
    np.testing.assert_array_equal(changed[3][0].fold.train, tasks[0].fold.train)
    assert [one.files for one in changed[-1]] == [one.files for one in fits]
    assert (changed[-1][0].test != fits[0].test).any()
