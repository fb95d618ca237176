"""A search that is killed anywhere, and gone on with, is the search that was never disturbed."""

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
N = 8
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def command(folder, file):
    """The real command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "touchstone", "tune", str(file), "--out", str(folder),
         "--jobs", "2", "--quiet", "--tracking", "off"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def n_entered(folder):
    """Trials in the ledger so far; none before it is there."""
    if not (folder / ".touchstone" / "ledger.sqlite").is_file():
        return 0
    return len(rows_of_trials(folder))


def kill_when(folder, process, n_trials, signum, wait):
    """Send a signal once so many trials are in the ledger and some time has passed.

    Gives the exit code, or 0 where the search was quicker.
    """
    until = time.monotonic() + 900
    while n_entered(folder) < n_trials and process.poll() is None:
        assert time.monotonic() < until, "nothing happens"
        time.sleep(0.01)
    time.sleep(wait)
    process.send_signal(signum)
    code = process.wait(300)
    process.stderr.close()
    return code


def test_killed_at_random_points_it_ends_as_if_nothing_had_happened(tmp_path):
    rng = np.random.default_rng(int(os.environ.get("KILL_SEED", "1")))
    file = tune_file(tmp_path / "killed", trials=N)
    calm = tune_file(tmp_path / "calm", trials=N)
    assert touchstone("tune", calm, "--out", tmp_path / "calm", "--jobs", 1, "--quiet")[0] == 0
    folder, codes = tmp_path / "killed", []
    for signum, n_trials in zip(rng.permutation(SIGNALS), (0, 2, 5), strict=True):
        wait = float(rng.uniform(0, 0.3))
        process = command(folder, file)
        codes.append(kill_when(folder, process, n_trials, signal.Signals(int(signum)), wait))
    assert any(codes), "no kill came before the end"
    process = command(folder, file)
    _, said = process.communicate(timeout=1800)
    assert process.returncode == 0, said.decode()
    whole(folder, file, N)
    assert trials(folder) == trials(tmp_path / "calm")
    ours, theirs = (found(tmp_path / place)["searches"] for place in ("killed", "calm"))
    assert ours == theirs  # values, winner, versions: to the bit
