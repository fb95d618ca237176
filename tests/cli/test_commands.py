"""Every command as a user types it: stages alone, the workspace, what help and schema say."""

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from small import scores_frame, small_study, touchstone, write_bars
from touchstone.cli.studies import command_line
from touchstone.files import parse_yaml
from touchstone.pipelines.study import packaged_text, parse_study
from walks import random_panel


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    panel = random_panel(4, 600, seed=3)
    return write_bars(tmp_path_factory.mktemp("bars"), panel), panel


@pytest.mark.parametrize(
    "words", ["", "run", "init", "check", "schema", "features", "labels", "backtest", "inspect",
              "export", "explain", "campaign", "tune", "ensemble",
              "runs list", "runs show", "runs open", "runs compare", "compare",
              "track", "track flush", "track status", "cache show",
              "cache clear", "ledger list", "ledger show", "ledger verify", "study",
              "study survivorship", "study execution", "promote", "registry", "registry list",
              "registry show",
              "universe", "universe show", "universe ids"],
)  # fmt: skip
def test_help_teaches(words):
    code, out, _ = touchstone(*words.split(), "--help")
    assert code == 0
    assert len(out) > 200


def test_what_was_typed_is_kept_without_its_passwords(monkeypatch):
    words = [
        "--storage", "postgresql://me:my secret@host/db?x=1",
        "--set=storage=postgresql://host/db?password=my secret&user=me",
        "--tracking", "http://me:secret@host:5000",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["/bin/touchstone", "tune", *words])
    typed = shlex.split(command_line())
    assert not [word for word in typed if "secret" in word]
    assert typed[:4] == ["touchstone", "tune", "--storage", "postgresql://me:***@host/db?x=1"]
    assert typed[4].endswith("?password=***&user=me")


