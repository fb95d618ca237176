"""The same search in one process, in two, on Ray and on PostgreSQL tries the same settings.

With the random and grid samplers settings are a function of (seed, number); with TPE, which learns
from whatever has ended, the number of trials is the same. All of them are in the ledger, once.
"""

import shutil
import subprocess
import sys

import pytest

from postgres import postgres
from searches import trials, tune_file, whole
from small import touchstone

SAMPLERS = ("random", "grid", "tpe")
N = 6


def tuned(folder, sampler, *words, like=None, run=touchstone):
    """A search in a workspace of its own; fits that another one made are taken from there."""
    file = tune_file(folder, sampler={"kind": sampler})
    if like is not None:
        shutil.copytree(like / ".touchstone" / "cache", folder / ".touchstone" / "cache")
    code, out, err = run("tune", file, "--out", folder, "--quiet", *words)
    assert code == 0, out + err
    whole(folder, file, N)
    return trials(folder)


@pytest.fixture(scope="module", params=SAMPLERS)
def alone(request, tmp_path_factory):
    """A sampler, where one process searched, and what it tried."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, folder, tuned(folder, request.param, "--jobs", 1)


@pytest.fixture(scope="module")
def database():
    with postgres() as address:
        yield address


NO_RAY = 77
ON_RAY = f"""
import sys
import ray
try:
    ray.init(num_cpus=2, object_store_memory=80 * 2**20, address="local", include_dashboard=False,
             log_to_driver=False, configure_logging=False)
except Exception as error:
    print(error, file=sys.stderr)
    sys.exit({NO_RAY})
from touchstone.cli import main
try:
    main()
finally:
    ray.shutdown()
"""
"""The command line in a process that starts a Ray of its own, whichever else there is."""


def same(one, other, sampler):
    if sampler == "tpe":
        return [(n, state) for n, state, _ in one] == [(n, state) for n, state, _ in other]
    return one == other


def test_trials_differ_among_each_other(alone):
    _, _, tried = alone
    assert len({params for _, _, params in tried}) == N


def test_two_processes(alone, tmp_path):
    sampler, folder, tried = alone
    like = None if sampler == "random" else folder
    assert same(tuned(tmp_path, sampler, "--jobs", 2, like=like), tried, sampler)


def test_postgresql(alone, database, tmp_path):
    sampler, folder, tried = alone
    words = ("--jobs", 2, "--storage", database)
    assert same(tuned(tmp_path, sampler, *words, like=folder), tried, sampler)


def on_ray(*words):
    """The command in a process of its own: a Ray that does not start leaves nothing here."""
    ran = subprocess.run(
        [sys.executable, "-c", ON_RAY, *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode == NO_RAY:
        pytest.skip(f"Ray does not start within the half minute it grants: {ran.stderr[-300:]}")
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.slow
def test_a_local_ray(alone, tmp_path):
    pytest.importorskip("ray")
    sampler, folder, tried = alone
    if sampler == "grid":
        pytest.skip("as random: settings are a function of seed and number")
    words = ("--jobs", 2, "--set", "backend=ray")
    assert same(tuned(tmp_path, sampler, *words, like=folder, run=on_ray), tried, sampler)
