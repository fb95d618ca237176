"""The plan of a download: which chunks of which instruments, and how far each one is. SQLite.

A page's content and the token of the next page are written in one transaction, flushed to disk:
whoever is killed goes on with the page after the last one kept, and none is kept twice. The
plan is scaffolding: without it the bars of the store stand, and are fetched and compared again.
"""

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from touchstone.data.vendors import Chunk
from touchstone.errors import SourceError

_FORMAT: Final = 1
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS series (
    timeframe TEXT NOT NULL, symbol TEXT NOT NULL, config TEXT NOT NULL,
    PRIMARY KEY (timeframe, symbol)
) STRICT;
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, timeframe TEXT NOT NULL, symbol TEXT NOT NULL,
    start INTEGER NOT NULL, until INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'stored', 'failed')),
    token TEXT, last INTEGER, n_pages INTEGER NOT NULL DEFAULT 0, n_rows INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS by_series ON chunks (timeframe, symbol, start);
CREATE TABLE IF NOT EXISTS pages (
    chunk INTEGER NOT NULL REFERENCES chunks (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    token TEXT, fetched_at INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (chunk, number)
) STRICT;
PRAGMA user_version = {_FORMAT};
"""
_COLUMNS: Final = "id, timeframe, symbol, start, until, state, token, last, n_pages, n_rows, reason"


class Planned(NamedTuple):
    """One chunk of the plan."""

    id: int
    timeframe: str
    symbol: str
    start: int
    end: int
    state: str
    """open; done: all pages are here; stored: its bars are in the store; failed."""
    token: str | None
    last: int | None
    """Start of the last bar kept so far, ns UTC."""
    n_pages: int
    n_rows: int
    reason: str
    """Why it failed."""

    @property
    def chunk(self) -> Chunk:
        """What to ask the vendor for."""
        return Chunk(self.symbol, self.start, self.end)


class Kept(NamedTuple):
    """A page as the plan keeps it."""

    content: bytes
    n_rows: int
    last: int | None
    """Start of the last bar of it, ns UTC; None where it has none."""
    token: str | None
    """Asks for the next page; None: the chunk is complete."""


class Plan:
    """One store's plan. One process at a time writes it (`files.lock`); any may read.

    Args:
        path: its file; made if absent.
        read_only: nothing is written, and nothing made: works in a folder that is not ours.

    Raises:
        SourceError: the file is no plan.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        if read_only:
            # where nobody can write there is no log of writes either
            still = "" if os.access(path.parent, os.W_OK) else "&immutable=1"
            address = f"{path.resolve().as_uri()}?mode=ro{still}"
            with self._told():
                self._database = sqlite3.connect(
                    address, timeout=30, isolation_level=None, uri=True
                )
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
            for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._database.execute(f"PRAGMA {setting}")
            found = self._database.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                self._database.executescript(_SCHEMA)
            elif found != _FORMAT:
                self._database.close()
                raise SourceError(f"{path}: a plan of format {found}, this program reads {_FORMAT}")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add(self, timeframe: str, chunks: Iterable[Chunk]) -> None:
        """Take up chunks."""
        with self._writing() as database:
            database.executemany(
                "INSERT INTO chunks (timeframe, symbol, start, until) VALUES (?, ?, ?, ?)",
                [(timeframe, *chunk) for chunk in chunks],
            )

    def remember(self, timeframe: str, symbol: str, config: str) -> None:
        """The config (JSON) that an instrument is fetched with, for later updates."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO series VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET config = excluded.config",
                (timeframe, symbol, config),
            )

    def series(self) -> list[tuple[str, str, str]]:
        """(timeframe, symbol, config) of every instrument that was ever asked for."""
        rows = self._database.execute("SELECT * FROM series ORDER BY timeframe, symbol")
        return [(str(t), str(s), str(c)) for t, s, c in rows]

    def config(self, timeframe: str, symbol: str) -> str | None:
        """The config (JSON) that an instrument was fetched with last."""
        found = self._database.execute(
            "SELECT config FROM series WHERE timeframe = ? AND symbol = ?", (timeframe, symbol)
        ).fetchone()
        return None if found is None else str(found[0])

    def chunks(self, timeframe: str | None = None, symbol: str | None = None) -> list[Planned]:
        """Chunks by instrument and time; all of them, or of a timeframe, or of one symbol."""
        with self._told():
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM chunks WHERE (?1 IS NULL OR timeframe = ?1) "
                "AND (?2 IS NULL OR symbol = ?2) ORDER BY timeframe, symbol, start, id",
                (timeframe, symbol),
            )
            return [Planned(*row) for row in rows]

    def reopen(self, timeframe: str, symbols: Iterable[str]) -> None:
        """What failed before is tried again, from the last page that was kept."""
        with self._writing() as database:
            database.executemany(
                "UPDATE chunks SET state = 'open', reason = '' "
                "WHERE state = 'failed' AND timeframe = ? AND symbol = ?",
                [(timeframe, symbol) for symbol in symbols],
            )

    def keep(self, chunk: Planned, page: Kept, now: int) -> Planned:
        """Keep a page together with the token of the next one; the chunk as it is now.

        Args:
            chunk: as it was when the page was asked for.
            page: what came.
            now: when it came, ns UTC.
        """
        state = "done" if page.token is None else "open"
        last = chunk.last if page.last is None else page.last
        n_pages, n_rows = chunk.n_pages + 1, chunk.n_rows + page.n_rows
        with self._writing() as database:
            database.execute(
                "INSERT INTO pages VALUES (?, ?, ?, ?, ?)",
                (chunk.id, chunk.n_pages, chunk.token, now, page.content),
            )
            database.execute(
                "UPDATE chunks SET state = ?, token = ?, last = ?, n_pages = ?, n_rows = ? "
                "WHERE id = ?",
                (state, page.token, last, n_pages, n_rows, chunk.id),
            )
        return chunk._replace(
            state=state, token=page.token, last=last, n_pages=n_pages, n_rows=n_rows
        )

    def fail(self, chunk: Planned, reason: str, *, afresh: bool) -> None:
        """A chunk cannot be had; `afresh` gives up its pages, since their sender lied."""
        with self._writing() as database:
            database.execute(
                "UPDATE chunks SET state = 'failed', reason = ? WHERE id = ?", (reason, chunk.id)
            )
        if afresh:
            self.restart([chunk.id], state="failed")

    def restart(self, ids: Iterable[int], state: str = "open") -> None:
        """Give up the pages of chunks, which begin again from their first one."""
        with self._writing() as database:
            for one in ids:
                database.execute("DELETE FROM pages WHERE chunk = ?", (one,))
                database.execute(
                    "UPDATE chunks SET token = NULL, last = NULL, n_pages = 0, n_rows = 0, "
                    "state = ? WHERE id = ?",
                    (state, one),
                )

    def tokens(self, chunk: Planned) -> set[str]:
        """Tokens that a chunk's pages were asked for with, the next one included."""
        rows = self._database.execute("SELECT token FROM pages WHERE chunk = ?", (chunk.id,))
        return {t for (t,) in rows if t is not None} | ({chunk.token} if chunk.token else set())

    def pages(self, chunk: Planned) -> list[tuple[int, bytes]]:
        """(fetched at, content) of a chunk's pages, in their order."""
        rows = self._database.execute(
            "SELECT fetched_at, content FROM pages WHERE chunk = ? ORDER BY number", (chunk.id,)
        )
        return [(int(at), bytes(content)) for at, content in rows]

    def oldest_page(self, timeframe: str, symbol: str) -> int | None:
        """When the oldest page that is not stored yet was fetched, ns UTC."""
        found = self._database.execute(
            "SELECT min(fetched_at) FROM pages JOIN chunks ON chunk = id "
            "WHERE timeframe = ? AND symbol = ?",
            (timeframe, symbol),
        ).fetchone()[0]
        return None if found is None else int(found)

    def stored(self, chunks: list[Planned]) -> None:
        """The chunks' rows are in the store: their pages go, and neighbours become one chunk."""
        with self._writing() as database:
            for chunk in chunks:
                database.execute("DELETE FROM pages WHERE chunk = ?", (chunk.id,))
                database.execute("UPDATE chunks SET state = 'stored' WHERE id = ?", (chunk.id,))
            for timeframe, symbol in sorted({(c.timeframe, c.symbol) for c in chunks}):
                self._coalesce(timeframe, symbol)

    def replace(self, timeframe: str, symbol: str, chunks: Iterable[Chunk]) -> None:
        """Forget everything about an instrument but its config, and fetch these instead."""
        with self._writing() as database:
            database.execute(
                "DELETE FROM chunks WHERE timeframe = ? AND symbol = ?", (timeframe, symbol)
            )
            database.executemany(
                "INSERT INTO chunks (timeframe, symbol, start, until) VALUES (?, ?, ?, ?)",
                [(timeframe, *chunk) for chunk in chunks],
            )

    def _coalesce(self, timeframe: str, symbol: str) -> None:
        """Stored chunks that touch become one: an hourly update must not grow the plan."""
        before: Planned | None = None
        for chunk in self.chunks(timeframe, symbol):
            if chunk.state != "stored":
                continue
            if before is None or chunk.start > before.end:
                before = chunk
                continue
            before = before._replace(end=max(before.end, chunk.end))
            self._database.execute("DELETE FROM chunks WHERE id = ?", (chunk.id,))
            self._database.execute(
                "UPDATE chunks SET until = ?, n_rows = n_rows + ?, n_pages = n_pages + ? "
                "WHERE id = ?",
                (before.end, chunk.n_rows, chunk.n_pages, before.id),
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk when it is left."""
        with self._told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise SourceError(
                f"{self._path}: cannot be used as the plan of a download ({error}): remove it, "
                "if it is damaged: the stored bars stand, and fetch begins a new one"
            ) from None


def missing(start: int, end: int, known: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of [start, end) that no known span covers, in order.

    >>> missing(0, 10, [(2, 3), (5, 8)])
    [(0, 2), (3, 5), (8, 10)]
    """
    out: list[tuple[int, int]] = []
    for left, right in sorted(k for k in known if k[0] < k[1]):
        if left > start:
            out.append((start, min(left, end)))
        start = max(start, right)
        if start >= end:
            break
    if start < end:
        out.append((start, end))
    return [(a, b) for a, b in out if a < b]


def cut(symbol: str, start: int, end: int, span: int) -> list[Chunk]:
    """[start, end) in chunks that begin at whole multiples of `span`, so that plans agree."""
    edges = [start, *range((start // span + 1) * span, end, span), end]
    return [Chunk(symbol, a, b) for a, b in itertools.pairwise(edges) if a < b]
