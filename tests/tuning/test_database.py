"""Trials in PostgreSQL: servers that fail, two machines at once, a password that stays secret."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from postgres import PASSWORD, postgres
from searches import BARRIER, found, rows_of_trials, trials, tune_file, whole
from small import touchstone
from touchstone.errors import ConfigError, DataError
from touchstone.pipelines import tune_trials
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.workspace import Workspace
from touchstone.tuning import storage
from touchstone.tuning.search import begin, left, seen, take
from touchstone.tuning.storage import place_of
from tuning.searches import a_search, climb, run

N = 6


@pytest.fixture(scope="module")
def server():
    with postgres() as one:
        yield one


def command(folder, file, address, *words):
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "touchstone", "tune", str(file), "--out", str(folder), "--quiet",
         "--storage", address, "--tracking", "off", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True,
    )  # fmt: skip


WRONG = {
    "password": (lambda address: address.replace(PASSWORD, "wr0ngwr0ng"), "password"),
    "database": (lambda address: address.replace("/postgres", "/nowhere"), '"nowhere" does not'),
    "user": (lambda address: address.replace("tuner", "nobody"), "nobody"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_server_refuses_is_told_without_a_password(server, tmp_path, what):
    wrong, said = WRONG[what]
    address = wrong(server.address)
    file = tune_file(tmp_path, trials=1)
    code, _, err = touchstone("tune", file, "--out", tmp_path, "-q", "--storage", address)
    assert code == 3
    assert said in err
    assert "Traceback" not in err
    assert PASSWORD not in err
    assert "wr0ng" not in err


def test_an_address_without_a_driver_is_refused_with_the_way_out(tmp_path):
    place = place_of("nonsense://me:secret@host/db", tmp_path)
    way = r"no driver for it: .*nonsense\. Take postgresql://.*touchstone\[distributed\]"
    with pytest.raises(ConfigError, match=way) as error:
        begin(a_search(tmp_path, place=place), alone=False)
    assert "secret" not in str(error.value)


def test_a_server_that_refuses_is_told_in_one_sentence(tmp_path):
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = place_of(f"postgresql://me@127.0.0.1:{port}/db", tmp_path)
    with pytest.raises(DataError, match="cannot be reached") as error:
        begin(a_search(tmp_path, place=place), alone=False)
    assert not {"\n", "\t"} & set(str(error.value))
    assert "?." not in str(error.value)


def test_a_server_that_takes_calls_and_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "CONNECT_SECONDS", 2)
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        place = place_of(f"postgresql://me:secret@127.0.0.1:{port}/db", tmp_path)
        began = time.monotonic()
        with pytest.raises(DataError, match="cannot be reached") as error:
            begin(a_search(tmp_path, place=place), alone=False)
    assert time.monotonic() - began < 2.5 * 2
    assert "secret" not in str(error.value)


def test_whoever_stands_still_within_a_transaction_holds_nobody_up_for_ever(server, tmp_path):
    place = place_of(f"{server.empty('still')}?options=-c%20statement_timeout%3D500", tmp_path)
    search = a_search(tmp_path, n_trials=2, place=place)
    begin(search, alone=False)
    import psycopg

    at = server.address.replace("/postgres", "/still")
    with psycopg.connect(at) as session:
        session.execute("SELECT * FROM trials FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(DataError, match="statement timeout"):
            take(search, climb)
        assert time.monotonic() - began < 20
    assert take(search, climb).state == "complete"
    # What the search's own sessions ask of the server where the address says nothing.
    with storage.opened(place_of(at, tmp_path)) as own, own._backend.engine.connect() as session:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert session.exec_driver_sql(f"SHOW {name}").scalar() == "1min"


def all_of(search, measure):
    while take(search, measure) is not None:
        pass


def test_a_server_that_goes_and_comes_back_loses_no_trial(server, tmp_path):
    own = place_of(server.empty("gone"), tmp_path)
    search = a_search(tmp_path, n_trials=4, place=own._replace(beat_seconds=1, grace_seconds=1))
    begin(search, alone=False)

    def falls(trial):
        if trial.number == 2:
            server.stop()
        return climb(trial)

    with pytest.raises(DataError, match="Trials that ended are kept"):
        all_of(search, falls)
    with pytest.raises(DataError, match="cannot be reached"):
        left(search)
    server.begin()
    threading.Event().wait(2.2)
    assert left(search) == 2
    all_of(search, climb)
    alone = run(a_search(tmp_path, n_trials=4))
    assert [(t.params, t.values) for t in seen(search)] == [(t.params, t.values) for t in alone]


def test_a_command_whose_server_falls_says_so_and_goes_on_when_it_is_back(
    server, tmp_path, monkeypatch
):
    file, address = tune_file(tmp_path, trials=3), server.empty("command")
    patient = tune_trials.place_of
    monkeypatch.setattr(
        tune_trials, "place_of",
        lambda *asked: patient(*asked)._replace(beat_seconds=1, grace_seconds=1),
    )  # fmt: skip
    words = ("tune", file, "--out", tmp_path, "--jobs", 1, "-q", "--storage", address)
    with monkeypatch.context() as planted:
        asked = []

        def falls(bench):
            asked.append(bench)
            if len(asked) == 2:
                server.stop()
            return attempt(bench)

        attempt = tune_trials.attempt
        planted.setattr(tune_trials, "attempt", falls)
        code, _, err = touchstone(*words)
    assert code == 3
    assert "the database cannot be reached, or failed" in err
    assert "Traceback" not in err
    server.begin()
    code, _, err = touchstone(*words)
    assert code == 0, err
    whole(tmp_path, file, 3)


@pytest.mark.slow
def test_two_machines_share_the_trials_and_come_to_the_same(server, tmp_path):
    """Each trial is run by one of them, and stands in the ledger of both once."""
    (tmp_path / "barrier.py").write_text(BARRIER)
    file = tune_file(tmp_path, study={"plugins": ["barrier.py"]}, trials=8)
    address, folders = server.empty("two machines"), [tmp_path / name for name in ("one", "two")]
    both = [command(folder, file, address, "--jobs", "1") for folder in folders]
    for process in both:
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    for folder in folders:
        whole(folder, file, 8)
    one, two = (found(folder) for folder in folders)
    assert one["searches"] == two["searches"]  # trials, values, winner and its versions
    assert one["n_candidates"] == two["n_candidates"]
    assert rows_of_trials(folders[0]) == rows_of_trials(folders[1])
    # Two folds a trial, made once between them; the winner's checkpoints are made again where they
    # were not, and the three seeds by both.
    n_fits = [fits(folder) for folder in folders]
    assert sum(n_fits) == 2 * 8 + 2 + 2 * 3 * 2
    assert min(n_fits) > 8


def fits(folder):
    rows = ledger_of(Workspace(folder, None))().rows()
    return sum(row.kind == "fit" for row in rows)


def holding(folder, text):
    """Files below a folder in whose name or bytes a text stands."""
    return [
        path for path in folder.rglob("*")
        if text in path.name or (path.is_file() and text.encode() in path.read_bytes())
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["whole", "killed"])
def test_the_password_lies_nowhere_in_the_workspace(server, tmp_path, ends):
    file, folder = tune_file(tmp_path / "asked", trials=N), tmp_path / "workspace"
    process = command(folder, file, server.empty(ends), "--jobs", "2")
    if ends == "killed":
        until = time.monotonic() + 300
        benches = folder / ".touchstone" / "cache" / "benches"
        while not (benches.is_dir() and len(list(benches.iterdir())) >= 2):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    out, err = process.communicate(timeout=600)
    assert process.returncode == (0 if ends == "whole" else -signal.SIGKILL), err
    assert holding(folder, "tuner@127.0.0.1") or ends == "whole"  # else nothing was looked at
    assert holding(folder, PASSWORD) == []
    assert PASSWORD not in out + err
    if ends == "whole":
        assert "tuner@127.0.0.1" in json.dumps(found(folder)["notes"])
        assert len(trials(folder)) == N
