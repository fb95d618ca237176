"""The Parquet store: bars of many instruments on disk, each version whole or not there.

    root/manifest.json                     the rows that readers trust, and nothing else
    root/1h/BTCUSDT.3f9ac2d401b7.parquet   one version of one instrument, named by its content

A write puts a new file beside the old one, flushes it, and only then replaces the manifest; the
old file goes last. Whoever is killed in between leaves the old version in force and at most a
stray file, which the next write to that instrument removes.
"""

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from touchstone.errors import DataError, SourceError, TooFewBarsError
from touchstone.files import lock, symbol_to_stem, write_bytes, write_text
from touchstone.market import Bars, Timeframe
from touchstone.market.bars import FIELDS

MANIFEST = "manifest.json"
_T = TypeVar("_T")
_VERSION = 1
_N_TRIES = 20  # reads that meet a version just replaced


class Row(NamedTuple):
    """One instrument of the store, as the manifest has it."""

    symbol: str
    timeframe: str
    file: str
    """Path below the store's root."""
    sha256: str
    """Of the file, 64 hex digits."""
    size: int
    """Bytes of the file."""
    n_bars: int
    first: int
    """Start of the first bar, ns UTC."""
    last: int
    """Start of the last bar, ns UTC."""
    source: str
    """Who printed the bars, as in alpaca or ccxt/binance."""
    adjustment: str
    """raw, split, dividend, or all (splits and dividends); never mixed inside one instrument."""
    fetched_at: int
    """When the newest bars were fetched, ns UTC."""
    feed: str = ""
    """Which of the vendor's feeds, as in sip; never mixed either."""
    content: str = ""
    """Of the bars themselves, whatever file holds them; empty in rows of older stores."""


class Origin(NamedTuple):
    """Where bars came from; belongs to every write."""

    source: str
    adjustment: str
    fetched_at: int
    """ns UTC; an argument, since a store asks no clock."""
    feed: str = ""


