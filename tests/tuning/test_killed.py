"""A search that is killed, and gone on with, is the search that was never disturbed.

Many kills by several signals at random points: `make prove-tune-kills`.
"""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from searches import found, rows_of_trials, trials, tune_file, whole
from small import touchstone

pytestmark = pytest.mark.slow
N = 5


def command(folder, file):
    """The real command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "touchstone", "tune", str(file), "--out", str(folder),
         "--jobs", "1", "--quiet", "--tracking", "off"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def n_entered(folder):
    """Trials in the ledger so far; none before it is there."""
    if not (folder / ".touchstone" / "ledger.sqlite").is_file():
        return 0
    return len(rows_of_trials(folder))


def kill_when(folder, process, n_trials, wait):
    """End it once so many trials are in the ledger and some time has passed."""
    until = time.monotonic() + 300
    while n_entered(folder) < n_trials:
        assert process.poll() is None
        assert time.monotonic() < until, "nothing happens"
        time.sleep(0.02)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL, "no kill came before the end"


def test_killed_at_a_random_point_it_ends_as_if_nothing_had_happened(tmp_path):
    rng = np.random.default_rng(int(os.environ.get("KILL_SEED", "1")))
    folders = [tmp_path / name for name in ("killed", "calm")]
    files = [tune_file(folder, trials=N) for folder in folders]
    process = command(folders[0], files[0])
    kill_when(folders[0], process, int(rng.integers(1, N)), float(rng.uniform(0, 0.3)))
    for folder, file in zip(folders, files, strict=True):
        assert touchstone("tune", file, "--out", folder, "--jobs", 1, "--quiet")[0] == 0
        whole(folder, file, N)
    assert trials(folders[0]) == trials(folders[1])
    ours, theirs = (found(folder)["searches"] for folder in folders)
    assert ours == theirs  # values, winner, versions: to the bit
