"""A run is told to MLflow once: from its queue, after a kill, to a server that was down before."""

import os
import shutil
import socket
import sqlite3
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.registry import tracking as t
from touchstone.registry.tracking_mlflow import MlflowTracker, Place


def runs(n_fits=2, name="b", group="study"):
    """A run with a file, and its fits with curves."""
    parent = t.TrackedRun(
        key=f"{name}-0", group=group, name="run", started_ms=1_000, ended_ms=9_000,
        tags={"touchstone.kind": "run"}, params={"seed": "7", "long": "x" * 7_000},
        metrics=(("sealed/sharpe", 1.5, 0),),
    )  # fmt: skip
    fits = tuple(
        t.TrackedRun(
            key=f"{name}-{i}", parent=f"{name}-0", group=group, name=f"gru fold {i}",
            started_ms=8_000, ended_ms=9_000, tags={"touchstone.kind": "fit"},
            metrics=tuple(("train_loss", 1 / e, e) for e in range(1, 6)),
        )
        for i in range(1, n_fits + 1)
    )  # fmt: skip
    return t.Batch(name, (parent, *fits))


def queue(folder: Path, *batches) -> t.Queue:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("a page")
    found = t.Queue(folder)
    files = t.files_of(folder, [folder / "report.html"])
    for batch in batches:
        head = batch.runs[0].model_copy(update={"files": files})
        found.put(batch._replace(runs=(head, *batch.runs[1:])))
    return found


@pytest.fixture
def place(tmp_path, blank_mlflow):
    base, said = blank_mlflow
    assert ["takes some seconds once" in line for line in said] == [True]
    assert [p.name for p in base.parent.iterdir()] == ["mlflow.sqlite"]  # and no half of one
    shutil.copy(base, tmp_path / "mlflow.sqlite")
    return Place(f"sqlite:///{tmp_path}/mlflow.sqlite", tmp_path / "mlflow")


def kept(place):
    """Name -> (status, parent's name, epochs of the loss) of the runs of `study`."""
    with sqlite3.connect(place.database) as base:
        rows = base.execute(
            "SELECT run_uuid, name, status FROM runs WHERE run_uuid IN "
            "(SELECT run_uuid FROM tags WHERE key = 'touchstone.batch' AND value != 'first')"
        ).fetchall()
        names = {run: name for run, name, _ in rows}
        found = []
        for run, name, status in rows:
            tags = dict(base.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (run,)))
            loss = base.execute(
                "SELECT step, value FROM metrics WHERE run_uuid = ? AND key = 'train_loss' "
                "ORDER BY step", (run,),
            ).fetchall()  # fmt: skip
            found.append((name, status, names.get(tags.get("mlflow.parentRunId")), loss))
    return sorted(found)


CURVE = [(e, 1 / e) for e in range(1, 6)]
TOLD = [
    ("gru fold 1", "FINISHED", "run", CURVE), ("gru fold 2", "FINISHED", "run", CURVE),
    ("run", "FINISHED", None, []),
]  # fmt: skip

# ---------------------------------------------------------------- the queue


@settings(max_examples=30)  # each waits for the disk
@given(st.integers(0, 3), st.data())
def test_a_torn_file_loses_only_what_was_cut(tmp_path_factory, n_sent, data):
    folder = tmp_path_factory.mktemp("torn")
    batches = [runs(1, f"b{i}") for i in range(3)]
    found = queue(folder, *batches)
    for batch in batches[:n_sent]:
        found.mark(batch, "somewhere")
    whole = found.path.read_bytes()
    assert [b.name for b in found.waiting()] == [b.name for b in batches[n_sent:]]
    found.path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    left = found.waiting()  # what is left is read, and never more than was there
    assert {b.name for b in left} <= {"b0", "b1", "b2"}
    found.put(runs(1, "next"))
    assert found.waiting()[-1] == runs(1, "next")
    found.mark(runs(1, "next"), "somewhere")
    assert "next" not in {b.name for b in found.waiting()}


