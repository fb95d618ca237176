"""The main job on a small market: same bytes, one look, honest counting, whole outputs."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import touchstone as ts
from leaves import leaves
from small import small_study, touchstone
from touchstone.data.sources import Reject
from touchstone.features import evaluate
from touchstone.pipelines.prepare import column, load, resolve
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import run_fingerprint
from touchstone.pipelines.study import identified, null_bars, read_study
from touchstone.registry import artifact, golden
from touchstone.validation.ledger import SqliteLedger


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("first")
    return ts.run(str(small_study(out)), out=out), out


def ledger_rows(out):
    book = SqliteLedger(out / ".touchstone" / "ledger.sqlite", "test", "none", lambda: "now")
    assert book.verify() == ()
    return book.rows()


def test_finds_the_planted_edge_and_counts_every_candidate(finished):
    run, out = finished
    market = run.result.market
    assert run.verdict == "evidence"
    assert len(market.candidates) == 4  # 2 models x 2 margins
    assert sum(c.chosen for c in market.candidates) == 1
    assert market.ledger.n_candidates == 4
    kinds = [row.kind for row in ledger_rows(out)]
    assert kinds.count("fit") == 5  # 2 models x 2 folds, and the refit
    assert kinds.count("look") == 1


def test_same_seed_same_bytes_in_another_workspace_process_and_number_of_jobs(finished, tmp_path):
    run, _ = finished
    words = [sys.executable, "-m", "touchstone", "run", str(small_study(tmp_path)), "--json"]
    done = subprocess.run(
        [*words, "--jobs", "2", "--out", str(tmp_path)],
        capture_output=True,
        check=True,
        timeout=300,
    )
    assert done.stdout == (run.folder / "result.json").read_bytes()


def test_a_finished_run_is_shown_and_a_repeat_is_answered_from_the_ledger(finished):
    run, out = finished
    study, before = small_study(out), (run.folder / "result.json").read_bytes()
    n_rows = len(ledger_rows(out))
    code, text, err = touchstone("run", study, "--out", out)
    assert (code, "--again" in err, run.result.market.verdict.sentence in text) == (0, True, True)
    assert len(ledger_rows(out)) == n_rows
    code, _, _ = touchstone("run", study, "--out", out, "--again", "--jobs", 1)
    assert code == 0
    assert (run.folder / "result.json").read_bytes() == before
    assert [r.kind for r in ledger_rows(out)].count("repeat") == 1


def test_result_tells_no_clock_path_host_or_ledger_row(finished):
    run, out = finished
    text = (run.folder / "result.json").read_text()
    assert str(out) not in text
    for word in ("seconds", "started", "host", "hostname", "row_id"):
        assert f'"{word}"' not in text
    about = json.loads((run.folder / "run.json").read_text())
    assert {"started", "host", "stages", "versions", "command"} <= about.keys()


def test_report_stands_alone(finished):
    run, _ = finished
    page = run.report.read_text()
    assert run.result.market.verdict.word in page
    assert len(page) < 3_000_000
    assert not re.search(r"""(src|href)\s*=\s*["']https?:""", page)


def test_artifact_reproduces_its_golden_rows(finished):
    run, _ = finished
    found = artifact.load(run.folder / "artifact")
    assert artifact.reproduce(found) == 0.0
    assert found.manifest.origin.study == run.result.fingerprint


def test_exports_agree_with_each_other(finished):
    run, _ = finished
    sealed = run.equity.filter(pl.col("segment") == "sealed")
    trades = run.trades.filter(pl.col("segment") == "sealed")
    money = run.result.market.sealed
    assert trades.height == money.n_trades
    assert sealed["equity"][-1] / money.starting_equity - 1 == pytest.approx(money.net_return)
    held = (
        run.positions.filter(pl.col("segment") == "sealed")
        .group_by("time")
        .agg(pl.len(), pl.sum("value"))
    )
    joined = sealed.join(held, on="time", how="left").fill_null(0)
    assert (joined["len"] == joined["n_held"]).all()
    np.testing.assert_allclose(joined["cash"] + joined["value"], joined["equity"], rtol=1e-12)
    assert run.scores["score"].is_between(0, 1).all()