def test_help_is_quick_and_imports_no_torch():
    code = (
        "import sys, time; t = time.perf_counter()\n"
        "from touchstone.cli import main\n"
        "sys.argv = ['touchstone', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(time.perf_counter() - t, 'torch' in sys.modules, 'numba' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    seconds, *heavy = zip(*(r.stdout.splitlines()[-1].split() for r in runs), strict=True)
    assert heavy == [("False",) * 5] * 2
    assert min(map(float, seconds)) < 0.5


def test_a_command_does_not_wait_for_statistics_that_it_may_not_need():
    code = "import sys, touchstone.pipelines.run; print('scipy.stats' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


def test_version():
    assert touchstone("--version")[1].startswith("touchstone ")
    assert {"numpy", "torch", "python"} <= json.loads(touchstone("--version", "--json")[1]).keys()


def test_init_writes_a_study_that_is_sound(tmp_path, bars):
    path = tmp_path / "study.yaml"
    assert touchstone("init", path)[0] == 0
    assert touchstone("init", path)[0] == 2  # it does not overwrite
    short = ("folds.sealed=5d", "folds.validate=4d", "folds.test=4d", "folds.folds=1")
    changes = [word for pair in short for word in ("--set", pair)]
    code, out, err = touchstone("check", path, "--bars", bars[0], *changes, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["bars"]["instruments"] == 4
    assert found["candidates"] == 24
    assert found["features"] == 17


def test_what_the_template_leaves_out_is_sound_too():
    text = re.sub(r"(?m)^(\s*)# (?=[a-z_]+: )", r"\1", packaged_text("template"))
    assert text.count("#") < packaged_text("template").count("#")
    study = parse_study(parse_yaml(text, "template"), Path(), "template")
    assert study.config.symbols == ("AAPL", "MSFT")
    assert study.config.bars.side == ("sentiment",)
    assert study.config.features.groups == ("momentum", "volatility")
    assert [rule.kind for rule in study.config.selection] == ["clusters", "mutual_information"]
    assert study.config.regimes.states == 3


def test_schema_knows_every_kind():
    text = touchstone("schema")[1]
    assert json.loads(text)["properties"]
    for kind in ("lightgbm", "walk_forward", "triple_barrier", "cost_aware", "isotonic", "parquet",
                 "hmm", "mutual_information"):  # fmt: skip
        assert kind in text


def test_features_and_labels_as_tables(tmp_path, bars):
    folder, panel = bars
    extra = "gap=open / lag(close, 1) - 1"
    touchstone("features", "--bars", folder, "--out", tmp_path / "f.parquet", "--extra", extra)
    table = pl.read_parquet(tmp_path / "f.parquet")
    assert table.height == len(panel)
    first = panel.bars(0)
    np.testing.assert_allclose(
        table["gap"].to_numpy()[1:600], first.open[1:] / first.close[:-1] - 1, rtol=1e-5
    )
    code, _, err = touchstone("labels", "--bars", folder, "--out", tmp_path / "l.csv")
    assert code == 0, err
    labels = pl.read_csv(tmp_path / "l.csv")
    assert labels.height == len(panel)
    assert labels["outcome"].null_count() > 0
    assert set(labels["outcome"].drop_nulls()) <= {-1, 0, 1}


def backtest(tmp_path, bars, score, strategy="{kind: threshold, entry_threshold: 0.5}", *more):
    folder, panel = bars
    scores_frame(panel, score).write_parquet(tmp_path / "scores.parquet")
    (tmp_path / "strategy.yaml").write_text(strategy)
    code, out, err = touchstone(
        "backtest", "--scores", tmp_path / "scores.parquet", "--bars", folder,
        "--strategy", tmp_path / "strategy.yaml", "--out", tmp_path, "--json", *more,
    )  # fmt: skip
    assert code == 0, err
    return json.loads(out)


def test_constant_low_score_trades_nothing_and_equity_is_flat(tmp_path, bars):
    found = backtest(tmp_path, bars, np.full(len(bars[1]), 0.1))["performance"]
    assert (found["n_trades"], found["net_return"], found["cost_paid"]) == (0, 0.0, 0.0)
    assert set(found["curve"]["equity"]) == {1.0}
    assert found["sharpe"] is None


def test_constant_high_score_runs_without_fault(tmp_path, bars):
    found = backtest(tmp_path, bars, np.full(len(bars[1]), 0.9))["performance"]
    assert found["n_trades"] > 20
    assert found["cost_paid"] > 0
    nets = [r["net_return"] for r in found["ladder"]]
    assert nets == sorted(nets, reverse=True)


def test_cost_aware_on_foreign_scores_that_know_the_future(tmp_path, bars):
    panel = bars[1]
    ahead = np.r_[panel.close[9:], np.full(9, np.nan)] / panel.close - 1
    score = np.where(np.isfinite(ahead), ahead, 0.0)
    found = backtest(
        tmp_path, bars, score, "{kind: cost_aware, margin_bp: [0], max_positions: 2}",
        "--calibrate-until", "2022-01-15", "--trades", str(tmp_path / "t.parquet"),
    )  # fmt: skip
    assert found["performance"]["net_return"] > 0.3
    trades = pl.read_parquet(tmp_path / "t.parquet")
    assert trades.height == found["performance"]["n_trades"]
    assert str(trades["entry_time"].min()) >= "2022-01-15"


def test_workspace_commands(tmp_path):
    study = small_study(
        tmp_path, models=[{"kind": "logistic"}], training={"rows": 500, "epochs": 1}
    )
    assert touchstone("run", study, "--out", tmp_path, "-q")[0] == 0
    (name,) = [p.name for p in (tmp_path / "runs").iterdir()]
    assert name in touchstone("runs", "list", "--out", tmp_path)[1]
    assert touchstone("runs", "show", "small", "--out", tmp_path)[0] == 0
    assert touchstone("runs", "compare", name, name, "--out", tmp_path)[1].count(name) == 2
    assert touchstone("inspect", tmp_path / "runs" / name)[0] == 0
    assert touchstone("inspect", tmp_path / "runs" / name / "artifact")[0] == 0
    for what in ("trades", "equity", "scores", "features", "positions"):
        file = tmp_path / f"{what}.csv"
        words = ("export", name, "--what", what, "--to", "csv", "--file", file, "--out", tmp_path)
        code, _, err = touchstone(*words)
        assert code == 0, err
        assert pl.read_csv(file).height > 0
    assert "models" in touchstone("cache", "show", "--out", tmp_path)[1]
    assert touchstone("ledger", "verify", "--out", tmp_path)[0] == 0
    assert "deleted" in touchstone("cache", "clear", "--out", tmp_path)[1]
    told = touchstone("cache", "clear", "--json", "--out", tmp_path)[1]
    assert json.loads(told) == {"deleted": 0}
    assert touchstone("ledger", "verify", "--out", tmp_path)[0] == 0


def test_ctrl_c_keeps_finished_stages_and_the_same_command_resumes(tmp_path):
    study = small_study(tmp_path, models=[{"kind": "logistic"}, {"kind": "gru", "hidden": 8}],
                        training={"rows": 3000, "epochs": 4})  # fmt: skip
    words = [sys.executable, "-m", "touchstone", "run", str(study), "--out", str(tmp_path), "-v",
             "--jobs", "1"]  # fmt: skip
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ)
    for line in running.stderr:
        if line.startswith("models: logistic fold 2"):
            running.send_signal(signal.SIGINT)
            break
    with running:
        assert "resumes" in running.stderr.read()
    assert running.returncode in (130, -signal.SIGINT)  # a shell calls both 130
    assert not list(tmp_path.glob("runs/*/result.json"))
    time.sleep(0.1)
    again = subprocess.run(words, capture_output=True, text=True, check=True)
    assert again.stderr.count("from cache") >= 2
    assert list(tmp_path.glob("runs/*/result.json"))


def test_an_edited_ledger_is_refused_and_a_rewritten_one_found(tmp_path):
    study = small_study(
        tmp_path, models=[{"kind": "logistic"}], training={"rows": 500, "epochs": 1}
    )
    assert touchstone("run", study, "--out", tmp_path, "-q")[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    head = json.loads((folder / "run.json").read_text())["ledger_head"]
    path = tmp_path / ".touchstone" / "ledger.sqlite"
    assert touchstone("ledger", "verify", "--out", tmp_path, "--since", head)[0] == 0
    whole = path.read_bytes()
    with sqlite3.connect(path) as book:
        book.execute("DROP TRIGGER no_delete")
        book.execute("DELETE FROM rows WHERE kind = 'look'")
    book.close()
    assert touchstone("ledger", "verify", "--out", tmp_path)[0] == 4
    code, _, err = touchstone("run", study, "--out", tmp_path, "--set", "name=other", "--again")
    assert code == 4
    assert "ledger" in err
    path.unlink()  # forgotten, and begun anew
    assert touchstone("run", study, "--out", tmp_path, "-q", "--again")[0] == 0
    assert touchstone("ledger", "verify", "--out", tmp_path)[0] == 0
    assert touchstone("ledger", "verify", "--out", tmp_path, "--since", head)[0] == 4
    assert len(whole) > 0


def test_a_renamed_study_is_the_same_study(tmp_path):
    study = small_study(
        tmp_path, models=[{"kind": "logistic"}], training={"rows": 500, "epochs": 1}
    )
    for name in ("small", "other"):
        code, out, _ = touchstone("run", study, "--out", tmp_path, "--set", f"name={name}")
        assert code == 0
        assert "evidence" in out
    assert "exploratory" not in out


@pytest.mark.parametrize("words", [("init", "/proc/x.yaml"), ("run", "--out", "/dev/null/x")])
def test_a_place_that_cannot_be_written_is_an_error_with_its_name(words):
    code, _, err = touchstone(*words)
    assert code == 3
    assert "Traceback" not in err
    assert "/proc" in err or "/dev/null" in err


def test_plain_lines_without_colour_where_there_is_no_terminal(tmp_path):
    study = small_study(
        tmp_path, models=[{"kind": "logistic"}], training={"rows": 500, "epochs": 1}
    )
    words = [sys.executable, "-m", "touchstone", "run", str(study), "--out", str(tmp_path)]
    env = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=env)
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.startswith("bars ")
    assert done.stdout.splitlines()[-1].startswith("result ")


def test_a_reader_that_stops_reading_ends_a_command_without_a_word():
    """As in `touchstone schema | head`: what closed the pipe had enough."""
    code = (
        "import sys; sys.argv = ['touchstone', 'schema']; from touchstone.cli import main; main()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as running:  # fmt: skip
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(60) == 0
