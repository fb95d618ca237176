"""What a vendor said of the past before, and says now: an append-only log in SQLite."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.errors import SourceError
from touchstone.market import Bars
from touchstone.market.bars import FIELDS

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS revisions (
    timeframe TEXT NOT NULL, symbol TEXT NOT NULL, time INTEGER NOT NULL,
    old TEXT, new TEXT, fetched_at INTEGER NOT NULL,
    PRIMARY KEY (timeframe, symbol, time, fetched_at)
) STRICT;
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON revisions
BEGIN SELECT RAISE(ABORT, 'the log of revisions is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON revisions
BEGIN SELECT RAISE(ABORT, 'the log of revisions is append-only'); END;
"""


class Revision(NamedTuple):
    """One bar that changed after it had been stored."""

    timeframe: str
    symbol: str
    time: int
    """Start of the bar, ns UTC."""
    old: tuple[float, ...] | None
    """Open, high, low, close, volume as they were; None: there was no such bar."""
    new: tuple[float, ...] | None
    """As they are now; None: the vendor has withdrawn the bar."""
    fetched_at: int
    """When the vendor said so, ns UTC."""


class RevisionLog:
    """The log of one store. Rows are added, never changed; adding one again changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, revisions: Sequence[Revision]) -> int:
        """Add rows, flushed to disk before this returns; how many were news.

        What the newest row of its bar tells already is left out: a withdrawn bar that is found
        missing again, a command that was killed before the store had taken the new value.
        """
        if not revisions:
            return 0
        with self._open() as database, database:
            before = database.total_changes
            database.executemany(
                "INSERT OR IGNORE INTO revisions SELECT ?1, ?2, ?3, ?4, ?5, ?6 "
                "WHERE NOT EXISTS (SELECT 1 FROM (SELECT new FROM revisions "
                "WHERE timeframe = ?1 AND symbol = ?2 AND time = ?3 "
                "ORDER BY fetched_at DESC LIMIT 1) WHERE new IS ?5)",
                [(*r[:3], _text(r.old), _text(r.new), r.fetched_at) for r in revisions],
            )
            return database.total_changes - before

    def rows(self, symbol: str | None = None) -> list[Revision]:
        """All rows, or those of one symbol, in the order of their fetching."""
        if not self._path.exists():
            return []
        with self._open() as database:
            found = database.execute(
                "SELECT * FROM revisions WHERE ?1 IS NULL OR symbol = ?1 "
                "ORDER BY fetched_at, timeframe, symbol, time",
                (symbol,),
            ).fetchall()
        return [Revision(f, s, t, _values(o), _values(n), at) for f, s, t, o, n, at in found]

    def counts(self) -> dict[tuple[str, str], int]:
        """(timeframe, symbol) -> number of rows."""
        if not self._path.exists():
            return {}
        with self._open() as database:
            found = database.execute(
                "SELECT timeframe, symbol, count(*) FROM revisions GROUP BY 1, 2"
            ).fetchall()
        return {(timeframe, symbol): n for timeframe, symbol, n in found}

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=30)) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.executescript(_SCHEMA)
                yield database
        except sqlite3.DatabaseError as error:
            raise SourceError(f"{self._path}: no log of revisions: {error}") from None


def differences(
    old: Bars, new: Bars, spans: Sequence[tuple[int, int]], told: tuple[str, int]
) -> list[Revision]:
    """Where two tellings of the same time differ, by time.

    Args:
        old: bars at hand.
        new: bars that came.
        spans: [start, end) that the new ones cover: what is absent there is withdrawn. A bar
            after the old ones is new, not a revision.
        told: (timeframe, when the new ones were fetched).
    """
    if not len(old):
        return []
    was, now = _inside(old, spans), _inside(new, spans)
    now = now[(new.time[now] >= old.time[0]) & (new.time[now] <= old.time[-1])]
    time = np.union1d(old.time[was], new.time[now])
    one, two = _rows(old, was, time), _rows(new, now, time)
    # NaN stands for "no such bar", so that a bar differs from none
    differ = ~((one == two) | (np.isnan(one) & np.isnan(two))).all(axis=1)
    return [
        Revision(told[0], new.symbol, int(time[i]), _bar(one[i]), _bar(two[i]), told[1])
        for i in np.flatnonzero(differ)
    ]


def united(old: Bars, new: Bars, withdrawn: Sequence[int] = ()) -> Bars:
    """Bars of both, the new ones where both have one, less those withdrawn (bar starts)."""
    kept = ~np.isin(old.time, new.time) & ~np.isin(old.time, np.array(withdrawn, np.int64))
    time = np.r_[old.time[kept], new.time]
    order = np.argsort(time, kind="stable")
    columns = (np.r_[getattr(old, n)[kept], getattr(new, n)][order] for n in FIELDS)
    return Bars(new.symbol, time[order], *columns)


def _inside(bars: Bars, spans: Sequence[tuple[int, int]]) -> Int64:
    """Rows that lie in any of the spans, rising."""
    edges = [np.searchsorted(bars.time, span) for span in spans]
    return np.unique(np.concatenate([np.arange(a, b) for a, b in edges] or [np.arange(0)]))


def _rows(bars: Bars, rows: Int64, time: Int64) -> Float64:
    """Bars laid out on `time`, NaN where there is none, (n_times, 5)."""
    out = np.full((time.size, len(FIELDS)), np.nan)
    at = np.searchsorted(time, bars.time[rows])
    out[at] = np.stack([getattr(bars, name)[rows] for name in FIELDS], axis=1)
    return out


def _bar(values: Float64) -> tuple[float, ...] | None:
    return None if np.isnan(values).any() else tuple(values.tolist())


def _text(values: tuple[float, ...] | None) -> str | None:
    return None if values is None else json.dumps(values)


def _values(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else tuple(json.loads(text))
