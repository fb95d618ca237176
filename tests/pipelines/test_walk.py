"""The walk-forward as artifacts: each fold's own bits, blind ahead, and not those of another."""

import json
import shutil

import numpy as np
import polars as pl
import pytest

import touchstone as ts
from small import small_study, touchstone
from touchstone.data.cache import StageCache
from touchstone.errors import ArtifactError
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.finished import reopened
from touchstone.pipelines.market import search_market
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.walk import closest, export_folds, fold_scores
from touchstone.registry import artifact
from touchstone.reports.result import CandidateResult, iso_moment

WALKS = {
    "expanding": {"kind": "walk_forward", "train": "expanding", "validate": "20d", "test": "20d",
                  "folds": 3, "sealed": "65d"},
    "rolling": {"kind": "walk_forward", "train": "50d", "validate": "20d", "test": "20d",
                "folds": 3, "sealed": "65d"},
}  # fmt: skip
MODELS = {"expanding": [{"kind": "lightgbm", "rounds": 15}], "rolling": [{"kind": "logistic"}]}
BARS = {"source": "simulated", "market": {"n_instruments": 4, "n_bars": 4800, "ic": 0.4}}


@pytest.fixture(scope="module", params=WALKS)
def exported(request, tmp_path_factory):
    """A finished run, its folds as artifacts, and the market it learned on."""
    out = tmp_path_factory.mktemp(request.param)
    changes = {"folds": WALKS[request.param], "models": MODELS[request.param], "bars": BARS}
    if request.param == "rolling":  # each fold keeps columns of its own
        changes["selection"] = [{"kind": "mutual_information", "keep": 6}]
    run = ts.run(str(small_study(out, **changes)), out=out, jobs=1)
    target = out / "folds"
    code, text, _ = touchstone(
        "export", run.name, "--what", "folds", "--file", target, "--out", out, "--jobs", 1, "-q"
    )
    assert code == 0
    assert text.count("known by") == 3
    assert "another version" not in text
    cache = StageCache(out / ".touchstone" / "cache")
    study, loaded, data = reopened(run, cache, Silent())
    found = search_market(study, (loaded, data), Resources(cache, MemoryLedger, Silent(), 1))
    return run, target, found


def pooled(found):
    """Calibrated scores of the walk-forward by row of the panel."""
    comparison = found.comparison
    scores = np.full((len(found.prepared.panel), 3), np.nan)
    place = comparison.closest.place
    scores[comparison.segment.rows] = comparison.views[place].probability
    return scores


@pytest.mark.parametrize("what", ["folds", "onnx"])
def test_what_is_no_table_takes_no_form_of_a_table(exported, what):
    run, target, _ = exported
    place = target.parent / "elsewhere"
    words = ("export", run.name, "--what", what, "--to", "csv", "--file", place)
    code, _, said = touchstone(*words, "--out", target.parent)
    assert (code, place.exists()) == (2, False)
    assert "is no table; leave --to out" in said


def test_each_artifact_scores_its_test_rows_as_the_walk_forward_did(exported):
    run, target, found = exported
    scores, panel = pooled(found), found.prepared.panel
    for i, fold in enumerate(found.prepared.folds.folds):
        loaded = artifact.load(target / f"fold-{i + 1}")
        assert artifact.reproduce(loaded) == 0.0
        again = fold_scores(loaded, panel, fold.test)
        np.testing.assert_array_equal(again, scores[fold.test])
    table = run.scores.filter(pl.col("segment") == "walk_forward")
    tested = np.sort(np.concatenate([f.test for f in found.prepared.folds.folds]))
    np.testing.assert_array_equal(table["score"].to_numpy(), scores[tested, -1])


def test_a_replay_needs_no_bar_after_the_test(exported):
    _, target, found = exported
    panel, scores = found.prepared.panel, pooled(found)
    for i, fold in enumerate(found.prepared.folds.folds):
        known = panel.available_at <= fold.spans.test_end
        place = np.cumsum(known) - 1
        again = fold_scores(
            artifact.load(target / f"fold-{i + 1}"), panel.where(known), place[fold.test]
        )
        np.testing.assert_array_equal(again, scores[fold.test])


def test_the_artifact_of_another_fold_gives_other_scores(exported):
    _, target, found = exported
    first, second = found.prepared.folds.folds[:2]
    other = fold_scores(artifact.load(target / "fold-2"), found.prepared.panel, first.test)
    assert (other != pooled(found)[first.test]).any()
    assert first.spans.train_end < second.spans.train_end


def test_bounds_stand_in_the_manifest_and_in_the_listing(exported):
    run, target, found = exported
    listing = json.loads((target / "folds.json").read_text())
    assert listing["run"] == run.name
    for told, fold, card in zip(
        listing["folds"], found.prepared.folds.folds, run.result.market.folds, strict=False
    ):
        manifest = artifact.load(target / told["artifact"], told["identity"]).manifest
        origin, spans = manifest.origin, fold.spans
        assert (origin.train_start, origin.train_end) == (spans.train_start, spans.train_end)
        assert (origin.val_end, origin.test_start) == (spans.validate_end, spans.test_start)
        assert origin.test_end == spans.test_end
        assert told["validate_end"] == iso_moment(spans.validate_end) == card.validate_span[1]
        assert origin.train_end <= origin.val_end <= origin.test_start < origin.test_end
        known = found.prepared.panel.available_at
        assert known[fold.train].max() <= origin.train_end
        assert known[fold.test].min() > origin.val_end


def test_what_retraining_changes_by_the_kind_of_range(exported):
    """Rolling ranges leave the oldest rows behind, expanding ones keep all."""
    _, _, found = exported
    starts = [fold.spans.train_start for fold in found.prepared.folds.folds]
    sizes = [fold.train.size for fold in found.prepared.folds.folds]
    if len(set(starts)) == 1:
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[-1]
    else:
        assert starts == sorted(set(starts))
        assert max(sizes) - min(sizes) < 0.02 * max(sizes)


def test_a_lucky_candidate_of_one_trade_is_not_the_one_that_came_closest():
    few = CandidateResult(model="mlp", label="", sharpe=2.0, n_trades=1, chosen=False)
    enough = few.model_copy(update={"sharpe": -0.4, "n_trades": 30})
    assert closest((few, enough)) == 1
    assert closest((few, few.model_copy(update={"sharpe": 3.0}))) == 0
    assert closest((enough, few, enough.model_copy(update={"sharpe": -2.0, "chosen": True}))) == 2


def test_a_changed_file_is_refused_and_exporting_again_mends_it(exported, tmp_path):
    run, target, _ = exported
    copy = tmp_path / "folds"
    shutil.copytree(target, copy)
    path = copy / "fold-1" / "scaler.json"
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(ArtifactError):
        artifact.load(copy / "fold-1")
    cache = StageCache(run.folder.parents[1] / ".touchstone" / "cache")
    ledger = MemoryLedger()
    export_folds(run, copy, Resources(cache, lambda: ledger, Silent(), 1))
    for fold in ("fold-1", "fold-2", "fold-3"):
        files = {p.name: p.read_bytes() for p in (copy / fold).rglob("*") if p.is_file()}
        assert files == {p.name: p.read_bytes() for p in (target / fold).rglob("*") if p.is_file()}
    assert ledger.rows == []  # every fit came from the cache