class BarStore:
    """Bars under one folder. Any number of processes may read while one of them writes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def rows(self) -> tuple[Row, ...]:
        """The manifest, by timeframe and symbol; empty for a folder that is no store yet.

        Raises:
            SourceError: a manifest that is not one.
        """
        return tuple(row for _, row in sorted(self._manifest().items()))

    def read(self, symbol: str, timeframe: Timeframe) -> Bars:
        """The bars in force, their file checked against the manifest's size and SHA-256.

        Raises:
            SourceError: the store has none, or the file is not what the manifest says.
        """
        for _ in range(_N_TRIES):
            row = self._row(symbol, timeframe)
            try:
                content = (self.root / row.file).read_bytes()
            except FileNotFoundError:
                continue  # replaced between the two reads: the manifest names another by now
            check(row, content)
            return _decoded(symbol, content)
        raise SourceError(
            f"{self.root}: the manifest names {row.file} for {symbol}, which is not there: "
            "restore it, or fetch the instrument again: the same command as before does"
        )

    def is_whole(self, row: Row) -> bool:
        """Whether a row's file is there, and is what the manifest says."""
        try:
            check(row, (self.root / row.file).read_bytes())
        except (SourceError, FileNotFoundError):
            return False
        return True

    def write(self, bars: Bars, timeframe: Timeframe, origin: Origin) -> Row:
        """Replace one instrument.

        Raises:
            TooFewBarsError: no bars.
        """
        with lock(self.root / ".lock"):
            return self._put(bars, timeframe, origin)

    def append(self, bars: Bars, timeframe: Timeframe, origin: Origin) -> Row:
        """Add bars after those at hand; where they overlap they must agree bit for bit.

        Raises:
            SourceError: the bars at hand are from another source or of another adjustment, a
                bar was revised, or the new bars begin before the old ones. Nothing is written.
        """
        with lock(self.root / ".lock"):
            if (timeframe.name, bars.symbol) not in self._manifest():
                return self._put(bars, timeframe, origin)
            row = self._row(bars.symbol, timeframe)
            refuse_mixture(row, origin)
            whole = _joined(self.read(bars.symbol, timeframe), bars)
            return self._put(whole, timeframe, origin)

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the content, one sentence each; empty if every row is as said.

        Reads every file: hash, number of bars, first and last time, and every law of `Bars`.
        """
        return tuple(text for row in self.rows() for text in self._wrong(row))

    def _wrong(self, row: Row) -> Iterator[str]:
        try:
            content = (self.root / row.file).read_bytes()
            check(row, content)
            bars = _decoded(row.symbol, content)
        except FileNotFoundError:
            yield (
                f"{row.file}: is not there: restore it, or fetch {row.symbol} again: the same "
                "command as before does"
            )
            return
        except (DataError, OSError) as error:
            yield str(error)
            return
        found = (len(bars), int(bars.time[0]), int(bars.time[-1]))
        if found != (row.n_bars, row.first, row.last):
            yield f"{row.file}: (bars, first, last) are {found}, the manifest's differ"

    def _row(self, symbol: str, timeframe: Timeframe) -> Row:
        manifest = self._manifest()
        if (timeframe.name, symbol) not in manifest:
            known = ", ".join(s for t, s in sorted(manifest) if t == timeframe.name) or "none"
            raise SourceError(
                f"{self.root}: no {timeframe.name} bars of {symbol!r}: the store has {known}"
            )
        return manifest[timeframe.name, symbol]

    def _manifest(self) -> dict[tuple[str, str], Row]:
        path = self.root / MANIFEST
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        try:
            content: dict[str, Any] = json.loads(text)
            if content["version"] != _VERSION:
                raise SourceError(
                    f"{path}: version {content['version']}, this program reads {_VERSION}"
                )
            rows = [Row(**row) for row in content["rows"]]
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(f"{path}: is no manifest of a store: {error!r}") from None
        return {(row.timeframe, row.symbol): row for row in rows}

    def _put(self, bars: Bars, timeframe: Timeframe, origin: Origin) -> Row:
        """New file, then the manifest, then away with the old one; the lock is held."""
        if not len(bars):
            raise TooFewBarsError(f"{bars.symbol}: no bars to write")
        stem, content = symbol_to_stem(bars.symbol), _encoded(bars)
        digest = hashlib.sha256(content).hexdigest()
        file = f"{timeframe.name}/{stem}.{digest[:12]}.parquet"
        first, last = int(bars.time[0]), int(bars.time[-1])
        row = Row(
            bars.symbol, timeframe.name, file, digest, len(content), len(bars), first, last,
            *origin, content=content_hash(bars),
        )  # fmt: skip
        manifest = self._manifest()
        write_bytes(self.root / file, content)
        manifest[timeframe.name, bars.symbol] = row
        rows = [r for _, r in sorted(manifest.items())]
        told = {"version": _VERSION, "content": hash_of(rows), "rows": [r._asdict() for r in rows]}
        text = json.dumps(told, indent=1)
        write_text(self.root / MANIFEST, text + "\n")
        for stray in (*self._strays(stem, self.root / file), *self.root.glob(f".{MANIFEST}.*.tmp")):
            stray.unlink(missing_ok=True)
        return row

    def _strays(self, stem: str, kept: Path) -> Iterator[Path]:
        """Older versions and halves of one instrument: while we hold the lock nobody writes."""
        version = re.compile(rf"\.?{re.escape(stem)}\.[0-9a-f]{{12}}\.parquet(\..*\.tmp)?")
        for path in kept.parent.iterdir():
            if path != kept and version.fullmatch(path.name):
                yield path


def steady(path: Path, attempt: Callable[[tuple[Row, ...]], _T]) -> _T:
    """What an attempt makes of a store's rows; again where a writer replaced a file meanwhile.

    Args:
        path: the store.
        attempt: reads the files that the rows name, and tells by itself of those it cannot read.

    Raises:
        DataError: as the attempt does, while nobody writes.
    """
    store = BarStore(path)
    for _ in range(_N_TRIES):
        rows = store.rows()
        try:
            made = attempt(rows)
        except DataError:
            if _stands(store, rows):
                raise
            continue
        if _stands(store, rows):
            return made
    # A writer that is quicker than we read is made to wait; where it writes we may lock.
    with lock(store.root / ".lock"):
        return attempt(store.rows())


def _stands(store: BarStore, rows: tuple[Row, ...]) -> bool:
    """Whether every file of the rows is still there, or is missing for good."""
    return all((store.root / r.file).is_file() for r in rows) or store.rows() == rows


def is_store(path: Path) -> bool:
    """Whether a folder's manifest lists bars; artifacts have manifests too."""
    try:
        told = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and {"version", "content", "rows"} <= told.keys()


