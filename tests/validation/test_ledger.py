"""Laws of every ledger, then what the one on disk adds: tampering is found, writers do not race."""

import contextlib
import functools
import itertools
import json
import multiprocessing
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchstone.errors import RefusedError
from touchstone.ledger import Candidate, Look, MemoryLedger, Span, span_of
from touchstone.validation.chain import Head
from touchstone.validation.ledger import SqliteLedger
from validation.ledger_writer import (  # spawned processes import it by this name
    then,
    write,
    write_until_killed,
)

SPAN = Span("market", ("BTC", "ETH"), 100, 200)
DISJOINT = (
    Span("simulated:1", ("BTC", "ETH"), 100, 200),
    Span("market", ("SOL",), 100, 200),
    Span("market", ("BTC",), 200, 300),
    Span("market", ("BTC",), 0, 100),
)
OVERLAPPING = (SPAN, Span("market", ("ETH", "SOL"), 199, 300), Span("market", ("BTC",), 0, 101))
LOOK = Look("data", "study", 7, "source", SPAN)


def sqlite_ledger(folder, who="tester"):
    clock = itertools.count()
    return SqliteLedger(Path(folder) / "ledger.sqlite", who, "abc1234", lambda: f"t{next(clock)}")


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request, tmp_path):
    return MemoryLedger() if request.param == "memory" else sqlite_ledger(tmp_path)


def kinds(ledger):
    return [row[0] if isinstance(ledger, MemoryLedger) else row.kind for row in all_rows(ledger)]


def all_rows(ledger):
    return ledger.rows if isinstance(ledger, MemoryLedger) else ledger.rows()


def never():
    raise AssertionError("answered already: must not be computed again")


# Every ledger


def test_rows_stand_in_the_order_written(ledger):
    ledger.record("fit", "c1", "d", {"loss": 0.5})
    ledger.record("failed_fit", "c2", "d", {})
    ledger.sweep("d", "search", SPAN, ())
    assert kinds(ledger) == ["fit", "failed_fit", "sweep"]


def test_candidates_are_distinct_with_the_newest_score(ledger):
    ledger.sweep("d", "search", SPAN, (Candidate("a", 0.1, 30), Candidate("b", None, 0)))
    ledger.sweep("d", "search", OVERLAPPING[1], (Candidate("a", 0.2, 31), Candidate("c", -0.1, 40)))
    assert ledger.candidates(SPAN) == (
        Candidate("a", 0.2, 31),
        Candidate("b", None, 0),
        Candidate("c", -0.1, 40),
    )


@pytest.mark.parametrize("other", OVERLAPPING, ids=str)
def test_rows_shared_by_symbol_and_time_are_counted(ledger, other):
    ledger.sweep("d", "search", other, (Candidate("a", 0.1, 30),))
    ledger.look(LOOK._replace(span=other), lambda: "x")
    assert ledger.candidates(SPAN) == (Candidate("a", 0.1, 30),)
    assert ledger.studies_that_looked(SPAN) == {f"study {LOOK.data}", "search d"}


@pytest.mark.parametrize("other", DISJOINT, ids=str)
def test_other_rows_are_not(ledger, other):
    ledger.sweep("d", "search", other, (Candidate("a", 0.1, 30),))
    ledger.look(LOOK._replace(span=other), lambda: "x")
    assert ledger.candidates(SPAN) == ()
    assert ledger.studies_that_looked(SPAN) == frozenset()


@pytest.mark.parametrize("answer", ["", "plain", "äöü \x00 \U0001f4c8 \ud800", '{"p": 0.05}\n'])
def test_the_same_look_gives_the_same_text(ledger, answer):
    assert ledger.look(LOOK, lambda: answer) == answer
    assert ledger.look(LOOK, never) == answer
    assert ledger.look(LOOK, never) == answer
    assert kinds(ledger) == ["look", "repeat", "repeat"]
    assert ledger.studies_that_looked(SPAN) == {f"study {LOOK.data}"}