def test_no_training_interval_meets_a_test_interval(finished):
    run, _ = finished
    folds = run.result.market.folds
    assert [f.name for f in folds] == ["1", "2", "final"]
    for fold in folds:
        assert (
            fold.train_span[1]
            <= fold.validate_span[0]
            <= fold.validate_span[1]
            <= fold.test_span[0]
        )
        assert fold.purged_train > 0


def test_another_study_on_the_same_sealed_rows_is_exploratory(finished):
    _, out = finished
    study = small_study(out)
    second = ts.run(str(study), out=out, strategy__max_positions=3)
    assert second.verdict == "exploratory"
    assert second.result.market.ledger.n_looks_studies == 2
    assert second.result.market.ledger.n_candidates == 8


def test_null_twin_differs_in_one_setting():
    study = read_study("quickstart")
    told, null = study.config.bars.model_dump(), null_bars(study.config.bars).model_dump()
    differs = {k for k in told["market"] if told["market"][k] != null["market"][k]}
    assert differs == {"ic"}
    assert null["market"]["ic"] == 0


def test_the_place_of_the_data_is_no_part_of_the_question(tmp_path):
    settings = {"bars": {"source": "parquet", "path": "a"}}
    one = read_study(str(small_study(tmp_path, **settings)))
    other = read_study(str(small_study(tmp_path, bars={"source": "parquet", "path": "b"})))
    third = read_study(str(small_study(tmp_path, bars={"source": "parquet", "timeframe": "1d"})))
    assert one.fingerprint == other.fingerprint != third.fingerprint
    loaded, data = load(read_study(str(small_study(tmp_path))), Silent())
    named = {run_fingerprint(one, loaded, data), run_fingerprint(one, loaded, "other data")}
    left_out = loaded._replace(rejects=(Reject("X", "/somewhere/X.csv", "why"),))
    assert len(named | {run_fingerprint(one, left_out, data)}) == 3


def test_scores_and_decisions_do_not_change_when_the_future_is_scrambled(finished):
    run, out = finished
    study = read_study(str(small_study(out)))
    panel = load(study, Silent())[0].panel
    decider = artifact.load(run.folder / "artifact").decider
    cut = int(np.quantile(panel.available_at, 0.7))
    rows = np.flatnonzero(panel.available_at <= cut)[:: len(panel) // 300]
    rows = rows[rows - panel.offsets[panel.asset_id[rows]] > 300]
    said = [decisions(study, p, decider, rows) for p in (panel, scrambled_after(panel, cut))]
    np.testing.assert_array_equal(said[0][0], said[1][0])
    np.testing.assert_array_equal(said[0][1], said[1][1])
    assert 0 < said[0][1].sum() < rows.size


def decisions(study, panel, decider, rows):
    """Scores and wishes to enter at some rows, from bars alone."""
    plan = resolve(study, panel)
    features = evaluate(plan, panel)
    widths = column(study.config.label.width, panel)[rows]
    windows = np.ascontiguousarray(features[rows[:, None] + np.arange(-23, 1)])
    score = golden.scores(decider, windows, panel.asset_id[rows])
    seen = golden.Rows(windows, panel.asset_id[rows], 2 * widths, widths)
    return score, golden.enters(decider, score, seen)


def scrambled_after(panel, cut):
    """The same bars until `cut`; after it prices and volumes of another world."""
    after = panel.available_at > cut
    factor = np.where(after, np.exp(np.random.default_rng(1).normal(0, 1, len(panel))), 1.0)
    prices = {n: getattr(panel, n) * factor for n in ("open", "high", "low", "close", "volume")}
    return replace(panel, **prices)


def test_every_leaf_of_a_study_changes_its_fingerprint(tmp_path):
    (tmp_path / "x").write_text("")  # the plugin that one leaf names
    study = read_study(str(small_study(tmp_path)))
    seen = {study.fingerprint}
    for path, changed in leaves(study.config):
        # what a study is called, and where its universe lies, is no part of the question
        if path in ("name", "universe"):
            assert identified(changed, tmp_path).fingerprint == study.fingerprint
            continue
        fingerprint = identified(changed, tmp_path).fingerprint
        assert fingerprint not in seen, path
        seen.add(fingerprint)
    assert len(seen) > 60