def content_hash(bars: Bars) -> str:
    """SHA-256 of the columns, 64 hex digits: the same in every file format."""
    digest = hashlib.sha256()
    for name in ("time", *FIELDS):
        digest.update(np.ascontiguousarray(getattr(bars, name)).data)
    return digest.hexdigest()


def hash_of(rows: Iterable[Row]) -> str:
    """SHA-256 of a whole store: whose bars, of which origin, with which content; 64 hex digits."""
    named = sorted((r.timeframe, r.symbol, r.source, r.feed, r.adjustment, r.content) for r in rows)
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def refuse_mixture(row: Row, origin: Origin) -> None:
    """Bars that come to those at hand must be of the same origin.

    Raises:
        SourceError: another source, feed or adjustment.
    """
    for name in ("source", "feed", "adjustment"):
        has, comes = getattr(row, name), getattr(origin, name)
        if has != comes:
            raise SourceError(
                f"{row.symbol}: the store's bars have {name} {has!r}, these {comes!r}: never mix "
                "them: fetch into another store (--store)"
            )


def check(row: Row, content: bytes) -> None:
    """Content must be what the manifest says.

    Raises:
        SourceError: another size or hash.
    """
    if len(content) != row.size or hashlib.sha256(content).hexdigest() != row.sha256:
        raise SourceError(
            f"{row.file}: {len(content)} bytes that do not hash to what the manifest says "
            f"({row.size} bytes, sha256 {row.sha256[:12]}...): restore it, or fetch the instrument "
            "again: the same command as before does"
        )


def _joined(old: Bars, new: Bars) -> Bars:
    """Old bars, then those of the new ones that come after; the overlap must be the same."""
    symbol = old.symbol
    if new.time[0] < old.time[0]:
        raise SourceError(f"{symbol}: new bars begin before the old ones: write() all of them")
    both = np.isin(new.time, old.time)
    inside = new.time <= old.time[-1]
    if (inside & ~both).any():
        row = int((inside & ~both).argmax())
        raise SourceError(f"{symbol}: a bar at {_when(new, row)} is new where the past was known")
    at = np.searchsorted(old.time, new.time[both])
    for name in FIELDS:
        was, now = getattr(old, name)[at], getattr(new, name)[both]
        if (was != now).any():
            row = int((was != now).argmax())
            raise SourceError(
                f"{symbol}: {name} at {_when(new, row)} was {was[row]!r} and is {now[row]!r} now: "
                "a revision is never overwritten silently; write() the whole history to accept it"
            )
    columns = (np.r_[getattr(old, n), getattr(new, n)[~inside]] for n in ("time", *FIELDS))
    return Bars(symbol, *columns)


def _when(bars: Bars, row: int) -> str:
    return f"{np.datetime64(int(bars.time[row]), 'ns').astype('datetime64[s]')} UTC"


def _encoded(bars: Bars) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    time = pa.array(bars.time).cast(pa.timestamp("ns", tz="UTC"))
    table = pa.table({"timestamp": time, **{name: getattr(bars, name) for name in FIELDS}})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _decoded(symbol: str, content: bytes) -> Bars:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(io.BytesIO(content), use_threads=False)
        time = table["timestamp"].cast(pa.int64()).to_numpy()
        return Bars(symbol, time, *(table[name].to_numpy() for name in FIELDS))
    except (pa.ArrowException, KeyError) as error:
        raise SourceError(f"{symbol}: the store's file cannot be read: {error}") from None