@pytest.mark.parametrize(
    "change", [{"data": "x"}, {"study": "x"}, {"seed": 8}, {"source": "x"}], ids=str
)
def test_any_part_of_the_identity_makes_another_look(ledger, change):
    ledger.look(LOOK, lambda: "first")
    assert ledger.look(LOOK._replace(**change), lambda: "second") == "second"
    assert ledger.look(LOOK, never) == "first"
    assert len(ledger.studies_that_looked(SPAN)) == (2 if {"study", "data"} & change.keys() else 1)


def test_a_look_that_failed_showed_nothing(ledger):
    def fail():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        ledger.look(LOOK, fail)
    assert ledger.studies_that_looked(SPAN) == frozenset()
    assert ledger.look(LOOK, lambda: "later") == "later"


def test_the_answer_may_write_to_the_ledger(ledger):
    def answer():
        ledger.record("backtest", "c", "d", {})
        return "done"

    assert ledger.look(LOOK, answer) == "done"


def test_what_was_written_about_a_study_is_read_back_in_order(ledger):
    ledger.record("audit", "study", "d", {"result": "HALT", "findings": [{"stage": "features"}]})
    ledger.record("audit", "other", "d", {"result": "HALT", "findings": []})
    ledger.record("run", "study", "d", {"result": "r"})
    ledger.record("audit", "study", "d", {"result": "PASS", "findings": []})
    assert [a["result"] for a in ledger.written("audit", "study")] == ["HALT", "PASS"]
    assert ledger.written("audit", "nobody") == ledger.written("promotion", "study") == ()
    ledger.look(LOOK, lambda: "answer")
    (seen,) = ledger.written("look", "study")
    assert seen["answer"] == "answer"
    assert span_of(seen["look"]["span"]) == SPAN


# The one on disk


def test_a_row_says_who_when_and_from_which_code(tmp_path):
    ledger = sqlite_ledger(tmp_path)
    ledger.record("fit", "c", "d", {"b": 1, "a": (np.float32(0.5), np.int64(2), np.nan, None)})
    row = ledger.rows()[0]
    assert row[:8] == (
        1,
        "fit",
        "c",
        "d",
        '{"a":[0.5,2,null,null],"b":1}',
        "tester",
        "abc1234",
        "t0",
    )
    assert row.previous == "0" * 64
    assert ledger.head() == Head(1, row.hash)


@pytest.mark.parametrize("facts", [{"a": Path("x")}, {"a": {1, 2}}, {"a": b"x"}, {"a": 1j}])
def test_what_json_cannot_hold_is_refused(tmp_path, facts):
    with pytest.raises(RefusedError, match="the ledger keeps JSON"):
        sqlite_ledger(tmp_path).record("fit", "c", "d", facts)


@pytest.mark.parametrize("kind", ["sweep", "look", "repeat", "failed_look"])
def test_counted_kinds_are_not_typed_by_hand(ledger, kind):
    with pytest.raises(RefusedError, match="by `sweep` and `look` alone"):
        ledger.record(kind, "c", "d", {})


def test_a_failed_look_is_written_down(tmp_path):
    ledger = sqlite_ledger(tmp_path)
    with pytest.raises(ZeroDivisionError):
        ledger.look(LOOK, lambda: str(1 / 0))
    row = ledger.rows()[0]
    assert (row.kind, json.loads(row.facts)["error"]) == ("failed_look", "ZeroDivisionError")


@contextlib.contextmanager
def tampering(ledger):
    """A hand that knows SQL, but not the hash."""
    with contextlib.closing(sqlite3.connect(ledger.path)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = triggers.fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)
        connection.commit()