def test_lines_are_only_added_and_hold_what_was_put(tmp_path):
    found = queue(tmp_path / "run", runs(2, "a"))
    before = found.path.read_bytes()
    found.put(runs(1, "b"))
    found.mark(runs(2, "a"), "there")
    assert found.path.read_bytes().startswith(before)
    assert found.waiting() == (runs(1, "b"),)
    assert t.n_waiting([found]) == (2, [found.path])


def test_a_password_is_not_shown():
    assert t.without_password("http://me:pw@host:1/x") == "http://host:1/x"
    assert "pw" not in Place("https://me:pw@host").name


# ---------------------------------------------------------------- MLflow on a file


def test_a_run_is_told_once_with_its_fits_curves_and_files(tmp_path, place):
    found = queue(tmp_path / "runs" / "a", runs())
    tracker = MlflowTracker(place)
    assert t.flush([found], tracker, place.name, tmp_path / "locks") == 3
    assert t.flush([found], tracker, place.name, tmp_path / "locks") == 0
    assert kept(place) == TOLD
    tracker.send(found_again(found), found.folder)  # as after a kill before the mark
    assert kept(place) == TOLD
    pages = list((tmp_path / "mlflow" / "study").rglob("report.html"))
    assert [p.read_text() for p in pages] == ["a page"]


def found_again(found):
    """The first batch of a queue as it was put."""
    again = t.Queue(found.folder / "again")
    again.folder.mkdir()
    lines = found.path.read_bytes().splitlines(keepends=True)
    again.path.write_bytes(b"".join(line for line in lines if b'"sent"' not in line))
    return again.waiting()[0]


class KilledError(Exception):
    """The plug is pulled."""


def plugged(client, at, *, after):
    """The client, killed at its at-th call that changes something, before or after it did."""
    n = [0]

    def pull(call):
        def one(*args, **more):
            n[0] += 1
            if n[0] == at and not after:
                raise KilledError
            done = call(*args, **more)
            if n[0] == at:
                raise KilledError
            return done

        return one

    names = ("create_run", "log_batch", "log_artifact", "set_terminated")
    return {name: pull(getattr(client, name)) for name in names}


def test_a_kill_at_any_call_doubles_nothing(tmp_path, place):
    tracker, n_kills = MlflowTracker(place), 0
    tracker.send(runs(0, "first", "blank"), tmp_path)  # connects
    for after in (False, True):
        for at in range(1, 20):
            name = f"{at}-{after}"
            found = queue(tmp_path / "runs" / name, runs(1, name))
            for call, cut in plugged(tracker._client, at, after=after).items():
                setattr(tracker._client, call, cut)
            try:
                t.flush([found], tracker, "there", tmp_path / "locks")
                killed = False
            except t.TrackingError:
                killed = True
            for call in ("create_run", "log_batch", "log_artifact", "set_terminated"):
                delattr(tracker._client, call)  # the class's own again
            if not killed:
                break
            n_kills += 1
            assert t.n_waiting([found])[0] == 2
            t.flush([found], tracker, "there", tmp_path / "locks")
            assert found.waiting() == ()
    assert n_kills == 2 * 7  # a run and a fit: each made, told, ended; and one file
    told = kept(place)
    assert len(told) == 2 * (n_kills + 2)
    assert {row[:3] for row in told} == {
        ("run", "FINISHED", None),
        ("gru fold 1", "FINISHED", "run"),
    }
    assert all(loss == CURVE for name, *_, loss in told if name != "run")


def test_a_file_that_changed_since_is_left_out_and_that_is_said(tmp_path, place):
    found = queue(tmp_path / "runs" / "a", runs(0))
    (found.folder / "report.html").write_text("another run's page")
    t.flush([found], MlflowTracker(place), "there", tmp_path / "locks")
    assert not list((tmp_path / "mlflow").rglob("report.html"))
    with sqlite3.connect(place.database) as base:
        told = base.execute("SELECT value FROM tags WHERE key LIKE '%files_left_out'").fetchall()
    assert told == [("1",)]


