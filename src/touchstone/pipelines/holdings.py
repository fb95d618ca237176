"""What a store holds: per instrument its bars, its plan, its revisions and hashes."""

from pathlib import Path
from typing import Any

import numpy as np

from touchstone.data import articles
from touchstone.data.downloads.plan import Plan, Planned
from touchstone.data.downloads.revisions import RevisionLog
from touchstone.data.dvc import dvc_hash
from touchstone.data.store import MANIFEST, BarStore, Row, hash_of
from touchstone.errors import SourceError
from touchstone.pipelines.downloading import PLAN, REVISIONS
from touchstone.pipelines.fetch_news import NEWS


def holdings(folder: Path, *, verify: bool = False) -> dict[str, Any]:
    """A store as JSON: `path`, `content`, `dvc`, `series`, `news`, `problems`.

    Args:
        folder: the store.
        verify: read every file and compare it with the manifest.

    Raises:
        SourceError: no store there.
    """
    if not any((folder / name).exists() for name in (MANIFEST, PLAN, NEWS)):
        raise SourceError(f"{folder}: no store there; touchstone data fetch begins one")
    store = BarStore(folder)
    rows = {(row.timeframe, row.symbol): row for row in store.rows()}
    chunks = _chunks(folder / PLAN)
    revised = RevisionLog(folder / REVISIONS).counts()
    series = [
        _series(key, rows.get(key), chunks.get(key, []), revised.get(key, 0))
        for key in sorted(rows.keys() | chunks.keys())
    ]
    return {
        "path": str(folder),
        "content": hash_of(rows.values()),
        "dvc": dvc_hash(folder),
        "series": series,
        "news": _news(folder / NEWS),
        "problems": list(store.verify()) if verify else None,
    }


def holdings_text(told: dict[str, Any]) -> str:
    """The same as lines for people."""
    lines = [f"{'symbol':<12} {'bars':>10}  {'first':<16}  {'last':<16}  {'chunks':<14} origin"]
    for one in told["series"]:
        chunks = one["chunks"]
        counts = f"{chunks['stored']} stored" + "".join(
            f", {chunks[s]} {s}" for s in ("done", "open", "failed") if chunks[s]
        )
        origin = " ".join(str(one[k]) for k in ("source", "feed", "adjustment") if one[k])
        first, last = ((one[k] or "-")[:16].replace("T", " ") for k in ("first", "last"))
        revised = f", {one['revisions']} revisions" if one["revisions"] else ""
        lines.append(
            f"{one['symbol']:<12} {one['bars']:>10,}  {first:<16}  {last:<16}  {counts:<14} "
            f"{one['timeframe']} {origin}{revised}"
        )
        lines += [f"  failed: {reason}" for reason in one["reasons"]]
    for symbol, n in sorted(told["news"].items()):
        lines.append(f"{symbol:<12} {n:>10,}  versions of articles")
    lines += [f"problem: {problem}" for problem in told["problems"] or ()]
    if told["problems"] == []:
        lines.append("every file is what the manifest says")
    dvc = f", DVC {told['dvc']}" if told["dvc"] else ""
    return "\n".join([*lines, f"{told['path']}: content {told['content'][:16]}{dvc}"])


def _chunks(path: Path) -> dict[tuple[str, str], list[Planned]]:
    if not path.is_file():
        return {}
    out: dict[tuple[str, str], list[Planned]] = {}
    plan = Plan(path, read_only=True)
    try:
        for chunk in plan.chunks():
            out.setdefault((chunk.timeframe, chunk.symbol), []).append(chunk)
    finally:
        plan.close()
    return out


def _series(
    key: tuple[str, str], row: Row | None, chunks: list[Planned], n_revisions: int
) -> dict[str, Any]:
    states = [chunk.state for chunk in chunks]
    return {
        "symbol": key[1],
        "timeframe": key[0],
        "bars": 0 if row is None else row.n_bars,
        "first": None if row is None else moment(row.first),
        "last": None if row is None else moment(row.last),
        "source": None if row is None else row.source,
        "feed": None if row is None else row.feed,
        "adjustment": None if row is None else row.adjustment,
        "fetched_at": None if row is None else moment(row.fetched_at),
        "chunks": {s: states.count(s) for s in ("stored", "done", "open", "failed")},
        "reasons": sorted({chunk.reason for chunk in chunks if chunk.reason}),
        "revisions": n_revisions,
        "file": None if row is None else row.file,
        "sha256": None if row is None else row.sha256,
        "content": None if row is None else row.content,
    }


def _news(folder: Path) -> dict[str, int]:
    out: dict[str, int] = {}
    for article in articles.read(folder):
        out[article.symbol] = out.get(article.symbol, 0) + 1
    return out


def moment(ns: int) -> str:
    """A time as in 2024-01-31T15:00:00Z.

    >>> moment(1_706_713_200_000_000_000)
    '2024-01-31T15:00:00Z'
    """
    return f"{np.datetime64(int(ns), 'ns').astype('datetime64[s]')}Z"
