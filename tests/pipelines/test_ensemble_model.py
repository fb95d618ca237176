"""An ensemble as a model of a study: to its verdict, its artifact and the registry, bit for bit."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import touchstone as ts
from promotions import QUICK, audited, book_of, run_of
from small import small_study, touchstone
from touchstone.data.cache import StageCache
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError, ConfigError
from touchstone.models import MODELS
from touchstone.models.scoring import score
from touchstone.pipelines import learn_ensemble
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Task, learn
from touchstone.pipelines.learn import _task_key as key_of
from touchstone.pipelines.learn_ensemble import parts_of
from touchstone.pipelines.learned import as_long
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import read_study
from touchstone.pipelines.workspace import Workspace
from touchstone.registry.artifact import load as load_artifact
from touchstone.registry.artifact import reproduce

WILD = "std(ret, 24)"
MEMBERS = [{"kind": "logistic"}, {"kind": "lightgbm", "rounds": 30}]
JOINED = {"kind": "ensemble", "members": MEMBERS, "combiner": {"kind": "regime"}}
STUDY = QUICK | {
    "name": "joined",
    "features": {"extra": {"wild": WILD}},
    "models": [JOINED],
    "seed": 13,
}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A workspace with the finished run."""
    folder = tmp_path_factory.mktemp("joined")
    ts.run(str(small_study(folder, **STUDY)), out=folder, jobs=1)
    return folder


@pytest.fixture(scope="module")
def learned(out):
    """(study, market, the ensemble's fits, its members' as plain models), all from the cache."""
    study = read_study(str(small_study(out, **STUDY)))
    cache = StageCache(Workspace(out).cache)
    prepared = prepare(study, *load(study, Silent()), cache, Silent())
    resources = Resources(cache, ledger_of(Workspace(out)), Silent(), 1)
    folds = [(f"fold {i + 1}", fold) for i, fold in enumerate(prepared.folds.folds)]
    n_rows = len(book_of(out).rows())
    (model,) = study.config.models
    fits = learn(study, prepared, [Task(model, fold, name) for name, fold in folds], resources)
    plain = read_study(str(small_study(out, **(STUDY | {"models": MEMBERS}))))
    members = [
        learn(plain, prepared, [Task(one, fold, name) for one in plain.config.models], resources)
        for name, fold in folds
    ]
    assert len(book_of(out).rows()) == n_rows, "a member is fitted as the plain model is"
    return study, prepared, fits, members


def test_its_edge_is_found_its_artifact_verified_and_it_is_champion(out):
    run = run_of(out, "joined")
    assert run.result.market.verdict.word == "evidence"
    artifact = load_artifact(run.folder / "artifact")
    assert artifact.manifest.model["kind"] == "ensemble"
    assert reproduce(artifact) == 0.0
    audited(out, run)
    code, text, err = touchstone("promote", "joined", "--out", out)
    assert (code, err) == (0, ""), text
    assert "is champion of joined, version 1" in text
    assert touchstone("ledger", "verify", "--out", out)[0] == 0


def test_every_member_and_every_combination_is_counted_once(out):
    facts = [json.loads(row.facts) for row in book_of(out).rows() if row.kind == "fit"]
    kinds = [one["model"] for one in facts]
    # one fold, and the refit before the seal
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "logistic": 2, "lightgbm": 2, "ensemble": 2,
    }  # fmt: skip
    assert {one["status"] for one in facts} == {"finished"}


def test_what_decides_is_what_the_scoring_path_says_of_the_restored_model(learned):
    study, prepared, fits, members = learned
    for fold, fit, each in zip(prepared.folds.folds, fits, members, strict=True):
        ids = known_first(prepared.begun, fold.spans.train_end)[prepared.asset_id]
        scaler = Scaler.from_json(fit.scaler)
        windows = Windows(prepared.features, ids, study.config.lookback, scaler)
        again = fit.restore(study.config.models[0])
        np.testing.assert_array_equal(score(again, windows, fold.test), fit.test)
        for part, own in zip(again.members, each, strict=True):
            np.testing.assert_array_equal(score(part, windows, fold.test), own.test)
        apart = np.abs(score(again, windows, fold.validate) - fit.validate).max()
        assert apart > 0, "validation rows are combined by what other rows fitted"


def test_what_comes_after_the_validation_rows_moves_nothing_that_is_fitted(learned):
    study, prepared, fits, members = learned
    fold, panel, labels = prepared.folds.folds[0], prepared.panel, prepared.labels
    late = panel.available_at > panel.available_at[fold.validate].max()
    late |= ~np.isin(np.arange(late.size), np.r_[fold.train, fold.validate])
    other = prepared._replace(
        features=np.where(late[:, None], prepared.features[::-1], prepared.features),
        labels=labels._replace(
            outcome=np.where(late, -labels.outcome, labels.outcome),
            realised=np.where(late, -labels.realised, labels.realised),
        ),
    )
    said = tuple(fit._replace(test=fit.test[::-1]) for fit in members[0])
    asked = learn_ensemble.Asked("", Task(study.config.models[0], fold, "fold 1"), said)
    again = learn_ensemble._combined(study.config, other, asked)
    assert again.files == fits[0].files
    np.testing.assert_array_equal(again.validate, fits[0].validate)
    assert (again.test != fits[0].test).any()


