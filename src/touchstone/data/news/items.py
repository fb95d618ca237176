"""News as vendors deliver it -> versions of items, each with the time from which it was known."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Int64
from touchstone.config import Config
from touchstone.data.faults import BadRowError, refuse
from touchstone.data.side_file import column_of, listed, moments, over, symbols, words
from touchstone.errors import SourceError

if TYPE_CHECKING:
    import polars as pl


_ROW: Final = "row of the file"
_MANY_MIDNIGHTS: Final = 0.01


class NewsColumns(Config):
    """Names of the columns, where they are not the usual ones."""

    id: str | None = None
    """The vendor's number of an item, the same for all its versions; `id` by itself. Without one
    an item is its publication time and text."""
    symbol: str | None = None
    """Instrument, or a list of them; `symbol` or `symbols` by itself."""
    created_at: str | None = None
    """Publication; `created_at` by itself."""
    updated_at: str | None = None
    """Publication of this version, where the item was edited; `updated_at` by itself."""
    fetched_at: str | None = None
    """When it was received here; `fetched_at` by itself."""
    headline: str | None = None
    """`headline` by itself."""
    summary: str | None = None
    """Follows the headline, where there is one; `summary` by itself."""
    text: str | None = None
    """One column for all that is scored, in place of headline and summary; `text` by itself."""


class Reading(NamedTuple):
    """How items are read."""

    columns: NewsColumns
    timezone: str | None
    delay_ns: int
    """From publication to a score that a decision can use."""
    known_from: Literal["published", "fetched"]
    midnight: Literal["date", "moment"]
    symbols: Collection[str] | None
    """Instruments asked about; None: the market, of which every item speaks."""
    renamed: Mapping[str, str] = {}
    """Former name of an instrument -> its name among those."""


class Items(NamedTuple):
    """Versions of items by subject, each subject's in the order in which they became known."""

    symbols: tuple[str, ...] | None
    """Subjects; None where the market is the only one."""
    offsets: Int64
    """Rows of subject i are offsets[i] .. offsets[i + 1] - 1."""
    item: Int64
    """Which item the version is of, 0 .. n_items - 1, (n_rows,)."""
    first: Bool
    """Whether it is the first version known of its item, (n_rows,)."""
    event_time: Int64
    """Publication of the item, as its first known version tells, ns UTC, (n_rows,)."""
    knowledge_time: Int64
    """From when on the version could be used, ns UTC, (n_rows,)."""
    texts: tuple[str, ...]
    findings: tuple[str, ...]
    """What was left out, and why."""


def read_items(frame: "pl.DataFrame", how: Reading) -> Items:
    """Rows of a file -> versions of items.

    A row is known `delay_ns` after its publication; an edited row, whose `updated_at` lies behind
    its `created_at`, after the edit: nobody could read the edited text before.

    Raises:
        SourceError: a column that is needed and absent, or no item left.
        BadRowError: a time that cannot be read.
    """
    import polars as pl  # noqa: PLC0415

    names = _names(frame, how)
    frame = frame.with_row_index(_ROW)
    if "symbol" in names and isinstance(frame[names["symbol"]].dtype, pl.List):
        frame = frame.explode(names["symbol"])
    text = _texts(frame, names)
    wanted, symbol, findings = _wanted(frame, names, text, how)
    frame, text, symbol = frame.filter(wanted), text.filter(wanted), symbol[wanted]
    try:
        created, dated = _published(frame[names["created_at"]], how)
        known = _known(frame, names, created, how)
    except BadRowError as error:
        raise BadRowError(int(frame[_ROW][error.row]), str(error)) from None
    subjects, subject = np.unique(symbol, return_inverse=True)
    item = _numbered(subject, created, text, frame[names["id"]] if "id" in names else None)
    # by content to the last, so that how rows lie in files moves no bit of a sum
    content = text.rank("dense").to_numpy()
    order = np.lexsort((content, item, created, known, subject))
    order = order[_told_once(*(c[order] for c in (content, item, created, known, subject)))]
    item, created, known = item[order], created[order], known[order]
    first = _firsts(item)
    published = np.empty(created.size, np.int64)
    published[item[first]] = created[first]  # by item
    return Items(
        None if how.symbols is None else tuple(str(s) for s in subjects),
        np.searchsorted(subject[order], np.arange(subjects.size + 1)).astype(np.int64),
        item,
        first,
        published[item],
        known,
        tuple(text[order.tolist()].to_list()),
        (*findings, *_dated(dated, how)),
    )


def _names(frame: "pl.DataFrame", how: Reading) -> dict[str, str]:
    found = {}
    for key in NewsColumns.model_fields:
        usual = ("symbol", "symbols") if key == "symbol" else (key,)
        name = column_of(frame, getattr(how.columns, key), usual, key)
        if name is not None:
            found[key] = name
    needed = {
        "created_at": "when each item was published",
        **({} if how.symbols is None else {"symbol": "which instrument it is about"}),
        **({"fetched_at": "when it was received"} if how.known_from == "fetched" else {}),
    }
    for key, meaning in needed.items():
        if key not in found:
            raise SourceError(
                f"no column {key} ({meaning}): state columns.{key}. It has {listed(frame.columns)}"
            )
    if not {"text", "headline"} & found.keys():
        raise SourceError(
            f"no column text or headline: state columns.text. It has {listed(frame.columns)}"
        )
    return found


