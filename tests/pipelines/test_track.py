"""A study is the same tracked or not; what it tells waits for its server, and comes there once."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from small import small_study, touchstone
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.track import tell, tell_untracked
from touchstone.pipelines.workspace import Workspace
from touchstone.registry import tracking as t

ASKED = os.environ.get("TOUCHSTONE_TEST_SERVER") == "1"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was made untracked, then again with a server that does not answer."""
    out = tmp_path_factory.mktemp("tracked")
    study = small_study(out, strategy={"kind": "cost_aware", "margin_bp": [0], "max_positions": 4})
    words = ("run", study, "--out", out, "--jobs", 1)
    code, _, err = touchstone(*words)
    assert code == 0, err
    [folder] = (out / "runs").iterdir()
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert t.NAME not in {p.name for p in before}
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # nobody listens
        nobody = f"http://me:secret@127.0.0.1:{s.getsockname()[1]}"
        code, _, err = touchstone(*words, "--again", "--tracking", nobody)
    return out, folder, before, (code, err)


def test_a_dead_server_changes_no_result_and_is_said_once(run):
    _, folder, before, (code, err) = run
    assert code == 0
    after = {p: p.read_bytes() for p in before}
    told = {"run.json", "report.html"}  # when, and in how many seconds
    assert {p.name for p in before if after[p] != before[p]} <= told
    [line] = [line for line in err.splitlines() if "touchstone track flush" in line]
    waiting = t.Queue(folder).waiting()
    n = len(waiting[0].runs)
    assert f"cannot be reached; {n} events wait in {folder / t.NAME}; touchstone track" in line
    assert "secret" not in err


def test_what_waits_says_what_the_run_was(run):
    _, folder, _, _ = run
    [batch] = t.Queue(folder).waiting()
    parent, *fits = batch.runs
    result = json.loads((folder / "result.json").read_text())
    assert parent.group == "small"
    assert parent.tags["touchstone.study_fingerprint"] == result["fingerprint"]
    assert parent.tags["touchstone.verdict"] == result["market"]["verdict"]["word"]
    assert parent.params["models.1.kind"] == "gru"
    assert {"version.torch", "host.cores", "host.memory_gb", "host.gpu"} <= parent.params.keys()
    measures = {name: value for name, value, _ in parent.metrics}
    assert measures["sealed/sharpe"] == result["market"]["sealed"]["sharpe"]
    files = {f.path for f in parent.files}
    assert {"report.html", "result.json", "artifact/manifest.json"} <= files
    assert {f"figures/{n}.png" for n in ("equity", "calibration", "roc", "confusion")} <= files
    # Fits answered from the cache have their curves all the same: all were.
    assert [f.name for f in fits[:4]] == [
        "logistic fold 1", "logistic fold 2", "gru fold 1", "gru fold 2"
    ]  # fmt: skip
    assert fits[4].name.endswith("final")
    for fit in fits:
        assert fit.parent == parent.key
        steps = [at for name, _, at in fit.metrics if name == "validate_pr_auc"]
        assert steps == ([1, 2] if fit.name.startswith("gru") else [0])


def kept(base):
    with sqlite3.connect(base) as found:
        rows = found.execute(
            "SELECT runs.name, status FROM runs JOIN experiments USING (experiment_id) "
            "WHERE experiments.name = 'small'"
        )
        return sorted(rows.fetchall())


def test_flush_sends_it_once(run, blank_mlflow):
    out, *_ = run
    base = out / ".touchstone" / "mlflow.sqlite"
    shutil.copy(blank_mlflow[0], base)
    there = f"sqlite:///{base}"
    assert touchstone("track", "flush", "--out", out)[0] == 2  # the suite's environment says off
    code, told, err = touchstone("track", "flush", "--out", out, "--tracking", there, "--json")
    assert (code, json.loads(told)["waiting"]) == (0, 0), err
    first = kept(base)
    assert len(first) == json.loads(told)["sent"]
    assert {status for _, status in first} == {"FINISHED"}
    assert touchstone("track", "flush", "--out", out, "--tracking", there)[0] == 0
    assert kept(base) == first
    files = {p.name for p in (out / ".touchstone" / "mlflow").rglob("*")}
    assert {"report.html", "manifest.json", "roc.png"} <= files
    code, told, _ = touchstone("track", "status", "--out", out, "--tracking", there)
    assert "mlflow ui --backend-store-uri sqlite:///" in told


def test_what_is_no_address_is_refused_before_anything_is_computed(tmp_path):
    words = ("run", small_study(tmp_path), "--out", tmp_path, "--tracking", "localhost")
    code, _, err = touchstone(*words)
    assert code == 2
    assert "http://" in err
    assert not (tmp_path / "runs").exists()


class Notes(Silent):
    """Keeps what was said."""

    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)


def test_a_queue_that_cannot_be_read_is_said_and_fails_nothing(tmp_path):
    folder, notes = tmp_path / "runs" / "a", Notes()
    folder.mkdir(parents=True)
    (folder / t.NAME).symlink_to("/proc/self/mem")  # a file whose first byte is an error
    assert tell(Workspace(tmp_path), "", notes) == 0
    tell_untracked(folder, "run", notes)
    assert [str(folder / t.NAME) in said for said in notes.said] == [True]


def test_a_finished_run_that_was_not_put_down_says_so(tmp_path):
    notes = Notes()
    tell_untracked(tmp_path, "run", notes)
    head = t.TrackedRun(key="k", group="g", name="n", started_ms=0, ended_ms=1)
    t.Queue(tmp_path).put(t.Batch("b", (head,)))
    tell_untracked(tmp_path, "run", notes)
    assert ["--again" in said for said in notes.said] == [True]


@pytest.mark.slow
@pytest.mark.skipif(not ASKED, reason="starts a server of MLflow: TOUCHSTONE_TEST_SERVER=1 asks")
def test_a_real_server_and_a_flush_that_is_killed(run, tmp_path):
    _, folder, _, _ = run
    place = tmp_path / "runs" / folder.name
    shutil.copytree(folder, place)
    lines = (place / t.NAME).read_bytes().splitlines(keepends=True)
    (place / t.NAME).write_bytes(b"".join(x for x in lines if not x.startswith(b'{"sent"')))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    base = tmp_path / "server.sqlite"
    server = subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--backend-store-uri", f"sqlite:///{base}", "--artifacts-destination",
            str(tmp_path / "kept"), "--workers", "1",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=tmp_path,
    )  # fmt: skip
    try:
        uri = f"http://127.0.0.1:{port}"
        _wait(f"{uri}/health")
        flush = [
            sys.executable, "-m", "touchstone", "track", "flush", "--out", str(tmp_path),
            "--tracking", uri,
        ]  # fmt: skip
        killed = subprocess.Popen(flush, stderr=subprocess.DEVNULL)
        while len(kept(base)) < 2:
            assert killed.poll() is None
            time.sleep(0.01)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
        assert t.Queue(place).waiting()
        done = subprocess.run(flush, capture_output=True, text=True, check=True)
        assert "nothing waits" in done.stdout
        found = kept(base)
        assert len(found) == len({name for name, _ in found}) == 6
        assert {status for _, status in found} == {"FINISHED"}
        assert {"report.html", "roc.png"} <= {p.name for p in (tmp_path / "kept").rglob("*")}
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # its own group: workers and all
        server.wait()


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url}: no server")
