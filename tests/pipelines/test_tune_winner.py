"""A winner trained anew: what is kept, what it says of the fits, and that a study repeats it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searches import TINY
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.errors import ConfigError
from touchstone.ledger import MemoryLedger
from touchstone.metrics.classification import pr_auc
from touchstone.models import MODELS, Shape, restore
from touchstone.pipelines.learn import Task, learn
from touchstone.pipelines.market import search_market
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.refit import RefitConfig, epochs_of, fits_study
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import parse_study, read_study
from touchstone.pipelines.tune_winner import Winning, winner
from touchstone.reports.tune import Version

SMALL = TINY["study"] | {
    "models": [{"kind": "mlp", "hidden": [8]}],
    "training": {"rows": 300, "epochs": 4},
}
SEEDS = (11, 12, 13)


@dataclass
class Ground:
    study: object
    prepared: object
    resources: Resources


def ground(folder, **changes):
    study = parse_study(SMALL | changes, folder, "tiny")
    ledger = MemoryLedger()
    resources = Resources(StageCache(folder / "cache"), lambda: ledger, Silent(), 1)
    loaded, data = load(study, Silent(), resources.cache)
    return Ground(
        study, prepare(study, loaded, data, resources.cache, Silent()), resources
    )  # fmt: skip


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    return ground(tmp_path_factory.mktemp("mlp"))


def on_validation(one):
    def measure(fold, fit):
        hit = one.prepared.labels.outcome[fold.validate] == 1
        return pr_auc(fit.validate[:, -1], hit)

    return measure


def crowned(one, folder, measure=None, higher=True, seeds=SEEDS):
    asked = Winning("mlp", 5, one.study, {}, measure or on_validation(one), higher, seeds)
    return winner(asked, one.prepared, one.resources, folder)


def fits_of(one, study):
    tasks = [
        Task(study.config.models[0], fold, f"fold {i + 1}", epochs_of(study.config.refit, i))
        for i, fold in enumerate(one.prepared.folds.folds)
    ]
    return learn(study, one.prepared, tasks, one.resources)


def test_versions_are_the_checkpoint_and_one_a_seed_each_as_it_measures_on_validation(
    mlp, tmp_path
):
    found = crowned(mlp, tmp_path)
    names = ["checkpoint", *(f"retrained, seed {s}" for s in SEEDS)]
    assert [v.name for v in found.versions] == names
    fits, measure = fits_of(mlp, mlp.study), on_validation(mlp)
    expected = [measure(f, x) for f, x in zip(mlp.prepared.folds.folds, fits, strict=True)]
    assert list(found.versions[0].by_fold) == expected
    assert len({v.by_fold for v in found.versions}) == 4  # other seeds, other weights
    assert crowned(mlp, tmp_path) == found


@given(
    st.lists(st.none() | st.integers(0, 4), min_size=4, max_size=4),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_checkpoint_goes_unless_the_best_trained_anew_is_no_worse(mlp, means, higher):
    from touchstone.pipelines.tune_winner import _better, _Made

    made = [_Made(Version(name=str(i), by_fold=(m,), mean=m), mlp.study, [])
            for i, m in enumerate(means)]  # fmt: skip
    kept = _better(made[0], made[1:], higher=higher).told
    worth = {str(i): m if higher or m is None else -m for i, m in enumerate(means)}
    rest = [worth[str(i)] for i in (1, 2, 3) if worth[str(i)] is not None]
    if not rest or (worth["0"] is not None and max(rest) < worth["0"]):
        assert kept.name == "0"
    else:
        assert kept.name != "0"
        assert worth[kept.name] == max(rest)


def test_no_test_row_has_a_say(mlp, tmp_path):
    """Whatever the fits said of test rows, and whatever came of them, the same is kept."""
    measure, seen = on_validation(mlp), []

    def spying(fold, fit):
        assert np.intersect1d(fold.validate, fold.test).size == 0
        seen.append(fit)
        return measure(fold, fit._replace(test=np.full_like(fit.test, np.nan)))

    assert crowned(mlp, tmp_path / "a", spying) == crowned(mlp, tmp_path / "b")
    assert len(seen) == 8


def test_the_files_are_the_kept_fits_and_score_the_same_bits(mlp, tmp_path):
    stale = tmp_path / "winners" / "mlp" / "fold-1" / "left.bin"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of an earlier version")
    found = crowned(mlp, tmp_path)
    study = read_study(str(tmp_path / found.file))
    fits = fits_of(mlp, study)
    for i, fit in enumerate(fits, start=1):
        place = tmp_path / "winners" / "mlp" / f"fold-{i}"
        facts = json.loads((place / "fit.json").read_text())
        assert facts["version"] == found.kept
        assert {p.name for p in place.iterdir()} == {*facts["files"], "fit.json"}
        content = {n: (place / n).read_bytes() for n in facts["files"]}
        assert {n: hashlib.sha256(c).hexdigest() for n, c in content.items()} == facts["files"]
        model = MODELS.parse(facts["model"])
        assert model == study.config.models[0]
        again = restore(model, Shape(*facts["shape"]), content)
        kept = fit.restore(model)
        x = np.random.default_rng(0).standard_normal(
            (64, again.shape.lookback, again.shape.n_features)
        )
        ids = np.zeros(64, np.int32)
        assert np.array_equal(
            again.raw(x.astype(np.float32), ids), kept.raw(x.astype(np.float32), ids)
        )
        assert content["scaler.json"].decode() == fit.scaler


@pytest.mark.parametrize("kept", [0, 2])
def test_a_run_of_its_study_takes_the_kept_version_from_the_cache(mlp, tmp_path, kept):
    """The study that is written fits what was kept, bit for bit, whichever version that is."""
    name = ["checkpoint", *(f"retrained, seed {s}" for s in SEEDS)][kept]
    order = iter([v for i in range(4) for v in (float(i == kept),) * 2])
    found = crowned(mlp, tmp_path, lambda *_: next(order))
    assert found.kept == name
    study = read_study(str(tmp_path / found.file))
    assert (study.config.refit is None) == (kept == 0)
    wanted = fits_of(mlp, study)
    ledger = mlp.resources.ledger()
    n_fits = sum(kind == "fit" for kind, *_ in ledger.rows)
    bars = load(study, Silent(), mlp.resources.cache)
    (made,) = search_market(study, bars, mlp.resources).learned
    assert sum(kind == "fit" for kind, *_ in ledger.rows) == n_fits  # none is made again
    for fit, one in zip(wanted, made, strict=True):
        assert np.array_equal(one.validate, fit.validate)
        assert np.array_equal(one.test, fit.test)
        assert one.files == fit.files


@pytest.mark.parametrize(
    "model", [{"kind": "mlp", "hidden": [8]}, {"kind": "lightgbm", "rounds": 20}]
)
def test_the_studys_own_seed_and_the_best_epochs_are_the_checkpoint_itself(tmp_path, model):
    """Fixed epochs change but where a fit ends: only the seed makes a version another."""
    one = ground(tmp_path, models=[model])
    first = fits_of(one, one.study)
    refit = RefitConfig(seed=one.study.config.seed, epochs=tuple(f.best_epoch for f in first))
    changed = one.study.config.model_copy(update={"refit": refit})
    again = fits_of(one, one.study._replace(config=changed))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.validate, b.validate)
        assert a.best_epoch == b.best_epoch
        assert a.files == b.files


def test_a_study_without_refit_is_the_question_it_was():
    assert "refit" not in parse_study(SMALL, Path(), "x").config.canonical()


def test_a_refit_that_does_not_fit_its_study_is_refused():
    refit = RefitConfig(seed=1, epochs=(3, 0))
    assert epochs_of(refit, 0) == 3
    assert epochs_of(refit, 1) is None
    fits_study(refit, 1, 2)
    fits_study(None, 5, 9)
    with pytest.raises(ConfigError, match="one model"):
        fits_study(refit, 2, 2)
    with pytest.raises(ConfigError, match="one number a fold, 3"):
        fits_study(refit, 1, 3)
    assert isinstance(refit, Config)
