"""Bars behind the last validation row change no trial of a search, no winner, no weight."""

from typing import NamedTuple

import numpy as np
import pytest
import yaml

from rewritten import upside_down
from searches import TINY
from small import write_bars
from touchstone.data.cache import StageCache
from touchstone.metrics.classification import pr_auc
from touchstone.pipelines import tune_found, tune_trial, tune_values, tune_winner
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import Ask
from touchstone.pipelines.tune import tune
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.workspace import Workspace

TRIALS = {
    "models": [{"kind": "mlp", "hidden": [4]}, {"kind": "lightgbm", "rounds": 8}],
    "method": {"kind": "trials", "trials": 4, "sampler": {"kind": "tpe", "startup": 2},
               "pruner": {"kind": "median", "startup": 2, "warmup": 0}},
}  # fmt: skip


class Once(NamedTuple):
    """A search of one market."""

    searches: tuple
    """Trials with their values on the way and at the end, winners with their versions."""
    weights: list
    """Files of each version's fits: checkpoint and retrained."""
    kept: dict
    """Of the versions that go on, as they lie beside the result."""
    tests: list
    """Their scores of test rows."""


class Market(NamedTuple):
    """Where a search of it is made."""

    folder: object
    bars: object


def searched(market, plant=lambda _: None):
    """Search it, whatever was searched there before; a fault may be planted."""
    weights, tests, learn = [], [], tune_winner.learn

    def seeing(*asked):
        fits = learn(*asked)
        weights.append([fit.files for fit in fits])
        tests.append([fit.test for fit in fits])
        return fits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tune_winner, "learn", seeing)
        plant(patch)
        asked = read_tune(market.folder / "tune.yaml", None, market.bars)
        ask = Ask(Workspace(market.folder), 1, "touchstone tune", again=True)
        ended = tune(asked, ask, Silent(), [])
    kept = {
        str(path.relative_to(ended.folder)): path.read_bytes()
        for path in ended.folder.glob("winners/*/*/*") if path.name != "fit.json"
    }  # fmt: skip
    return Once(ended.result.searches, weights, kept, tests)


@pytest.fixture(scope="module")
def markets(tmp_path_factory):
    """The same market twice: as it is, and with another end."""
    folders = [tmp_path_factory.mktemp(name) for name in ("as it is", "turned")]
    for folder in folders:
        (folder / "tune.yaml").write_text(yaml.safe_dump(TINY | TRIALS))
    study, cache = read_tune(folders[0] / "tune.yaml").study, StageCache(folders[0] / "cache")
    loaded, data = load(study, Silent(), cache)
    prepared = prepare(study, loaded, data, cache, Silent())
    last = prepared.folds.folds[-1]
    moment = last.spans.validate_end  # by then the outcome of every validation row is known
    assert (prepared.panel.available_at[last.test] > moment).all()
    ends = (prepared.panel, upside_down(prepared.panel, moment))
    return [
        Market(folder, write_bars(folder / "bars", panel))
        for folder, panel in zip(folders, ends, strict=True)
    ]


def test_no_trial_no_winner_and_no_weight_knows_what_came_after(markets):
    one, other = (searched(market) for market in markets)
    assert {t.state for s in one.searches for t in s.trials} == {"complete", "pruned"}
    assert one.searches == other.searches
    assert one.weights == other.weights
    assert one.kept == other.kept
    assert [len(fits) for fits in one.weights] == [2] * 8  # two winners of four versions
    # The last fold's test rows are others: otherwise nothing was turned.
    for a, b in zip(one.tests, other.tests, strict=True):
        assert not np.array_equal(a[-1], b[-1])


def reads_test_rows(patch):
    """The objective is measured on test rows."""

    def leak(rank, prepared, fold, fit):
        return rank(fit.test[:, -1], prepared.labels.outcome[fold.test] == 1)

    patch.setattr(tune_values, "_on_rows", leak)


def chosen_on_test_rows(patch):
    """Trials are worth what they are, but the best is the one whose test rows were."""
    on_test, measure = {}, tune_trial.measure

    def seeing(study, prepared, fits, *more):
        worth = measure(study, prepared, fits, *more)
        on_test[worth.value("pr_auc")] = np.mean([
            pr_auc(fit.test[:, -1], prepared.labels.outcome[fold.test] == 1)
            for fold, fit in zip(prepared.folds.folds, fits, strict=True)
        ])  # fmt: skip
        return worth

    def best(trials, _):
        ended = [t for t in trials if t.state == "complete"]
        return (max(ended, key=lambda t: on_test[t.values[0]]).number,)

    patch.setattr(tune_trial, "measure", seeing)
    patch.setattr(tune_found, "best", best)


@pytest.mark.parametrize("leak", [reads_test_rows, chosen_on_test_rows])
def test_a_search_that_looks_at_test_rows_is_caught(markets, leak):
    one, other = (searched(market, leak) for market in markets)
    assert one.searches != other.searches