@functools.cache
def template(n):
    """The bytes of a sound ledger: every row that is written waits for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        return fill(sqlite_ledger(folder), n).path.read_bytes()


def filled(folder, n=6):
    ledger = sqlite_ledger(folder)
    ledger.path.parent.mkdir(parents=True, exist_ok=True)
    ledger.path.write_bytes(template(n))
    return ledger


def fill(ledger, n):
    for i in range(n - 2):
        ledger.record("fit", f"c{i}", "d", {"loss": i / 7})
    ledger.sweep("d", "search", SPAN, (Candidate("a", 0.1, 30),))
    ledger.look(LOOK, lambda: "answer")
    assert ledger.verify() == ()
    return ledger


KINDS = "fit backtest audit surrogate run promotion sweep failed_look look repeat".split()


@functools.cache
def one_of_each():
    """The bytes of a sound ledger with a row of every kind."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = sqlite_ledger(folder)
        for kind in KINDS[:6]:
            ledger.record(kind, "study", "d", {"result": "PASS", "n": 3})
        ledger.sweep("d", "study", SPAN, (Candidate("a", 0.1, 30),))
        with pytest.raises(ZeroDivisionError):
            ledger.look(LOOK, lambda: str(1 / 0))
        for _ in range(2):
            ledger.look(LOOK, lambda: "answer")
        assert [row.kind for row in ledger.rows()] == KINDS
        assert ledger.verify() == ()
        return ledger.path.read_bytes()


def with_every_kind(folder):
    ledger = sqlite_ledger(folder)
    ledger.path.parent.mkdir(parents=True, exist_ok=True)
    ledger.path.write_bytes(one_of_each())
    return ledger


COLUMNS = "kind config data facts who git at previous hash".split()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    row=st.integers(1, 6),
    column=st.sampled_from(COLUMNS),
    value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=70),
)
def test_every_edit_is_found(tmp_path_factory, row, column, value):
    ledger = filled(tmp_path_factory.mktemp("edit"))
    before = getattr(ledger.rows()[row - 1], column)
    with tampering(ledger) as connection:
        connection.execute(f"UPDATE rows SET {column} = ? WHERE id = ?", (value, row))
    findings = ledger.verify()
    assert bool(findings) == (value != before)
    if findings:
        assert row in {f.row for f in findings}


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_row_of_every_kind_every_column_is_held(tmp_path, kind):
    row = KINDS.index(kind) + 1
    ledger = with_every_kind(tmp_path)
    for column in COLUMNS:
        ledger = with_every_kind(tmp_path)
        with tampering(ledger) as connection:
            (was,) = connection.execute(f"SELECT {column} FROM rows WHERE id = {row}").fetchone()
            changed = was[:-1] + ("1" if was[-1] != "1" else "2")  # the smallest change of a text
            connection.execute(f"UPDATE rows SET {column} = ? WHERE id = ?", (changed, row))
        assert row in {f.row for f in ledger.verify()}, column


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_every_kind_is_missed_and_a_stranger_is_seen(tmp_path, kind):
    row = KINDS.index(kind) + 1
    ledger = with_every_kind(tmp_path / "gone")
    with tampering(ledger) as connection:
        connection.execute("DELETE FROM rows WHERE id = ?", (row,))
    assert row in {f.row for f in ledger.verify()}
    ledger = with_every_kind(tmp_path / "inserted")
    with tampering(ledger) as connection:  # all that follow make room, as a careful hand would
        for later in range(len(KINDS), row, -1):
            connection.execute("UPDATE rows SET id = id + 1 WHERE id = ?", (later,))
        connection.execute(
            "INSERT INTO rows SELECT id + 1, kind, config, data, facts, who, git, at, hash, hash "
            "FROM rows WHERE id = ?", (row,)
        )  # fmt: skip
    assert {row + 1} <= {f.row for f in ledger.verify()}


@pytest.mark.parametrize("n_cut", range(1, len(KINDS) + 1))
def test_a_tail_that_was_cut_off_with_its_head_is_found_by_a_head_kept_elsewhere(tmp_path, n_cut):
    """Whoever sets the head record back as well leaves a sound chain: only a report knows."""
    ledger = with_every_kind(tmp_path)
    kept, left = ledger.head(), len(KINDS) - n_cut
    with tampering(ledger) as connection:
        connection.execute("DELETE FROM rows WHERE id > ?", (left,))
        last = connection.execute("SELECT hash FROM rows WHERE id = ?", (left,)).fetchone()
        head = (left, last[0] if last else "0" * 64)
        connection.execute("UPDATE head SET n_rows = ?, hash = ?", head)
    assert ledger.verify() == ()
    assert [f.row for f in ledger.verify(since=kept)] == [len(KINDS)]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(1, 6), n=st.integers(1, 6), grow=st.booleans())
