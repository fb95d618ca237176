"""Regimes and selection through the whole path: per fold, blind ahead, the artifact equal to it."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import touchstone as ts
from small import small_study, touchstone, write_bars
from touchstone.data.cache import StageCache
from touchstone.errors import ArtifactError, ConfigError
from touchstone.features import Bar, Stream
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.decide import candidate_fingerprint
from touchstone.pipelines.learn import Resources, Task, learn
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import parse_study, read_study
from touchstone.registry import artifact, golden, sight
from touchstone.registry.artifact import ArtifactParts
from touchstone.simulation import MarketConfig, simulate

BARS = {"source": "simulated", "market": {"n_instruments": 4, "n_bars": 5300, "ic": 0.4}}
QUICK = {"rows": 3000, "starts": 1, "tolerance": 1e-3}
REGIMES = {"kind": "hmm", "states": 2, **QUICK}
SELECTION = [{"kind": "clusters", "correlation": 0.85}, {"kind": "mutual_information", "keep": 6}]
BOTH = {
    "bars": BARS,
    "regimes": REGIMES,
    "selection": SELECTION,
    "models": [{"kind": "logistic"}, {"kind": "lightgbm", "rounds": 20}],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("views")
    return ts.run(str(small_study(out, **BOTH)), out=out, jobs=1), out


@pytest.fixture(scope="module")
def regimes_only(tmp_path_factory):
    """Every column is kept, so that the artifact's model sees the regimes."""
    out = tmp_path_factory.mktemp("regimes")
    changes = {
        "regimes": REGIMES,
        "models": [{"kind": "logistic"}],
        "features": {
            "set": "none",
            "extra": {"v": "volume / mean(volume, 24)", "r": "log(close / lag(close, 1))"},
        },
    }
    return ts.run(str(small_study(out, **changes)), out=out, jobs=1), out


def study_of(run):
    settings = json.loads((run.folder / "study.json").read_text())
    return parse_study(settings, run.folder, "study.json")


