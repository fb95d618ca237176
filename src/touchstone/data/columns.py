"""Which column of a file is which: what the config says, else the names that vendors use."""

import difflib
import re
from collections.abc import Sequence
from typing import Final

from touchstone.config import Config
from touchstone.errors import SourceError
from touchstone.market.bars import FIELDS

ALIASES: Final = {
    "time": (
        "timestamp datetime opentime starttime barstart timestart opentimestamp time date "
        "gmttime utctime timeutc dateutc unix unixtime unixtimestamp epoch ts t start begin "
        "index indexlevel0 unnamed0"
    ).split(),
    "open": "open o openprice first openbid bidopen midopen".split(),
    "high": "high h highprice max highbid bidhigh midhigh".split(),
    "low": "low l lowprice min lowbid bidlow midlow".split(),
    "close": "close c closeprice last closelast closebid bidclose midclose".split(),
    "volume": "volume vol v basevolume volumebase tickvolume tickvol volumetraded".split(),
    "symbol": "symbol instrument ticker sym".split(),
}
"""Names taken without asking, most telling first; case, spaces and punctuation do not matter."""

_REQUIRED: Final = ("time", *FIELDS)


class ColumnsConfig(Config):
    """Names of a file's columns; a name left out is found among those that vendors use."""

    time: str | None = None
    """Time of the bar: its start, or its end with `stamp: end`."""
    open: str | None = None
    """First price, quote currency."""
    high: str | None = None
    """Highest price."""
    low: str | None = None
    """Lowest price."""
    close: str | None = None
    """Last price."""
    volume: str | None = None
    """Units of the instrument traded."""
    symbol: str | None = None
    """Symbol, in a file that holds several instruments; else the file's name says it."""


def match(names: Sequence[str], columns: ColumnsConfig, with_volume: bool) -> dict[str, str]:
    """Field -> the file's own column name; "symbol" only where the file has one.

    Raises:
        SourceError: a stated column that is absent, a field that no column or more than one
            could be; names the nearest column and the key of the config.
    """
    found: dict[str, str] = {}
    for field in ALIASES:
        stated = getattr(columns, field)
        name = _stated(field, stated, names) if stated else _known(field, names)
        if name is not None:
            found[field] = name
    missing = [f for f in _REQUIRED if f not in found and (with_volume or f != "volume")]
    if missing:
        raise SourceError(
            _missing(missing[0], [n for n in names if n not in found.values()], names)
        )
    used = list(found.values())
    twice = next((n for n in used if used.count(n) > 1), None)
    if twice is not None:
        fields = " and ".join(f for f, n in found.items() if n == twice)
        raise SourceError(f"column {twice!r} cannot be {fields} at once: say which under columns:")
    return found


def _stated(field: str, stated: str, names: Sequence[str]) -> str:
    if stated in names:
        return stated
    near = difflib.get_close_matches(stated, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise SourceError(
        f"columns.{field} says {stated!r}, which is not in the file: {hint}It has {_list(names)}"
    )


def _known(field: str, names: Sequence[str]) -> str | None:
    """The column that an alias names; two spellings of the best alias are one too many."""
    plain = [_plain(n) for n in names]
    if (
        field == "time"
        and {"date", "time"} <= set(plain)
        and not {"timestamp", "datetime"} & set(plain)
    ):
        raise SourceError(
            "columns 'date' and 'time' share the time between them: join them into one column "
            "timestamp, or say which one is enough, as in columns: {time: date}"
        )
    for alias in ALIASES[field]:
        hits = [n for n, p in zip(names, plain, strict=True) if p == alias]
        if len(hits) > 1:
            raise SourceError(
                f"columns {_list(hits)} could both be the {field}: write columns: "
                f"{{{field}: {hits[0]}}} or {{{field}: {hits[1]}}}"
            )
        if hits:
            return hits[0]
    return None


def _missing(field: str, free: Sequence[str], names: Sequence[str]) -> str:
    if all(re.fullmatch(r"[\d.:TZ +-]+(_duplicated_\d+)?", n) for n in names):
        return (
            f"the first line holds values ({_list(names)}), not names of columns: add a first line "
            f"timestamp,open,high,low,close,volume"
        )
    near = _nearest(field, free)
    hint = f"Is it {near!r}? Then write columns: {{{field}: {near}}}. " if near else ""
    zero = "or set without_volume: true" if field == "volume" else f"or state columns.{field}"
    return f"no column is the {field}. {hint}It has {_list(names)}: rename one, {zero}"


def _nearest(field: str, free: Sequence[str]) -> str | None:
    by_plain = {_plain(n): n for n in free}
    for alias in (field, *ALIASES[field]):
        near = difflib.get_close_matches(alias, by_plain, n=1, cutoff=0.5)
        if near and len(alias) > 1:
            return by_plain[near[0]]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^\d+[.)]\s*", "", name.strip().lower()))


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(n) for n in names[:12])
    return f"{shown}, ... ({len(names)} columns)" if len(names) > 12 else shown