@pytest.mark.parametrize(
    "changes",
    [
        {"combiner": {"kind": "regime", "prior_rows": 4.0}},
        {"combiner": "mean"},
        {"combiner": "mean", "prune": True},
        {"members": [MEMBERS[0], {"kind": "lightgbm", "rounds": 31}]},
        {"members": MEMBERS[::-1]},
        {"names": ["a", "b"]},
    ],
    ids=str,
)
def test_another_ensemble_is_another_fit(learned, changes):
    study, prepared, _, _ = learned
    task = Task(study.config.models[0], prepared.folds.folds[0], "fold 1")
    assert key_of(study.config, prepared, task) != key_of(
        study.config, prepared, task._replace(model=MODELS.parse(JOINED | changes))
    )


def test_other_rows_epochs_training_and_seeds_are_another_fit(learned):
    study, prepared, _, _ = learned
    config, fold = study.config, prepared.folds.folds[0]
    task = Task(config.models[0], fold, "fold 1")
    tasks = [
        task,
        task._replace(fold=fold._replace(validate=fold.validate[1:])),
        task._replace(fold=fold._replace(train=fold.train[1:])),
        task._replace(fold=fold._replace(test=fold.test[1:])),
        task._replace(members_epochs=(1, 2)),
        task._replace(name="final"),
    ]
    keys = [key_of(config, prepared, one) for one in tasks]
    training = config.training.model_copy(update={"rows": 2999})
    others = ({"training": training}, {"seed": 14}, {"lookback": 7})
    keys += [key_of(config.model_copy(update=other), prepared, task) for other in others]
    keys.append(key_of(config, prepared._replace(key="another market"), task))
    assert len(set(keys)) == len(keys)


def test_a_column_is_read_in_its_own_unit(learned):
    study, prepared, fits, _ = learned
    again = fits[0].restore(study.config.models[0])
    rows = prepared.folds.folds[0].validate
    wild = prepared.features[rows, prepared.plan.names.index("wild")]
    cuts = np.quantile(wild.astype(float), [1 / 3, 2 / 3])
    np.testing.assert_allclose(again.combined.cuts, cuts, rtol=1e-2)


def test_each_member_is_refitted_for_its_own_median_of_epochs(learned):
    study, prepared, fits, members = learned
    each = [[fit.best_epoch for fit in fits] for fits in zip(*members, strict=True)]
    task = as_long(Task(study.config.models[0], prepared.folds.final, "final"), fits)
    assert task.members_epochs == tuple(max(int(np.median(n)), 1) for n in each)
    assert task.members_epochs[1] > 1
    alone = as_long(Task(study.config.models[0].members[1], task.fold, "final"),
                    [fits[1] for fits in members])  # fmt: skip
    assert parts_of(task)[1] == alone


def test_golden_rows_see_a_weight_that_was_turned(out):
    artifact = load_artifact(run_of(out, "joined").folder / "artifact")
    fitted = artifact.decider.fitted
    weight = np.ascontiguousarray(fitted.combined.weight[:, ::-1])
    assert not np.allclose(weight, fitted.combined.weight)
    other = replace(fitted, combined=replace(fitted.combined, weight=weight))
    with pytest.raises(ArtifactError, match="golden row"):
        reproduce(artifact._replace(decider=artifact.decider._replace(fitted=other)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"features": {"extra": {}}}, r"reads 'std\(ret, 24\)'.*features\.extra"),
        ({"selection": [{"kind": "mutual_information"}]}, "a selection may leave"),
        ({"models": [JOINED | {"combiner": {"kind": "regime", "column": "wild"}}]},
         r"'wild': that names a feature: write 'std\(ret, 24\)'"),
        ({"models": [JOINED | {"combiner": {"kind": "regime", "column": "wilt"}}]},
         "combiner reads 'wilt'.*no input named"),
        ({"refit": {"seed": 3, "epochs": [4]}}, "each member of which finds its own"),
        ({"models": [JOINED | {"members": MEMBERS[:1]}]}, "needs two models, got 1"),
        ({"models": [JOINED | {"members": [JOINED, MEMBERS[0]]}]}, "within an ensemble"),
        ({"models": [JOINED | {"members": [*MEMBERS, MEMBERS[0]]}]}, "the same logistic"),
        ({"models": [JOINED | {"members": [MEMBERS[0], {"kind": "mlp", "head": "buy"}]}]},
         "different outcomes"),
        ({"models": [JOINED | {"names": ["one"]}]}, "1 for 2 members"),
        ({"models": [JOINED | {"prune": True}]}, "needs|set combiner"),
        ({"models": [JOINED | {"combiner": {"kind": "hierarchy", "groups": {"a": ["gru"]}}}]},
         "no member is left for group 'a'"),
        ({"models": [JOINED | {"combiner": "meen"}]}, "Did you mean 'mean'"),
    ],
)  # fmt: skip
def test_what_cannot_be_combined_is_refused_before_anything_is_fitted(changes, says, tmp_path):
    code, _, err = touchstone(
        "check", small_study(tmp_path, **json.loads(json.dumps(STUDY | changes)))
    )
    assert code == 2
    assert re.search(says, err), err


def test_epochs_for_an_ensemble_are_refused(learned):
    study, prepared, _, _ = learned
    task = Task(study.config.models[0], prepared.folds.folds[0], "fold 1", epochs=3)
    with pytest.raises(ConfigError, match="each member of which finds its own"):
        parts_of(task)


@pytest.mark.parametrize("verb", ["tune", "campaign"])
def test_searches_and_campaigns_name_the_way_out(verb, tmp_path):
    path = tmp_path / f"{verb}.yaml"
    path.write_text("name: a\nstudy: quickstart\nmodels: [{kind: ensemble}]\n")
    code, _, err = touchstone(verb, path, "--out", tmp_path)
    assert code == 2
    assert "models: an ensemble is no architecture" in err