def test_every_deletion_is_found_and_never_heals(tmp_path_factory, first, n, grow):
    ledger = filled(tmp_path_factory.mktemp("delete"))
    with tampering(ledger) as connection:
        connection.execute("DELETE FROM rows WHERE id >= ? AND id < ?", (first, first + n))
    if grow:
        ledger.record("fit", "c", "d", {})
    assert any(f.row == first and "gone" in f.problem for f in ledger.verify())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rows SET id = 70 WHERE id = 3",
        "UPDATE rows SET id = 70 WHERE id = 6",
        "INSERT INTO rows SELECT 7, kind, config, data, facts, who, git, at, hash, hash FROM rows "
        "WHERE id = 6",
        "UPDATE head SET n_rows = 7",
        "UPDATE head SET n_rows = 5",
        "UPDATE head SET hash = 'x'",
        "DELETE FROM head",
        "DROP TABLE head",
        "DROP TABLE rows",
        "ALTER TABLE rows ADD COLUMN more TEXT",
        "CREATE TRIGGER x AFTER INSERT ON rows BEGIN UPDATE head SET n_rows = 0; END",
    ],
)
def test_every_other_meddling_is_found(tmp_path, statement):
    ledger = filled(tmp_path)
    with tampering(ledger) as connection:
        connection.execute(statement)
        if statement == "DROP TABLE rows":
            connection.execute("CREATE TABLE rows (id, a, b, c, d, e, f, g, h, hash)")
    assert ledger.verify()


def test_swapped_rows_are_found(tmp_path):
    ledger = filled(tmp_path)
    with tampering(ledger) as connection:
        for before, after in ((2, 99), (3, 2), (99, 3)):
            connection.execute("UPDATE rows SET id = ? WHERE id = ?", (after, before))
    assert {f.row for f in ledger.verify()} >= {2, 3}


