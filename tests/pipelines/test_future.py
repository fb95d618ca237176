"""Non-interference: what lies behind the seal moves nothing that was decided before it."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from small import small_study, write_bars
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.decide import compare
from touchstone.pipelines.learn import Resources, Task, learn
from touchstone.pipelines.market import before_the_seal as told_before
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import read_study
from touchstone.simulation import MarketConfig, simulate


def before_the_seal(tmp_path, name, panel):
    """Everything that a study computes before it looks, from a folder of bars."""
    folder = write_bars(tmp_path / name, panel)
    models = [
        {"kind": "logistic"},
        {"kind": "lightgbm", "rounds": 20},
        {"kind": "gru", "hidden": 8},
    ]
    study = read_study(
        str(small_study(tmp_path, bars={"source": "parquet", "path": str(folder)}, models=models))
    )
    resources = Resources(StageCache(tmp_path / f"{name}-cache"), MemoryLedger, Silent(), 1)
    prepared = prepare(study, *load(study, Silent()), resources.cache, Silent())
    learned = [
        learn(study, prepared, [Task(m, f, str(i)) for i, f in enumerate(prepared.folds.folds)],
              resources)
        for m in study.config.models
    ]  # fmt: skip
    comparison = compare(study, prepared, learned, MemoryLedger())
    return prepared, learned, comparison, told_before(study, prepared, comparison)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("future")
    panel = simulate(MarketConfig(n_instruments=5, n_bars=5600, ic=0.4), 11)[0]
    whole = before_the_seal(tmp_path, "whole", panel)
    after = panel.available_at > whole[0].folds.seal
    rng = np.random.default_rng(3)
    factor = np.where(after, np.exp(rng.normal(0, 1, len(panel))), 1.0)
    fields = ("open", "high", "low", "close", "volume")
    other = replace(panel, **{n: getattr(panel, n) * factor for n in fields})
    return whole, before_the_seal(tmp_path, "scrambled", other), after


def test_the_scramble_reaches_what_it_may(both):
    (one, *_), (other, *_), after = both
    assert (one.panel.close[after] != other.panel.close[after]).all()
    assert (one.labels.outcome != other.labels.outcome).any()


def test_folds_and_features_before_the_seal_are_the_same_bits(both):
    (one, *_), (other, *_), after = both
    assert one.folds.seal == other.folds.seal
    for a, b in zip(one.folds.folds, other.folds.folds, strict=True):
        for part in ("train", "validate", "test"):
            np.testing.assert_array_equal(getattr(a, part), getattr(b, part))
    for part in ("train", "validate"):
        final = (getattr(p.folds.final, part) for p in (one, other))
        np.testing.assert_array_equal(*final)
    np.testing.assert_array_equal(one.features[~after], other.features[~after])


def test_fits_and_scores_before_the_seal_are_the_same_bits(both):
    (_, one, *_), (_, other, *_), _ = both
    for a, b in zip(chain(*one), chain(*other), strict=True):
        np.testing.assert_array_equal(a.validate, b.validate)
        np.testing.assert_array_equal(a.test, b.test)
        assert (a.files, a.scaler, a.best_epoch) == (b.files, b.scaler, b.best_epoch)


def test_candidates_and_the_choice_are_the_same(both):
    (_, _, one, _), (_, _, other, _), _ = both
    assert one.chosen == other.chosen
    for a, b in zip(one.scored, other.scored, strict=True):
        assert a.record == b.record
        np.testing.assert_array_equal(a.returns, b.returns)


def test_what_the_page_tells_of_the_time_before_the_seal_is_the_same(both):
    (*_, one), (*_, other), _ = both
    assert one == other
