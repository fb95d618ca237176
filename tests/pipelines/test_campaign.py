"""A campaign: one leaderboard, however often it was killed; counted honestly; the seal kept."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from small import touchstone, write_bars
from touchstone.metrics import classification as c
from touchstone.pipelines import decide
from touchstone.pipelines.campaign_checks import memory_check
from touchstone.pipelines.campaign_config import read_campaign
from touchstone.pipelines.campaign_machine import Cost, peak, resident_mb
from touchstone.pipelines.campaign_measures import common_of, less, pr_auc_of, spreads
from touchstone.pipelines.skill import Judged
from touchstone.registry.tracking import Queue
from touchstone.reports.campaign import ORIENTATION, CampaignResult, without_machine
from touchstone.reports.campaign_page import page
from touchstone.validation.ledger import SqliteLedger
from walks import random_panel

TINY = Path(__file__).parents[2] / "examples" / "campaign_tiny.yaml"
QUICK = ("--set", "models=[{kind: logistic, max_iterations: 5}]", "--set", "baselines=[]",
         "--set", "seeds=1")  # fmt: skip


def run(out, *words, file=TINY):
    """A campaign in this process: its exit code, standard error and folder."""
    code, _, err = touchstone("campaign", file, "--out", out, "--jobs", 1, "-q", *words)
    return code, err, next(iter(sorted((Path(out) / "campaigns").glob("*"))), None)


def read(folder):
    return CampaignResult.model_validate_json((folder / "result.json").read_bytes())


def book_of(out):
    return SqliteLedger(Path(out) / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    out = tmp_path_factory.mktemp("campaign")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # nobody listens: what is tracked waits
        code, err, folder = run(out, "--tracking", f"http://127.0.0.1:{s.getsockname()[1]}")
    assert code == 0, err
    assert "touchstone track flush" in err
    return out, folder, read(folder)


def test_every_architecture_has_every_seed_and_fold_and_the_order_is_that_of_validation(ended):
    _, _, found = ended
    assert {a.name for a in found.architectures} == {"logistic", "lightgbm", "mlp"}
    for row in found.architectures:
        assert sorted((f.seed, f.fold) for f in row.fits) == [(7, 1), (7, 2), (8, 1), (8, 2)]
        means = [np.mean([f.on_validation["pr_auc"] for f in row.fits if f.seed == s])
                 for s in found.seeds]  # fmt: skip
        assert row.validation_by_seed == pytest.approx(means)
        assert row.pr_auc.mean == pytest.approx(np.mean(row.pr_auc.by_seed))
        assert row.pr_auc.interval[0] <= row.pr_auc.mean <= row.pr_auc.interval[1]
        fall = [f.on_validation["recall"] - f.on_test["recall"] for f in row.fits]
        assert row.gap["recall"] == pytest.approx(np.mean(fall))
    order = [row.validation for row in found.architectures]
    assert order == sorted(order, reverse=True)
    mlp = next(a for a in found.architectures if a.name == "mlp")
    assert mlp.pr_auc.by_seed[0] != mlp.pr_auc.by_seed[1]  # the seed is the fit's
    logistic = next(a for a in found.architectures if a.name == "logistic")
    assert logistic.pr_auc.by_seed[0] == logistic.pr_auc.by_seed[1]  # and the data are the same
    assert mlp.parameters > 1000


def test_the_ledger_counts_candidates_once_a_comparison_a_seed_and_no_look(ended):
    out, _, found = ended
    rows = list(book_of(out).rows())
    kinds = [row.kind for row in rows]
    assert kinds.count("sweep") == len(found.seeds)
    assert kinds.count("fit") == sum(len(a.fits) for a in found.architectures)
    assert not {"look", "repeat", "run"} & set(kinds)
    assert found.n_candidates == 3 * 2  # models x margins: seeds and folds repeat a candidate


def test_an_architectures_study_runs_on_with_the_same_fits_and_adds_no_candidate(ended):
    out, folder, found = ended
    row = next(a for a in found.architectures if a.name == "logistic")
    before = [r.kind for r in book_of(out).rows()].count("fit")
    code, text, err = touchstone(
        "run", folder / row.file, "--out", out, "--jobs", 1, "--json"
    )  # fmt: skip
    assert code == 0, err
    told = json.loads(text)["market"]
    shown = [x["sharpe"] for x in told["candidates"] if x["label"] == row.net.setting]
    assert shown == pytest.approx([row.net.sharpe_by_seed[0]])
    assert told["ledger"]["n_candidates"] == found.n_candidates
    fits = [r.kind for r in book_of(out).rows()].count("fit") - before
    assert fits <= 1  # the refit before the seal


def test_a_finished_campaign_is_shown_and_its_page_says_what_it_is(ended):
    out, folder, found = ended
    code, text, err = touchstone("campaign", TINY, "--out", out)
    assert (code, "--again repeats it" in err) == (0, True)
    assert "Sharpe" in text
    html = (folder / "report.html").read_text()
    assert found.sealed_from[:4] in html
    assert "A comparison, no verdict" in html
    for row in found.architectures:
        assert f'href="{row.file}"' in html
        assert (folder / row.file).is_file()
    assert ORIENTATION not in html
    classic = page(found.model_copy(update={"classic": True}), "touchstone campaign x.yaml")
    for told in (ORIENTATION, "0.306", "0.242", "0.415", "0.20 to 0.24"):
        assert told in classic


def test_the_page_says_who_did_better_than_the_leader_and_who_saw_more_rows(ended):
    _, folder, found = ended
    others = [a.name for a in found.architectures[1:]] + ["volatility", "symbol_and_hour"]
    assert [a.name for a in found.against] == others
    html = (folder / "report.html").read_text()
    assert "saw all of a fold" in html.split("How was it compared?")[-1]
    seen = {f.rows_used for a in found.architectures if not a.baseline for f in a.fits}
    assert seen == {1000}  # the budget's, which binds networks alone

    def headline(*intervals):
        told = [a.model_copy(update={"interval": i})
                for a, i in zip(found.against, intervals, strict=False)]  # fmt: skip
        return page(found.model_copy(update={"against": tuple(told)}), "x").split("<h1", 1)[1][:300]

    baseline = next(a for a in found.against if a.baseline)
    at = found.against.index(baseline)
    for ends, words in (
        ((-0.2, -0.1), "did better on test rows"),
        ((-0.1, 0.1), "not told apart from"),
        ((0.1, 0.2), "ahead of every"),
    ):
        intervals = [ends if i == at else (0.1, 0.2) for i in range(len(found.against))]
        assert words in headline(*intervals)
    rival = next(i for i, a in enumerate(found.against) if not a.baseline)
    worse = [(-0.2, -0.1) if i == rival else (0.1, 0.2) for i in range(len(found.against))]
    assert "ahead of every" in headline(*worse)  # those who are no baseline stand in the table


def test_what_waits_for_tracking_is_the_campaign_and_every_fit_with_its_curves(ended):
    _, folder, found = ended
    [batch] = Queue(folder).waiting()
    parent, *fits = batch.runs
    assert (parent.group, parent.name) == ("tiny", folder.name)
    assert {"report.html", "result.json", "mlp.yaml"} <= {f.path for f in parent.files}
    leader = found.architectures[0]
    assert (f"{leader.name}/pr_auc", leader.pr_auc.mean, 0) in parent.metrics
    told = {f"seed {f.seed}: {a.name} fold {f.fold}": f for a in found.architectures
            for f in a.fits}  # fmt: skip
    assert {f.name for f in fits} == set(told)
    for fit in fits:
        assert fit.parent == parent.key
        assert fit.params["seed"] in fit.name
        known = {name: value for name, value, _ in fit.metrics}
        assert known["test_pr_auc"] == told[fit.name].on_test["pr_auc"]
        steps = [at for name, _, at in fit.metrics if name == "validate_pr_auc"]
        assert steps == [1, 2] or "mlp" not in fit.name


def test_the_memory_of_a_fit_is_its_own_however_many_were_made_before():
    found = []
    for _ in range(2):
        with peak() as grown:
            taken, last = [bytearray(50_000) for _ in range(1_000)], bytearray(50_000)
        found.append(grown[0])
        del taken  # freed, but below `last` in the heap: the process keeps it
    assert last is not None
    if found[0] is not None:
        assert found[1] > 0.5 * found[0] > 20


def test_memory_counts_every_process():
    class Seen:
        features = np.zeros(1)

    costs, own = {"a": Cost(1.0, 10.0)}, resident_mb()
    told = memory_check(Seen, costs, 4).sentence
    need = float(told.split("about ")[1].split(" MB")[0].replace(",", ""))
    assert own is None or need > 4 * 0.9 * own
    assert memory_check(Seen, costs, 1).sentence.startswith("1 process: about 10 MB")


def test_killed_again_and_again_it_ends_in_the_same_leaderboard(ended, tmp_path):
    """Each life is a process of its own, killed a random moment after some fits were kept."""
    _, _, whole = ended
    rng, kept = np.random.default_rng(5), tmp_path / ".touchstone" / "cache" / "models"
    fork = multiprocessing.get_context("fork")
    for n_fits in (0, 2, 5, 9, 12):
        life = fork.Process(target=run, args=(tmp_path,), daemon=True)
        life.start()
        while life.is_alive() and (len(list(kept.glob("[!.]*"))) if kept.is_dir() else 0) < n_fits:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.15))
        assert life.is_alive()
        os.kill(life.pid, signal.SIGKILL)
        life.join()
        assert not list(tmp_path.glob("campaigns/*/result.json"))
    code, err, folder = run(tmp_path)
    assert code == 0, err
    assert json.dumps(without_machine(read(folder))) == json.dumps(without_machine(whole))
    fits = [row.kind for row in book_of(tmp_path).rows()].count("fit")
    assert 12 <= fits <= 12 + 5  # no fit that was kept is made again
    assert touchstone("ledger", "verify", "--out", tmp_path)[0] == 0


def on_bars(tmp_path, n_bars=2600):
    """The tiny campaign on files, and its settings."""
    bars = write_bars(tmp_path / "bars", random_panel(3, n_bars, seed=3))
    told = yaml.safe_load(TINY.read_text())
    told["study"]["bars"] = {"source": "parquet", "path": "bars"}
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(told))
    return bars, file


def test_what_lies_behind_the_seal_changes_nothing(tmp_path):
    bars, file = on_bars(tmp_path)
    code, err, folder = run(tmp_path / "a", *QUICK, file=file)
    assert code == 0, err
    before = without_machine(read(folder))
    seal = pl.lit(before["sealed_from"]).str.to_datetime(time_zone="UTC") + pl.duration(days=1)
    for path in bars.glob("*.parquet"):
        late = pl.col("timestamp") > seal
        pl.read_parquet(path).with_columns(
            pl.when(late).then(pl.col(n) * 1.5).otherwise(pl.col(n)).alias(n)
            for n in ("open", "high", "low", "close")
        ).write_parquet(path)
    code, err, folder = run(tmp_path / "b", *QUICK, file=file)
    assert code == 0, err
    after = without_machine(read(folder))
    assert after.pop("data") != before.pop("data")
    assert after.pop("fingerprint") != before.pop("fingerprint")
    assert after == before


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("fewest_hits=100000", "100000 at the target in each part"),
        ("models=[{kind: multiscale_cnn, scales: [1, 24]}]", "lengthen lookback to 24"),
        ("models=[{kind: volume_profile_cnn, bins: 999}]", "lower first or bins"),
        ("budget.seconds=0.0001", "lower budget.rows or budget.epochs"),
    ],
)
def test_a_prerequisite_that_is_not_met_stops_it_before_anything_is_trained(
    tmp_path, setting, told
):
    code, err, folder = run(tmp_path, *QUICK, "--set", setting)
    assert (code, folder) == (4, None)
    assert told in err
    assert [row.kind for row in book_of(tmp_path).rows()] == []


def test_check_alone_tells_every_prerequisite_and_trains_nothing(tmp_path):
    code, out, err = touchstone("campaign", TINY, "--out", tmp_path, "--check", "--json", *QUICK)
    assert code == 0, err
    found = {row["name"]: row for row in json.loads(out)}
    names = {"bars", "features", "folds", "model logistic", "memory", "disk", "time"}
    assert names <= set(found)
    assert all(row["ok"] and row["sentence"].endswith(".") for row in found.values())
    code, out, _ = touchstone("campaign", TINY, "--out", tmp_path, "--check", *QUICK,
                              "--set", "fewest_hits=100000")  # fmt: skip
    assert (code, out.count("FAIL")) == (4, 1)
    assert not list(tmp_path.glob("campaigns/*"))


def test_tabular_models_do_not_import_torch(tmp_path):
    words = ["campaign", str(TINY), "--out", str(tmp_path), "-q", "--jobs", "1", *QUICK]
    code = (
        f"import sys; sys.argv = ['touchstone', *{words!r}]\n"
        "from touchstone.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_every_kind_competes_unless_it_is_left_out_and_overrides_size_it():
    asked = read_campaign(TINY, {
        "models": (), "without": ("transformer",), "overrides": [{"kind": "gru", "hidden": 16}],
    })  # fmt: skip
    from touchstone.models import MODELS

    models = {m.kind: m for m in asked.study.config.models}
    assert set(models) == set(MODELS.kinds()) - {"transformer", "ensemble"}
    assert models["gru"].hidden == 16
    training = asked.study.config.training
    assert (training.rows, training.epochs) == (1000, 2)
    assert asked.seeded(9).config.seed == 9
    assert asked.seeded(9).fingerprint == asked.study.fingerprint


def judged_rows(seed, n=600, n_days=30):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet((4, 2, 1), n)
    outcome = np.array([rng.choice((-1, 0, 1), p=row) for row in p]).astype(np.int8)
    zeros, ones = np.zeros(n), np.ones(n)
    day = np.sort(np.random.default_rng(0).integers(0, n_days, n))
    return Judged(np.round(p, 2), outcome, np.sign(rng.normal(size=n)).astype(np.int8), zeros, ones,
                  day, ones, ones, rng.random(n) < p[:, 2] + 0.2, np.arange(n))  # fmt: skip


def test_measures_of_all_days_are_those_of_metrics():
    rows = judged_rows(1)
    common = common_of(rows, 7)
    found = spreads(common, [rows])
    taken = rows.selected.astype(float)
    true = {
        "pr_auc": c.pr_auc(rows.p, rows.hit), "roc_auc": c.roc_auc(rows.p, rows.hit),
        "direction_auc": c.direction_auc(rows.probability, rows.symmetric),
        "precision": c.precision(taken, rows.hit, 0.5), "recall": c.recall(taken, rows.hit, 0.5),
        "f1": c.f1(taken, rows.hit, 0.5), "log_loss": c.log_loss(rows.p, rows.hit),
        "ece": c.ece(rows.p, rows.hit),
    }  # fmt: skip
    assert set(found) == set(true)
    for name, value in true.items():
        assert found[name].mean == pytest.approx(value), name
        low, high = found[name].interval
        assert low < high


def test_an_interval_holds_what_days_and_what_seeds_do():
    rows = judged_rows(2)
    common = common_of(rows, 7)
    flat = [lambda _, v=v: v for v in (0.1, 0.2, 0.6)]
    low, high = common.interval(flat)
    assert low < 0.3 < high  # seeds alone
    assert common.interval(flat[:1]) == (0.1, 0.1)
    one = pr_auc_of(common, rows)
    alone, thrice = common.interval([one]), common.interval([one] * 3)
    assert thrice == pytest.approx(alone)  # seeds that agree add nothing
    others = [pr_auc_of(common, judged_rows(s)) for s in (2, 3, 4)]
    assert np.diff(common.interval(others)) > 0
    assert common.interval(less(others, others)) == (0.0, 0.0)  # the same days on both sides


def test_a_campaign_that_cannot_be_read_says_where(tmp_path):
    wrong = {
        "seeds=0": "seeds", "budgets=1": "budget", "without=[nothing]": "nothing",
        "overrides=[gru, gru]": "overridden twice",
    }  # fmt: skip
    for key, told in wrong.items():
        code, err, _ = run(tmp_path, "--set", key)
        assert (code, told in err) == (2, True), err


def test_the_span_that_is_compared_ends_at_the_seal(ended):
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.prepare import load, prepare
    from touchstone.pipelines.progress import Silent

    out = ended[0]
    study, cache = read_campaign(TINY).study, StageCache(out / ".touchstone" / "cache")
    prepared = prepare(study, *load(study, Silent()), cache, Silent())
    span = decide.tested_span(prepared)
    assert span.end == prepared.folds.seal + 1
    assert len(book_of(out).candidates(span)) == ended[2].n_candidates
