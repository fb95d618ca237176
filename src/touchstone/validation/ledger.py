"""The trial ledger in SQLite: append-only, hash-chained, written by many processes at once.

Every row carries the hash of the one before it, and a head record carries the number of rows and
the last hash, so an edited, deleted or inserted row and a cut tail are found by `verify`. Whoever
rewrites the whole file, hashes included, is found only by a head kept elsewhere: reports print it.
"""

import contextlib
import functools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from touchstone.errors import DataError, RefusedError, TouchstoneError
from touchstone.ledger import (
    Candidate,
    Look,
    Span,
    look_facts,
    refuse_counted,
    span_facts,
    span_of,
)
from touchstone.validation.chain import (
    GENESIS,
    Finding,
    Head,
    Row,
    canonical,
    findings,
    hash_of,
)

_APPLICATION: Final = 0x70757374
_FORMAT: Final = 1
_BUSY_SECONDS: Final = 120.0
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_DISK: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY")

_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS rows (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, config TEXT NOT NULL, data TEXT NOT NULL,
    facts TEXT NOT NULL, who TEXT NOT NULL, git TEXT NOT NULL, at TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_kind ON rows (kind);
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1), n_rows INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON rows
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON rows
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
INSERT OR IGNORE INTO head VALUES (1, 0, '{GENESIS}');
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
"""


_SELECT: Final = f"SELECT {', '.join(Row._fields)} FROM rows"


class SqliteLedger:
    """The ledger of a workspace: one SQLite file, kept for good.

    A connection lives as long as one call, so the ledger may be handed to threads and to other
    processes. A write is one immediate transaction, flushed to disk before it returns.

    Args:
        path: the file; made with its folder at the first use.
        who: who is running this, as it will stand in every row.
        git: the commit of the code, or what is known of it.
        now: the clock: what to write as the time of a row.

    Raises:
        RefusedError: at first use, where the file is not a ledger of this format.
    """

    def __init__(self, path: Path, who: str, git: str, now: Callable[[], str]) -> None:
        self.path = path
        self._who = who
        self._git = git
        self._now = now

    def record(self, kind: str, config: str, data: str, facts: Mapping[str, object]) -> None:
        """Append one row. In `facts`, numbers that are not finite become null.

        Raises:
            RefusedError: facts that JSON cannot hold, or a kind that only the ledger itself writes.
        """
        refuse_counted(kind, str(self.path))
        self._append(kind, config, data, facts)

    def written(self, kind: str, config: str) -> tuple[Mapping[str, Any], ...]:
        """The facts of every row of a kind about a config, oldest first.

        Raises:
            RefusedError: one of them is not as it was written.
        """
        rows = self._of_kind(kind)
        return tuple(json.loads(row.facts) for row in rows if row.config == config)

    def sweep(self, data: str, study: str, span: Span, candidates: tuple[Candidate, ...]) -> None:
        """Append one row that holds every candidate of a comparison with its score."""
        facts = {"span": span_facts(span), "candidates": [c._asdict() for c in candidates]}
        self._append("sweep", study, data, facts)

    def candidates(self, span: Span) -> tuple[Candidate, ...]:
        """Distinct candidates whose span overlaps, in order of first appearance.

        Of a fingerprint that was scored more than once the newest score stands.

        Raises:
            RefusedError: a comparison is not as it was written.
        """
        kept: dict[str, Candidate] = {}
        for row in self._of_kind("sweep"):
            facts = json.loads(row.facts)
            if span_of(facts["span"]).overlaps(span):
                found = (Candidate(**c) for c in facts["candidates"])
                kept.update({c.fingerprint: c for c in found})
        return tuple(kept.values())

    def look(self, look: Look, answer: Callable[[], str]) -> str:
        """Answer a look at sealed rows: computed once, ever after from the record.

        `answer` runs without a lock. Of two processes that look the same look at once, the one
        that writes first is right: the other drops what it computed and gives the written answer.
        Where `answer` raises, nothing was shown: a `failed_look` is written, which counts as none.
        While `answer` runs this study is not yet among `studies_that_looked`.

        Raises:
            RefusedError: the recorded answer is not what was once written.
        """
        known = self._repeat(look)
        if known is not None:
            return known
        try:
            computed = answer()
        except BaseException as error:
            facts = {"look": look_facts(look), "error": type(error).__name__}
            self._append("failed_look", look.study, look.data, facts)
            raise
        facts = {"look": look_facts(look), "answer": computed}
        with self._transaction() as connection:
            if self._answer(connection, look) is None:
                self._insert(connection, ("look", look.study, look.data, canonical(facts)))
                return computed
        return self._repeat(look) or computed

    def studies_that_looked(self, span: Span) -> frozenset[str]:
        """Each look and each comparison whose rows overlap the span, as `study data`.

        Raises:
            RefusedError: one of them is not as it was written.
        """
        found = set()
        for kind in ("look", "sweep"):
            for row in self._of_kind(kind):
                facts = json.loads(row.facts)
                seen = facts["look"]["span"] if kind == "look" else facts["span"]
                if span_of(seen).overlaps(span):
                    found.add(f"{row.config} {row.data}")
        return frozenset(found)

    def rows(self) -> tuple[Row, ...]:
        """Every row, oldest first, for display."""
        with self._connection() as connection:
            return _rows(connection)

    def head(self) -> Head:
        """What a report prints, so that a later `verify(since=...)` finds a rewritten ledger."""
        with self._connection() as connection:
            found = connection.execute("SELECT n_rows, hash FROM head").fetchone()
        if found is None:
            raise RefusedError(f"{self.path}: its head record is gone: the ledger was edited")
        return Head(*found)

    def verify(self, since: Head | None = None) -> tuple[Finding, ...]:
        """Everything that is not as it was written; nothing for a sound ledger.

        Args:
            since: a head printed by an earlier report: the ledger must have grown from it.
        """
        try:
            with self._connection() as connection:
                connection.execute("BEGIN")  # rows and head of one moment
                # An index that leaves rows out hides them from every question but not from here.
                whole = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
                rows = _rows(connection)
                heads = connection.execute("SELECT n_rows, hash FROM head").fetchall()
                strange = _shape(connection) ^ _sound_shape()
        except (sqlite3.Error, RefusedError) as error:
            return (Finding(0, f"cannot be read: {error}"),)
        found = findings(rows, tuple(Head(*head) for head in heads))
        found += [Finding(0, f"the file is damaged: {said}") for said in whole if said != "ok"]
        names = ", ".join(sorted({name for _, name, _ in strange}))
        if strange:
            found.append(Finding(0, f"tables or triggers are not a ledger's: {names}"))
        if since is not None and since.n_rows > 0:
            then = next((row.hash for row in rows if row.id == since.n_rows), None)
            if then != since.hash:
                problem = f"does not grow from the head of {since.n_rows} rows, {since.hash[:12]}"
                found.append(Finding(since.n_rows, problem))
        return tuple(found)

    def _repeat(self, look: Look) -> str | None:
        """The recorded answer, its use logged; None where this look was never answered."""
        with self._transaction() as connection:
            known = self._answer(connection, look)
            if known is not None:
                facts = {"look": look_facts(look)}
                self._insert(connection, ("repeat", look.study, look.data, canonical(facts)))
        return known

    def _answer(self, connection: sqlite3.Connection, look: Look) -> str | None:
        query = f"{_SELECT} WHERE kind = 'look' AND config = ? AND data = ?"
        for values in connection.execute(query, (look.study, look.data)):
            row = Row(*values)
            self._check(row)
            facts = json.loads(row.facts)
            if facts["look"] == look_facts(look):
                return str(facts["answer"])
        return None

    def _check(self, row: Row) -> None:
        if row.hash != hash_of(row):
            raise RefusedError(
                f"{self.path}: row {row.id}, a {row.kind}, was edited after it was written, so "
                f"nothing can be answered from it. `touchstone ledger verify` lists every such "
                f"row; restore the ledger from a copy."
            )

    def _append(self, kind: str, config: str, data: str, facts: Mapping[str, object]) -> None:
        text = canonical(facts)
        with self._transaction() as connection:
            self._insert(connection, (kind, config, data, text))

    def _insert(self, connection: sqlite3.Connection, said: tuple[str, str, str, str]) -> None:
        """Chain one row to the head; the caller holds the write lock."""
        head = connection.execute("SELECT n_rows, hash FROM head").fetchone()
        if head is None:
            raise RefusedError(f"{self.path}: its head record is gone: the ledger was edited")
        # The head, not the last row there is: after a cut the hole stays visible for ever.
        n_rows, previous = head
        row = Row(n_rows + 1, *said, self._who, self._git, self._now(), previous, "")
        row = row._replace(hash=hash_of(row))
        try:
            connection.execute("INSERT INTO rows VALUES (?,?,?,?,?,?,?,?,?,?)", row)
        except sqlite3.IntegrityError as error:
            raise RefusedError(
                f"{self.path}: row {row.id} is already there, so its head record was edited "
                f"({error}). Restore the ledger from a copy."
            ) from None
        connection.execute("UPDATE head SET n_rows = ?, hash = ?", (row.id, row.hash))

    def _of_kind(self, kind: str) -> list[Row]:
        """Rows of a kind, oldest first, each as it was written."""
        with self._connection() as connection:
            query = f"{_SELECT} WHERE kind = ? ORDER BY id"
            rows = [Row(*values) for values in connection.execute(query, (kind,))]
        for row in rows:
            self._check(row)
        return rows

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has rolled it back by itself
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            with contextlib.closing(connection):
                self._prepare(connection)
                yield connection
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        found = _identity(connection)
        if found == (0, 0):
            _make(connection)
            found = _identity(connection)
        if found != (_APPLICATION, _FORMAT):
            raise RefusedError(
                f"{self.path}: needs a ledger of format {_FORMAT}, got application {found[0]}, "
                f"format {found[1]}. Choose another file with --ledger."
            )

    def _unusable(self, error: sqlite3.Error) -> TouchstoneError:
        """What SQLite said, for a person: the disk and other processes are not the ledger."""
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(_BUSY):
            return DataError(
                f"{self.path}: another process has held the ledger for {_BUSY_SECONDS:g} seconds "
                f"({error}): wait for it, then repeat the command"
            )
        if name.startswith(_DISK):
            return DataError(
                f"{self.path}: the ledger could not be written or read ({error}). Every row in it "
                f"is whole; see to the disk's space and the folder's rights, then repeat the "
                f"command"
            )
        return RefusedError(f"{self.path}: cannot be opened as a ledger: {error}")


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    names = ("application_id", "user_version")
    first, second = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int(first), int(second)


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables, once: whoever comes second finds them made."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if _identity(connection) == (0, 0) and tables == 0:
            for statement in _statements(_SCHEMA):
                connection.execute(statement)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """A script's statements: `executescript` would commit before each, and lose the lock."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _rows(connection: sqlite3.Connection) -> tuple[Row, ...]:
    return tuple(Row(*values) for values in connection.execute(f"{_SELECT} ORDER BY id"))


def _shape(connection: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    """Every table, index and trigger: (type, name, SQL)."""
    found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return frozenset(found.fetchall())


@functools.cache
def _sound_shape() -> frozenset[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _make(connection)
        return _shape(connection)