def test_each_fold_names_what_its_models_saw(finished):
    run, _ = finished
    folds = run.result.market.folds
    assert [f.name for f in folds] == ["1", "2", "final"]
    known = set(run.result.market.features)
    assert {"regime_1", "regime_2"} <= known
    for fold in folds:
        assert 1 <= len(fold.selected) <= 6
        assert set(fold.selected) <= known
        assert "volume_ratio_24" in fold.selected  # the planted edge shows itself in volume alone
        assert fold.regimes is None or sum(fold.regimes.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("which", ["finished", "regimes_only"])
def test_the_artifact_decides_what_the_study_decided(which, request):
    """Its columns from the bars alone, through its own model: the scores that were exported."""
    run, _ = request.getfixturevalue(which)
    made = artifact.load(run.folder / "artifact")
    panel = load(study_of(run), Silent())[0].panel
    matrix = sight.matrix(made, panel)
    told = run.scores.filter(pl.col("segment") == "sealed")
    time, symbol = told["timestamp"].to_physical().to_numpy(), told["symbol"].to_numpy()
    place = {key: row for row, key in enumerate(zip(panel.time.tolist(),
             np.array(panel.symbols)[panel.asset_id].tolist(), strict=True))}  # fmt: skip
    rows = np.array([place[key] for key in zip(time.tolist(), symbol.tolist(), strict=True)])
    rows, told = rows[::7], told[::7]
    windows = matrix[rows[:, None] + np.arange(1 - made.manifest.shape.lookback, 1)]
    number = {name: i for i, name in enumerate(made.manifest.symbols)}
    ids = np.array([number[s] for s in told["symbol"]], np.int32)
    score = made.decider.calibrator.apply(golden.scores(made.decider, windows, ids))
    np.testing.assert_array_equal(score[:, -1], told["score"].to_numpy())


def test_the_artifact_lists_only_what_its_model_sees(finished):
    run, _ = finished
    made = artifact.load(run.folder / "artifact")
    final = run.result.market.folds[-1]
    assert set(made.view.names) == set(final.selected)
    assert {f.name for f in made.manifest.features} == set(final.selected) - {
        "regime_1", "regime_2"}  # fmt: skip
    assert made.manifest.shape.n_features == len(final.selected)
    assert artifact.reproduce(made) == 0


def test_a_touched_view_is_refused(regimes_only, tmp_path):
    run, _ = regimes_only
    made = artifact.load(run.folder / "artifact")
    parts = ArtifactParts(
        made.decider, made.golden, "1h", "24/7", made.manifest.symbols,
        {f.name: f.expression for f in made.manifest.features},
        made.manifest.features_fingerprint, made.label, made.manifest.origin, made.view,
    )  # fmt: skip
    artifact.save(tmp_path / "same", parts)
    turned = made.view._replace(names=made.view.names[::-1])
    with pytest.raises(ArtifactError, match="not the features of the manifest"):
        artifact.save(tmp_path / "turned", parts._replace(view=turned))
    with pytest.raises(ArtifactError, match="got 2 features, needed the 4"):
        artifact.save(tmp_path / "without", parts._replace(view=None))
    changed = replace(load(study_of(run), Silent())[0].panel)
    other = made._replace(manifest=made.manifest.model_copy(update={"features_fingerprint": "0"}))
    with pytest.raises(ArtifactError, match="use the version of touchstone that made it"):
        sight.matrix(other, changed)


def test_live_regimes_are_the_bits_of_the_batch_with_gaps_and_absences(regimes_only):
    run, _ = regimes_only
    made = artifact.load(run.folder / "artifact")
    panel = load(study_of(run), Silent())[0].panel
    early = panel.time < panel.time.min() + 400 * 3_600_000_000_000
    rng = np.random.default_rng(1)
    away = (panel.asset_id == 2) & (rng.random(len(panel)) < 0.4)  # gaps short and long
    panel = panel.where(early & ~away)
    whole = sight.matrix(made, panel)
    feed = Stream(sight.inputs_plan(made, panel), panel.n_instruments)
    live = sight.Regimes(made, panel.n_instruments)
    time, rows = panel.blocks()
    for now, row in zip(time.tolist(), rows, strict=True):
        at, here = np.maximum(row, 0), row >= 0
        prices = (panel.open[at], panel.high[at], panel.low[at], panel.close[at])
        inputs = feed.push(here, now, Bar(*prices, panel.volume[at]))
        said = live.push(here, now, inputs)
        np.testing.assert_array_equal(said[here], whole[row[here], 2:])


def learned_on(tmp_path, name, panel):
    folder = write_bars(tmp_path / name, panel)
    study = read_study(
        str(small_study(tmp_path, **(BOTH | {"bars": {"source": "parquet", "path": str(folder)}})))
    )
    resources = Resources(StageCache(tmp_path / f"{name}-cache"), MemoryLedger, Silent(), 1)
    prepared = prepare(study, *load(study, Silent()), resources.cache, Silent())
    folds = [*prepared.folds.folds, prepared.folds.final]
    tasks = [Task(study.config.models[0], f, str(i)) for i, f in enumerate(folds)]
    return prepared, learn(study, prepared, tasks, resources)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    panel = simulate(MarketConfig(n_instruments=3, n_bars=5300, ic=0.4), 11)[0]
    folder = tmp_path_factory.mktemp("whole")
    return panel, folder, learned_on(folder, "whole", panel)


@pytest.mark.parametrize("bound", ["train_end", "validate_end"])
def test_what_lies_behind_a_bound_moves_no_view_before_it(whole, bound):
    """Scrambled after the first fold's train_end its view stays; so does, after the last
    validation row before the seal, every view, and every score of a test row before the seal."""
    panel, folder, (one, fits) = whole
    fold = one.folds.folds[0] if bound == "train_end" else one.folds.final
    after = panel.available_at > getattr(fold.spans, bound)
    factor = np.where(after, np.exp(np.random.default_rng(3).normal(0, 1, len(panel))), 1.0)
    fields = ("open", "high", "low", "close", "volume")
    other = replace(panel, **{n: getattr(panel, n) * factor for n in fields})
    _, others = learned_on(folder, bound, other)
    assert json.loads(fits[0].view)["names"]
    assert fits[0].view == others[0].view
    if bound == "validate_end":
        assert [f.view for f in fits] == [f.view for f in others]
        for a, b in zip(fits[:-1], others[:-1], strict=True):
            np.testing.assert_array_equal(a.test, b.test)
        np.testing.assert_array_equal(fits[-1].validate, others[-1].validate)
    else:
        assert [f.view for f in fits] != [f.view for f in others]


def test_the_cache_of_views_gives_the_same_and_may_be_deleted(finished):
    run, out = finished
    before = (run.folder / "result.json").read_bytes()
    cache = StageCache(out / ".touchstone" / "cache")
    assert len(cache.keys("views")) == 3
    cache.clear()
    study = small_study(out, **BOTH)
    assert touchstone("run", study, "--out", out, "--again", "--jobs", 2)[0] == 0
    assert (run.folder / "result.json").read_bytes() == before


def test_both_make_another_candidate_and_neither_changes_a_name(tmp_path):
    plain = read_study(str(small_study(tmp_path)))
    told = plain.config.canonical()
    for key in ("regimes", "selection", '"side"', "universe", "garch_leverage"):
        assert key not in told
    panel = simulate(MarketConfig(n_instruments=2, n_bars=100), 1)[0]
    names = set()
    for changes in ({}, {"regimes": REGIMES}, {"selection": SELECTION},
                    {"selection": SELECTION[::-1]}):  # fmt: skip
        study = read_study(str(small_study(tmp_path, **changes)))
        model, strategy = study.config.models[0], study.config.strategy
        names.add(candidate_fingerprint(study, panel, model, strategy))
    assert len(names) == 4


def test_a_study_keeps_its_name_when_a_key_is_added():
    """Else its own earlier look would count as that of another study."""
    assert read_study("quickstart").fingerprint == "1cb296fafe5d"


def test_other_side_data_make_another_candidate(tmp_path):
    """Twenty scorers tried on the same bars are twenty candidates, whatever the features say."""
    study = read_study(str(small_study(tmp_path)))
    model, strategy = study.config.models[0], study.config.strategy
    panel = simulate(MarketConfig(n_instruments=2, n_bars=100), 1)[0]
    one, other = np.full(len(panel), 0.5), np.full(len(panel), np.nan)
    panels = [panel, *(panel.map_side(side) for side in (
        {"sentiment": one}, {"sentiment": other}, {"mood": one}, {"mood": one, "sentiment": one},
    ))]  # fmt: skip
    named = [candidate_fingerprint(study, p, model, strategy) for p in panels]
    assert len(set(named)) == 5
    assert named[1] == candidate_fingerprint(
        study, panel.map_side({"sentiment": one.copy()}), model, strategy
    )
    bars = {"source": "parquet", "path": "raw", "actions": "actions.csv"}
    adjusted = {
        candidate_fingerprint(
            read_study(str(small_study(tmp_path, bars={**bars, "adjust": adjust}))),
            panel, model, strategy,
        )
        for adjust in ("splits", "total")
    }  # fmt: skip
    assert len(adjusted) == 2


def test_check_counts_rows_behind_the_warm_up_of_the_inputs_and_names_the_parts(tmp_path):
    slow = {"kind": "hmm", "inputs": {"move": "std(close / lag(close, 1), 500)"}}
    code, text, err = touchstone("check", small_study(tmp_path), "--json")
    plain = json.loads(text)
    features = {"set": "baseline", "groups": ["momentum"], "exclude": ["rsi_14"]}
    changed = small_study(tmp_path, regimes=slow, selection=SELECTION, features=features)
    code, text, err = touchstone("check", changed, "--json")
    assert code == 0, err
    found = json.loads(text)
    assert found["rows_with_window_and_label"] < plain["rows_with_window_and_label"] - 6 * 400
    assert found["core_seconds"] > plain["core_seconds"]
    assert "regimes by hmm" in found["rooms"]["dataset"]
    assert found["rooms"]["features"] == "baseline, momentum without rsi_14 and 0 of your own"
    assert "columns by clusters then mutual_information" in found["rooms"]["dataset"]


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"regimes": {"kind": "hnm"}}, 2, "hmm"),
        ({"regimes": {"kind": "hmm", "stats": 2}}, 2, "Did you mean 'states'"),
        ({"regimes": {"kind": "hmm", "inputs": {"x": "clse"}}}, 2, "close"),
        ({"regimes": {"kind": "hmm", "inputs": {}}}, 2, "regimes"),
        ({"regimes": {"kind": "hmm", "states": 1}}, 2, "states"),
        ({"regimes": REGIMES, "features": {"set": "baseline", "extra": {"regime_2": "close"}}}, 2,
         "regime_2 is the name of a regime's column"),
        ({"selection": ["mutual_informatoin"]}, 2, "mutual_information"),
        ({"selection": {"kind": "clusters"}}, 2, "selection"),
        ({"regimes": {"kind": "hmm", "inputs": {"x": "close * 0"}}}, 3, "constant"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_by_name(tmp_path, changes, code, says):
    study = small_study(tmp_path, **(changes | {"models": [{"kind": "logistic"}]}))
    got, _, err = touchstone("run", study, "--out", tmp_path)
    assert (got, says in err) == (code, True), err


def test_a_model_may_see_regimes_alone(tmp_path):
    wild = {
        "kind": "hmm",
        "states": 2,
        **QUICK,
        "inputs": {"busy": "log(volume / mean(volume, 24))"},
    }
    rule = [{"kind": "mutual_information", "keep": 2}]
    features = {"set": "none", "extra": {"hour_": "hour"}}
    models = [{"kind": "logistic"}]
    study = small_study(tmp_path, bars=BARS, regimes=wild, selection=rule, features=features,
                        models=models)  # fmt: skip
    run = ts.run(str(study), out=tmp_path, jobs=1)
    seen = {name for fold in run.result.market.folds for name in fold.selected}
    assert seen <= {"hour_", "regime_1", "regime_2"}
    if (run.folder / "artifact").is_dir():
        made = artifact.load(run.folder / "artifact")
        assert sight.matrix(made, load(study_of(run), Silent())[0].panel).shape[1] == len(
            made.view.names
        )


def test_refusals_are_configs_own(tmp_path):
    with pytest.raises(ConfigError, match="regimes"):
        read_study(str(small_study(tmp_path, regimes=3)))
