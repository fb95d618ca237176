"""A side table on disk that only ever grows: vintages, scores, whatever is looked at again."""

from pathlib import Path

import numpy as np

from touchstone.arrays import Bool
from touchstone.data.side.table import TableConfig, read_table
from touchstone.data.side_file import reading
from touchstone.data.side_table import SideTable
from touchstone.files import lock, write_atomically


def learn(path: Path, seen: SideTable) -> int:
    """Add to a file what `seen` tells beyond it; how many rows were new.

    `seen` is what a source shows at a moment, which is its knowledge time: today's download of a
    series, a text's score by a new model. A figure that is as it was known already is no news and
    adds nothing; one that changed is a further row, known from now on. One process at a time; a
    crash leaves the old file or the new one. A study reads it by `{kind: table}`.

    Raises:
        DataError: other columns than the file's, or a moment before one that it holds already.
        SourceError: a file that is no such table.
    """
    with lock(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            save(path, seen)
            return len(seen)
        held = load(path)
        grown = held.append(seen.where(_news(held, seen)))
        if len(grown) > len(held):
            save(path, grown)
        return len(grown) - len(held)


def load(path: Path) -> SideTable:
    """The table of a file that `save` or `learn` wrote, or that carries the usual names.

    Raises:
        SourceError: no such file, or no such table.
    """
    with reading(path) as files:
        return read_table(TableConfig(path=str(path)), files.frame(), {})


def save(path: Path, table: SideTable) -> None:
    """Write a table as Parquet, whole or not at all."""
    import polars as pl  # noqa: PLC0415

    columns = {} if table.symbols is None else {"symbol": np.array(table.symbols)[table.subject]}
    frame = pl.DataFrame(
        {**columns, "event_time": table.event_time, "knowledge_time": table.knowledge_time}
    ).with_columns(pl.col("event_time", "knowledge_time").cast(pl.Datetime("ns", "UTC")))
    frame = frame.with_columns(
        pl.Series(name, column).fill_nan(None) for name, column in table.values.items()
    )
    write_atomically(path, frame.write_parquet)


def _news(held: SideTable, seen: SideTable) -> Bool:
    """Rows of `seen` whose figures are not those that `held` knows last of the event."""
    names = tuple(sorted({*(held.symbols or ("",)), *(seen.symbols or ("",))}))
    rows = np.concatenate([
        np.stack([_place(t, names), t.event_time], axis=1) for t in (held, seen)
    ])  # fmt: skip
    unique, event = np.unique(rows, axis=0, return_inverse=True)
    here, there = event[: len(held)], event[len(held) :]
    known = np.zeros(len(unique), bool)
    known[here] = True
    news = ~known[there]
    for name, column in seen.values.items():
        if name in held.values and len(held):
            told = np.flatnonzero(~np.isnan(held.values[name]))  # an empty cell takes nothing back
            last = np.full(len(unique), np.nan)
            last[here[told]] = held.values[name][told]  # held in the order of knowledge
            news |= ~np.isnan(column) & (column != last[there])
    return np.asarray(news, bool)


def _place(
    table: SideTable, names: tuple[str, ...]
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    there = {name: i for i, name in enumerate(names)}
    mine = np.array([there[s] for s in table.symbols or ("",)], np.int64)
    return np.asarray(mine[table.subject], np.int64)
