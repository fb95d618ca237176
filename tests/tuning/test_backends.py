"""The same search in one process, in two, on Ray and on PostgreSQL tries the same settings.

With the random and grid samplers settings are a function of (seed, number); with TPE, which learns
from whatever has ended, the number of trials is the same. All of them are in the ledger, once.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from postgres import postgres
from rays import free_ports, ray_cluster
from searches import trials, tune_file, whole
from small import touchstone
from touchstone.errors import ConfigError
from touchstone.pipelines.ray_cluster import on_ray

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
    with postgres() as server:
        yield server.address


@pytest.fixture(scope="module")
def cluster():
    with ray_cluster() as address:
        yield address


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


@pytest.mark.slow
@pytest.mark.parametrize("alone", ["grid", "tpe"], indirect=True)
def test_a_ray_cluster_that_is_there(alone, cluster, database, tmp_path, monkeypatch):
    """Joined by its address; with `grid` its trials are in a database as well.

    `random` runs on a Ray of its own, below.
    """
    sampler, folder, tried = alone
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    words = ["--jobs", 2, "--backend", "ray"]
    words += ["--storage", database] if sampler == "grid" else []
    try:
        assert same(tuned(tmp_path, sampler, *words, like=folder), tried, sampler)
    finally:
        import ray

        ray.shutdown()


def own_process(*words):
    """The command as a user types it, with no Ray cluster named."""
    kept = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    ran = subprocess.run(
        [sys.executable, "-m", "touchstone", *map(str, words)],
        capture_output=True, text=True, check=False, env=kept,
    )  # fmt: skip
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("alone", ["random"], indirect=True)
def test_a_ray_of_its_own(alone, tmp_path):
    pytest.importorskip("ray")
    sampler, folder, tried = alone
    words = ("--jobs", 2, "--backend", "ray")
    assert same(tuned(tmp_path, sampler, *words, like=folder, run=own_process), tried, sampler)


@pytest.mark.parametrize("who", ["nobody", "deaf", "other", "no address"])
def test_where_no_cluster_answers_the_address_is_named_at_once(who):
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        if who == "nobody":
            address = f"127.0.0.1:{free_ports(1)[0]}"
        elif who == "no address":
            address = "somewhere"
        elif who == "other":
            threading.Thread(target=_another_protocol, args=(server,), daemon=True).start()
        began = time.monotonic()
        with pytest.raises(ConfigError, match=f"RAY_ADDRESS '?{address}"):
            on_ray(address, 1, print, b"", [()])
        assert time.monotonic() - began < 8


def _another_protocol(server):
    line, _ = server.accept()
    with line:
        line.recv(64)
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_without_the_extra_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"touchstone\[distributed\]"):
        on_ray("", 1, print, b"", [()])