def _texts(frame: "pl.DataFrame", names: dict[str, str]) -> "pl.Series":
    """What is scored, blanks and line breaks made one space, empty where there is nothing."""
    import polars as pl  # noqa: PLC0415

    keys = ("text",) if "text" in names else ("headline", "summary")
    parts = [words(frame[names[k]]).alias(k) for k in keys if k in names]
    joined = pl.concat_str(pl.all(), separator=" ").str.replace_all(r"\s+", " ")
    return pl.DataFrame(parts).select(joined.str.strip_chars().alias("text")).to_series()


def _wanted(
    frame: "pl.DataFrame", names: dict[str, str], text: "pl.Series", how: Reading
) -> tuple[Bool, "np.ndarray[tuple[int], np.dtype[np.str_]]", tuple[str, ...]]:
    """Rows that say something about a subject asked for, their subjects, and what was left out."""
    told = np.asarray((text != "").to_numpy(), bool)
    left = {"without a text": ~told}
    if how.symbols is None:
        symbol, asked = np.full(frame.height, "", np.str_), told
    else:
        column = symbols(frame[names["symbol"]], how.renamed)
        symbol = np.asarray(column.to_numpy(), np.str_)
        nobody = symbol == ""
        among = np.asarray(column.is_in(sorted(how.symbols)).to_numpy(), bool)
        left["without an instrument"] = told & nobody
        left["about instruments without bars"] = told & ~nobody & ~among
        asked = told & among
    counts = {what: int(rows.sum()) for what, rows in left.items() if rows.any()}
    counted = [f"{n:,} {'row' if n == 1 else 'rows'} {what}" for what, n in counts.items()]
    if not asked.any():
        raise SourceError(
            f"none of its {frame.height:,} rows is a text about an instrument with bars"
            f" ({', '.join(counted)})" + ": check its symbols, or write about: market"
        )
    return asked, symbol, tuple(f"left out: {text}." for text in counted)


def _known(frame: "pl.DataFrame", names: dict[str, str], created: Int64, how: Reading) -> Int64:
    """From when on each row could be used."""
    published = created
    if "updated_at" in names:
        updated = _times(frame[names["updated_at"]], created, how)
        published = np.maximum(created, updated)
    known = published + how.delay_ns
    if how.known_from == "fetched":
        column = frame[names["fetched_at"]]
        refuse(
            column.is_null().to_numpy(),
            lambda _: "fetched_at is empty",
            "write known_from: published, or take out what was not received live",
        )
        fetched, _ = _published(column, how)
        known = np.maximum(known, fetched + how.delay_ns)
    return known


def _published(column: "pl.Series", how: Reading) -> tuple[Int64, float]:
    """(times of publication, ns UTC; share of rows that hold a date, or look like one)."""
    told = moments(column, how.timezone)
    dated = told.midnight if how.midnight == "date" else told.bare
    return over(told, dated), float(told.midnight.mean())


def _dated(share: float, how: Reading) -> tuple[str, ...]:
    """What is to be said of items stamped 00:00:00; a few are so by chance."""
    if share <= _MANY_MIDNIGHTS:
        return ()
    taken = (
        "taken as dates, which count when they are over"
        if how.midnight == "date"
        else "taken at their word; dates were published later than that"
    )
    return (f"{100 * share:.0f} % of the items are stamped 00:00:00, {taken}.",)


def _times(column: "pl.Series", instead: Int64, how: Reading) -> Int64:
    """Times of a column, `instead` where it is empty."""
    there = np.asarray(column.is_not_null().to_numpy(), bool)
    out = instead.copy()
    if there.any():
        try:
            out[there] = _published(column.filter(there), how)[0]
        except BadRowError as error:
            raise BadRowError(int(np.flatnonzero(there)[error.row]), str(error)) from None
    return out


def _numbered(
    subject: Int64, created: Int64, text: "pl.Series", vendor: "pl.Series | None"
) -> Int64:
    """Items of each subject as 0 .. n_items - 1."""
    import polars as pl  # noqa: PLC0415

    keys = pl.DataFrame({"subject": subject, "created": created, "text": text})
    if vendor is not None:
        told = vendor.cast(pl.String)
        keys = keys.with_columns(vendor=told)
        # a row without a number is an item of its own time and text
        bare = pl.col("vendor").is_null()
        keys = keys.with_columns(
            created=pl.when(bare).then("created"), text=pl.when(bare).then("text")
        )
    return (
        np.asarray(keys.select(pl.struct(pl.all()).rank("dense")).to_series().to_numpy(), np.int64)
        - 1
    )


def _told_once(*columns: Int64) -> Bool:
    """Sorted rows that are not the row before once more, (n_rows,).

    Files overlap, and where all news is the market's an item stands once for each instrument.
    """
    again = np.ones(max(columns[0].size - 1, 0), bool)
    for column in columns:
        again &= column[1:] == column[:-1]
    return np.asarray(np.r_[True, ~again][: columns[0].size], bool)


def _firsts(item: Int64) -> Bool:
    first = np.zeros(item.size, bool)
    first[np.unique(item, return_index=True)[1]] = True
    return first