def test_append_only_by_trigger_and_its_removal_is_found(tmp_path):
    ledger = filled(tmp_path)
    with contextlib.closing(sqlite3.connect(ledger.path)) as connection:
        for statement in ("UPDATE rows SET kind = 'x'", "DELETE FROM rows"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
        connection.execute("DROP TRIGGER no_update")
        connection.commit()
    assert "triggers" in ledger.verify()[0].problem
    assert "no_update" in ledger.verify()[0].problem


def test_a_rewritten_ledger_is_found_by_a_head_kept_elsewhere(tmp_path):
    ledger = filled(tmp_path / "a")
    kept = ledger.head()
    ledger.record("fit", "c", "d", {})
    assert ledger.verify(since=kept) == ()
    rewritten = filled(tmp_path / "b", n=5)
    assert rewritten.verify() == ()
    assert [f.row for f in rewritten.verify(since=kept)] == [6]
    longer = filled(tmp_path / "c", n=9)
    assert [f.row for f in longer.verify(since=kept)] == [6]


def test_an_edited_answer_is_not_repeated(tmp_path):
    ledger = filled(tmp_path)
    with tampering(ledger) as connection:
        connection.execute("UPDATE rows SET facts = replace(facts, 'answer\"}', 'better\"}')")
        connection.execute("UPDATE rows SET facts = replace(facts, ':\"answer', ':\"better')")
    with pytest.raises(RefusedError, match="row 6, a look, was edited"):
        ledger.look(LOOK, never)


@pytest.mark.parametrize("content", [b"not a database" * 100, None])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    if content:
        path.write_bytes(content)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE mine (a)")
            connection.commit()
    ledger = sqlite_ledger(tmp_path)
    for act in (ledger.rows, lambda: ledger.record("fit", "c", "d", {})):
        with pytest.raises(RefusedError, match="ledger"):
            act()
    assert ledger.verify()
    if content:
        assert path.read_bytes() == content


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(RefusedError, match="cannot be opened"):
        sqlite_ledger(tmp_path).rows()


def test_a_newer_format_is_refused(tmp_path):
    ledger = filled(tmp_path)
    with contextlib.closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(RefusedError, match=r"format 1, got .* format 2"):
        ledger.rows()


def test_a_torn_file_is_found(tmp_path):
    ledger = filled(tmp_path)
    ledger.record("fit", "c", "d", {"text": "x" * 50_000})
    content = ledger.path.read_bytes()
    ledger.path.write_bytes(content[: len(content) // 2])
    assert ledger.verify()


# Several writers


def test_processes_write_one_chain_and_agree_on_one_answer(tmp_path):
    context = multiprocessing.get_context("spawn")
    path, names, n = tmp_path / "ledger.sqlite", ("p", "q", "r"), 8
    barrier = context.Barrier(len(names))
    workers = [context.Process(target=write, args=(path, m, n, LOOK, barrier)) for m in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    ledger = SqliteLedger(path, "reader", "git", then)
    assert ledger.verify() == ()
    rows = ledger.rows()
    assert sorted(r.config for r in rows if r.kind == "fit") == sorted(
        f"{m}{i}" for m in names for i in range(n)
    )
    for name in names:  # each writer's rows stand in its own order
        assert [r.config for r in rows if r.kind == "fit" and r.who == name] == [
            f"{name}{i}" for i in range(n)
        ]
    assert sum(r.kind == "look" for r in rows) == 1
    assert sum(r.kind == "repeat" for r in rows) == len(names) - 1
    assert len({(tmp_path / f"{m}.txt").read_text() for m in names}) == 1


def test_of_two_that_compute_the_same_look_the_first_to_write_is_right(tmp_path):
    """Both are inside `answer` at once, so no lock is held meanwhile; one answer stands."""
    ledger, barrier, got = sqlite_ledger(tmp_path), threading.Barrier(2), {}

    def look(name):
        def answer():
            barrier.wait(timeout=30)
            return f"answer of {name}"

        got[name] = ledger.look(LOOK, answer)

    threads = [threading.Thread(target=look, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got["a"] == got["b"] == ledger.look(LOOK, never)
    assert sorted(r.kind for r in ledger.rows()) == ["look", "repeat", "repeat"]
    assert ledger.verify() == ()


def test_writers_killed_at_any_moment_leave_one_whole_chain(tmp_path):
    """Three write at once and are killed one after the other, at moments that nobody chose."""
    context = multiprocessing.get_context("spawn")
    path, rng = tmp_path / "ledger.sqlite", np.random.default_rng(5)
    told = [tmp_path / f"told{i}" for i in range(3)]
    events = [context.Event() for _ in told]
    workers = [
        context.Process(target=write_until_killed, args=(path, event, where))
        for event, where in zip(events, told, strict=True)
    ]
    for worker in workers:
        worker.start()
    reader = SqliteLedger(path, "reader", "git", then)
    for event, worker in zip(events, workers, strict=True):
        assert event.wait(timeout=120)
        time.sleep(rng.uniform(0, 0.05))
        worker.kill()
        worker.join()
        assert reader.verify() == ()  # the others write on, and a journal of the dead is undone
    rows = reader.rows()
    assert len(rows) == reader.head().n_rows
    for i, where in enumerate(told):
        # What a writer was told is written stands there, in its order, and one more at the most.
        acknowledged = where.read_text().split()
        own = [r.config for r in rows if r.who == where.name]
        assert own[: len(acknowledged)] == acknowledged, i
        assert len(own) - len(acknowledged) in (0, 1)


def test_a_killed_writer_leaves_whole_rows(tmp_path):
    context = multiprocessing.get_context("spawn")
    path, ready = tmp_path / "ledger.sqlite", context.Event()
    worker = context.Process(target=write_until_killed, args=(path, ready, tmp_path / "told"))
    worker.start()
    assert ready.wait(timeout=60)
    worker.kill()
    worker.join()
    ledger = SqliteLedger(path, "next", "git", then)
    assert ledger.verify() == ()
    before = ledger.head().n_rows
    assert before >= 3
    ledger.record("fit", "c", "d", {})
    assert ledger.verify() == ()
    assert ledger.head().n_rows == before + 1
