"""Worker processes outlive a run: the next one, from another folder, is not misled by it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from joblib import delayed
from threadpoolctl import threadpool_info

import touchstone as ts
from small import small_study
from touchstone.pipelines.workers import workers
from touchstone.validation.ledger import SqliteLedger


def test_workers_of_an_earlier_run_serve_a_run_in_another_folder(tmp_path, monkeypatch):
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "own.py").write_text("NUMBER = 1\n")
        small_study(folder, seed=seed, plugins=["own.py"], models=[{"kind": "logistic"}])
        monkeypatch.chdir(folder)
        run = ts.run("small.yaml", jobs=2)
        assert (folder / run.folder / "run.json").is_file()
        book = SqliteLedger(folder / ".touchstone" / "ledger.sqlite", "test", "none", str)
        assert book.verify() == ()
        kinds = [row.kind for row in book.rows()]
        assert kinds.count("fit") == 3  # two folds, and the refit


def test_a_worker_uses_one_thread_whatever_the_environment_allows(tmp_path, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    (tmp_path / "own.py").write_text("NUMBER = 3\n")
    found = list(workers(2, (tmp_path / "own.py",))(delayed(threadpool_info)() for _ in range(4)))
    assert len(found) == 4
    for pools in found:
        assert pools, "no library of linear algebra was loaded"
        assert {pool["num_threads"] for pool in pools} == {1}, pools


PARENT = """
import sys
from pathlib import Path
from joblib import delayed
from touchstone.pipelines.workers import workers


def for_ever(folder):
    import os
    folder.joinpath(f"at-work-{os.getpid()}").touch()
    while True:
        sum(range(10_000))


folder = Path(sys.argv[1])
list(workers(2, (folder / "own.py",))(delayed(for_ever)(folder) for _ in range(2)))
"""
OWN = """
import os, time
from pathlib import Path
folder = Path(__file__).parent
try:
    folder.joinpath("one").touch(exist_ok=False)
except FileExistsError:
    pass
else:
    folder.joinpath(f"at-its-imports-{os.getpid()}").touch()
    time.sleep(600)
"""


def test_workers_end_soon_after_their_parent_was_killed(tmp_path):
    """One of them at work, the other still at its imports."""
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "own.py").write_text(OWN)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py", tmp_path])
    try:
        while len(found := list(tmp_path.glob("at-*"))) < 2:
            assert parent.poll() is None
            time.sleep(0.1)
    finally:
        parent.kill()
        parent.wait()
    at = {p.name.rpartition("-")[0]: int(p.name.rpartition("-")[2]) for p in found}
    assert set(at) == {"at-work", "at-its-imports"}
    until = time.monotonic() + 20  # one second on a machine that has nothing else to do
    while (left := {name for name, pid in at.items() if runs(pid)}) and time.monotonic() < until:
        time.sleep(0.1)
    for name in left:
        os.kill(at[name], signal.SIGKILL)
    assert not left


def runs(pid):
    """Whether a process is there and not yet over."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
