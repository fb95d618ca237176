"""News as it was published: an append-only, bitemporal table of articles.

    news/<sha256, 16 digits>.parquet    some articles that one download found; never changed again

One row per article and symbol. An article that was edited is a further row with a later
`updated_at`; the first one stays. Columns: `COLUMNS`.
"""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from touchstone.errors import SourceError
from touchstone.files import write_bytes

COLUMNS: Final = (
    "id", "symbol", "created_at", "updated_at", "fetched_at", "headline", "summary", "source",
)  # fmt: skip


class Article(NamedTuple):
    """One version of an article, about one symbol."""

    id: str
    symbol: str
    created_at: int
    """When it was published first, ns UTC."""
    updated_at: int
    """When this version was published, ns UTC."""
    fetched_at: int
    """When we saw it, ns UTC."""
    headline: str
    summary: str
    source: str
    """Who wrote it, as the vendor says."""

    @property
    def version(self) -> tuple[str, str, int]:
        """What makes it another row."""
        return self.id, self.symbol, self.updated_at


def append(folder: Path, articles: Iterable[Article]) -> int:
    """Add the versions that are not there yet; how many were new. One process at a time."""
    for stray in folder.glob(".*.tmp"):  # of one that was killed
        stray.unlink(missing_ok=True)
    known = {a.version for a in read(folder)}
    new = {a.version: a for a in articles if a.version not in known}
    rows = sorted(new.values(), key=lambda a: (a.updated_at, a.id, a.symbol))
    if rows:
        content = _encoded(rows)
        write_bytes(folder / f"{hashlib.sha256(content).hexdigest()[:16]}.parquet", content)
    return len(rows)


def read(folder: Path) -> list[Article]:
    """Every version of every article, by time of publication.

    Raises:
        SourceError: a file that is no such table.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    out: list[Article] = []
    for path in sorted(folder.glob("*.parquet")) if folder.is_dir() else ():
        try:
            table = pq.read_table(path, columns=list(COLUMNS), use_threads=False)
            columns = [
                table[name].cast(pa.int64()).to_pylist()
                if name.endswith("_at")
                else table[name].to_pylist()
                for name in COLUMNS
            ]
        except (pa.ArrowException, KeyError, OSError) as error:
            raise SourceError(f"{path}: is no table of news: {error}") from None
        out += [Article(*row) for row in zip(*columns, strict=True)]
    return sorted(out, key=lambda a: (a.updated_at, a.id, a.symbol, a.fetched_at))


def _encoded(rows: list[Article]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = {}
    for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        if name.endswith("_at"):
            columns[name] = pa.array(values, pa.int64()).cast(pa.timestamp("ns", tz="UTC"))
        else:
            columns[name] = pa.array(values, pa.string())
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()
