"""The ledger where the machine, or somebody clever, gets in its way: told, and never less."""

import contextlib
import os
import resource
import sqlite3

import pytest

from touchstone.errors import DataError, RefusedError
from touchstone.ledger import Candidate, Span
from touchstone.validation import ledger as ledgers
from touchstone.validation.ledger import SqliteLedger

SPAN = Span("market", ("BTC",), 0, 100)


@pytest.fixture
def ledger(tmp_path):
    book = SqliteLedger(tmp_path / "ledger.sqlite", "tester", "abc1234", lambda: "now")
    for i in range(30):
        book.sweep("data", f"study {i}", SPAN, (Candidate(f"candidate {i}", 0.1, 30),))
    return book


@contextlib.contextmanager
def files_up_to(size):
    """No file of this process grows beyond `size` bytes: what a full disk does to SQLite."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_whole_rows(ledger):
    before = ledger.head()
    with (
        files_up_to(os.path.getsize(ledger.path)),
        pytest.raises(DataError, match="could not be written or read"),
    ):
        ledger.record("fit", "c", "d", {"text": "x" * 50_000})
    assert (ledger.verify(), ledger.head()) == ((), before)
    ledger.record("fit", "c", "d", {"text": "x" * 50_000})
    assert ledger.verify(since=before) == ()


def test_a_ledger_that_another_process_holds_is_told(ledger, monkeypatch):
    monkeypatch.setattr(ledgers, "_BUSY_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for ask in (ledger.rows, ledger.verify, lambda: ledger.record("fit", "c", "d", {})):
            with pytest.raises(DataError, match="another process has held the ledger"):
                ask()
    assert ledger.verify() == ()


def test_rows_that_an_index_hides_are_missed(ledger):
    """The attack: an index without the sweeps, so that every question overlooks them."""
    assert len(ledger.candidates(SPAN)) == 30
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        (sound,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'by_kind'")
        connection.execute("DROP INDEX by_kind")
        connection.execute(f"{sound[0]} WHERE id > 25")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'by_kind'", sound)
    assert len(ledger.candidates(SPAN)) == 5  # the questions are deceived
    assert any("the file is damaged" in finding.problem for finding in ledger.verify())


def test_a_damaged_page_is_refused_and_found(ledger):
    content = bytearray(ledger.path.read_bytes())
    page = 4096
    for at in range(page, len(content), page):
        if content[at] == 10:  # a leaf of an index
            content[at : at + 100] = b"\xff" * 100
    ledger.path.write_bytes(content)
    with pytest.raises(RefusedError, match="malformed"):
        ledger.candidates(SPAN)
    assert "cannot be read" in ledger.verify()[0].problem


@pytest.mark.parametrize("kind", ["sweep", "look"])
def test_nothing_is_counted_from_a_row_that_was_edited(ledger, kind):
    ledger.record("fit", "c", "d", {})
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER no_update")
        connection.execute("UPDATE rows SET kind = ? WHERE kind = 'fit'", (kind,))
    with pytest.raises(RefusedError, match=f"row 31, a {kind}, was edited"):
        ledger.studies_that_looked(SPAN)
