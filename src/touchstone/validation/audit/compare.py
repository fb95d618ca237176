"""The first thing that two traces disagree about among what both could know."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool
from touchstone.validation.audit.trace import Fact, Rows, Trace, Values

_SHOWN = 60


class Difference(NamedTuple):
    """One value that changed though nothing that it may know did."""

    stage: str
    column: str
    symbol: str
    """"" where it belongs to no one instrument."""
    time: int | None
    """Start of its bar, ns UTC; None for what is fitted or chosen."""
    known: int
    """When it was known, ns UTC."""
    old: str
    new: str


def first_difference(old: Trace, new: Trace, until: int) -> Difference | None:
    """The first difference, by stage, then by time, among all that was known by `until`.

    Values are compared exactly, a NaN agrees with a NaN alone, and a row that is there in one
    trace and not in the other is a difference too.

    Args:
        old: of the data as they are.
        new: of data that agree with them until `until` and not after.
        until: ns UTC.
    """
    for found in _differences(old, new, until):
        return found
    return None


def _differences(old: Trace, new: Trace, until: int) -> Iterator[Difference]:
    others = {rows.stage: rows for rows in new.rows}
    for rows in old.rows:
        found = _in_rows(rows.until(until), others.get(rows.stage), until)
        if found is not None:
            yield found
    facts = {(f.stage, f.name): f for f in new.facts}
    for fact in old.facts:
        if fact.known <= until:
            found = _in_fact(fact, facts.get((fact.stage, fact.name)))
            if found is not None:
                yield found


def _in_rows(old: Rows, other: Rows | None, until: int) -> Difference | None:
    if other is None:
        return None if not old.time.size else _row_gone(old, 0, "the whole stage is absent")
    new = other.until(until)
    if old.columns != new.columns:
        gone = sorted(set(old.columns) ^ set(new.columns)) or list(old.columns)
        return Difference(old.stage, gone[0], "", None, until, *_there(old.columns, gone[0]))
    if not (np.array_equal(old.time, new.time) and np.array_equal(old.symbol, new.symbol)):
        return _first_row(old, new)
    same = _same(old.values, new.values)
    if same.all():
        return None
    bad = np.flatnonzero(~same.all(axis=1))
    row = int(bad[np.lexsort((bad, old.time[bad]))[0]])
    column = int(np.flatnonzero(~same[row])[0])
    return Difference(
        old.stage,
        old.columns[column],
        str(old.symbol[row]),
        int(old.time[row]),
        int(old.known[row]),
        _number(old.values[row, column]),
        _number(new.values[row, column]),
    )


def _same(old: Values, new: Values) -> Bool:
    same = old == new
    if old.dtype.kind == "f":
        same |= np.isnan(old) & np.isnan(new)
    return np.asarray(same, np.bool_)


def _first_row(old: Rows, new: Rows) -> Difference:
    """The earliest row that one of the two has and the other has not, or not as often."""
    counts: dict[tuple[int, str], int] = {}
    for rows, step in ((old, 1), (new, -1)):
        for key in zip(rows.time.tolist(), rows.symbol.tolist(), strict=True):
            counts[key] = counts.get(key, 0) + step
    odd = sorted(key for key, n in counts.items() if n)
    if not odd:
        return _row_gone(old, 0, "the rows stand in another order")
    time, symbol = odd[0]
    held, lacks = ("there", "absent") if counts[odd[0]] > 0 else ("absent", "there")
    return Difference(old.stage, "row", symbol, time, time, held, lacks)


def _row_gone(rows: Rows, at: int, why: str) -> Difference:
    where = str(rows.symbol[at]), int(rows.time[at]), int(rows.known[at])
    return Difference(rows.stage, "row", *where, "there", why)


def _in_fact(old: Fact, new: Fact | None) -> Difference | None:
    if new is None:
        if old.optional:
            return None
        return Difference(
            old.stage, old.name, "", None, old.known, _text(old.value, None), "absent"
        )
    if old.value == new.value:
        return None
    told = _text(old.value, new.value), _text(new.value, old.value)
    return Difference(old.stage, old.name, "", None, old.known, *told)


def _there(columns: tuple[str, ...], name: str) -> tuple[str, str]:
    return ("there", "absent") if name in columns else ("absent", "there")


def _number(value: object) -> str:
    return repr(value.item()) if isinstance(value, np.generic) else repr(value)


def _text(value: str | bytes, beside: str | bytes | None) -> str:
    """A value for a person: what differs of a text, the hash of bytes."""
    if isinstance(value, bytes):
        return "sha256 " + hashlib.sha256(value).hexdigest()[:16]
    if len(value) <= _SHOWN or not isinstance(beside, str):
        return value[:_SHOWN]
    at = next((i for i, (a, b) in enumerate(zip(value, beside, strict=False)) if a != b), 0)
    begin = max(at - _SHOWN // 3, 0)
    return f"... {value[begin : begin + _SHOWN]} ..."