def test_mlflow_is_silent_and_leaves_the_environment_alone(tmp_path, place, capfd):
    before = dict(os.environ)
    found = queue(tmp_path / "runs" / "a", runs(0))
    t.flush([found], MlflowTracker(place), "there", tmp_path / "locks")
    assert capfd.readouterr() == ("", "")
    assert dict(os.environ) == before


def test_what_is_not_taken_keeps_nothing_else_back(tmp_path, place):
    """A group that somebody deleted, a batch without its run, a file that cannot be read."""
    client = MlflowTracker(place)._open()
    client.delete_experiment(client.create_experiment("gone"))
    (fit,) = runs(1, "orphan").runs[1:]
    found = [
        queue(tmp_path / "runs" / "a", runs(0, "deleted", "gone")),
        queue(tmp_path / "runs" / "b"),
        queue(tmp_path / "runs" / "c"),
        queue(tmp_path / "runs" / "d", runs()),
    ]
    found[1].put(t.Batch("orphan", (fit,)))
    found[2].path.symlink_to("/proc/self/mem")  # a file whose first byte is an error
    assert t.n_waiting(found) == (5, [q.path for q in found])
    with pytest.raises(t.NotTakenError, match="deleted"):
        t.flush(found, MlflowTracker(place), "there", tmp_path / "locks")
    assert kept(place) == TOLD
    assert t.n_waiting(found) == (2, [q.path for q in found[:3]])


def test_any_name_of_a_setting_is_told(tmp_path, place):
    odd = "side.a (b), [c] + 'd' = \u20ac" + 300 * "x"
    batch = runs(0)
    head = batch.runs[0].model_copy(update={"params": {odd: "1"}, "metrics": ((odd, 1.0, 0),)})
    found = queue(tmp_path / "runs" / "a")
    found.put(batch._replace(runs=(head,)))
    assert t.flush([found], MlflowTracker(place), "there", tmp_path / "locks") == 1


def test_a_queue_holds_a_run_that_was_put_whole_whatever_came_of_it(tmp_path):
    found = queue(tmp_path / "a")
    assert not found.holds()
    found.put(runs(1))
    whole = found.path.read_bytes()
    assert found.holds()
    found.path.write_bytes(whole[:-9])
    assert not found.holds()
    found.path.write_bytes(whole)
    found.mark(runs(1), "there")
    assert found.holds()


# ---------------------------------------------------------------- a server


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("kind", ["refuses", "hangs"])
def test_a_dead_server_costs_less_than_three_seconds(tmp_path, kind):
    found = queue(tmp_path / "runs" / "a", runs())
    before = found.path.read_bytes()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if kind == "hangs":
            deaf.listen()  # takes the call and never answers
        place = Place(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        began = time.perf_counter()
        with pytest.raises(t.TrackingError, match="cannot be reached"):
            t.flush([found], MlflowTracker(place), place.name, tmp_path / "locks")
        assert time.perf_counter() - began < 3
    assert found.path.read_bytes() == before


class Dying(BaseHTTPRequestHandler):
    """Says that it is there, and hangs up on whatever else is asked."""

    def do_GET(self):
        if self.path == "/health":
            self.send_response(200)
            self.end_headers()

    def log_message(self, *_):
        pass


def test_a_server_that_dies_while_it_is_told_is_named_without_its_password(tmp_path):
    found = queue(tmp_path / "runs" / "a", runs())
    with ThreadingHTTPServer(("127.0.0.1", 0), Dying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = Place(f"http://me:secret@127.0.0.1:{server.server_port}")
        with pytest.raises(t.TrackingError, match="did not take it") as raised:
            t.flush([found], MlflowTracker(place), place.name, tmp_path / "locks")
        server.shutdown()
    assert "127.0.0.1" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert len(found.waiting()) == 1
