"""The chain that ties the ledger's rows together: each row's hash holds the one before it."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from touchstone.errors import RefusedError

GENESIS: Final = "0" * 64
"""What stands before the first row."""


class Row(NamedTuple):
    """One line of the ledger."""

    id: int
    """1, 2, 3, ... without a hole."""
    kind: str
    """`fit`, `backtest`, `sweep`, `look`, `repeat`, `failed_look`, ..."""
    config: str
    """Fingerprint of what was tried; for a sweep, of the study that compared."""
    data: str
    """Hash of the data."""
    facts: str
    """JSON text."""
    who: str
    git: str
    at: str
    """When it was written, as the injected clock said."""
    previous: str
    """Hash of the row before; 64 zeros for the first."""
    hash: str
    """SHA-256 of `previous` and of the canonical JSON of all columns before it."""


class Head(NamedTuple):
    """How long the ledger is and how it ends."""

    n_rows: int
    hash: str


class Finding(NamedTuple):
    """Something about the ledger that its own code did not write."""

    row: int
    """The row's number; 0 for the ledger as a whole."""
    problem: str


def findings(rows: tuple[Row, ...], heads: tuple[Head, ...]) -> list[Finding]:
    """Every row that was edited, moved, inserted or deleted, and a head that says otherwise."""
    return _chain_findings(rows) + _head_findings(rows, heads)


def hash_of(row: Row) -> str:
    """The hash that a row should carry."""
    return hashlib.sha256((row.previous + canonical(row[:-2])).encode()).hexdigest()


def canonical(value: object) -> str:
    """The one JSON text of a value: keys sorted, no spaces, ASCII, what is not finite null.

    Raises:
        RefusedError: something that JSON cannot hold.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def _plain(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, str | int):
        return value
    raise RefusedError(
        f"the ledger keeps JSON, got {type(value).__name__} {value!r}: give its text or its number"
    )


def _chain_findings(rows: tuple[Row, ...]) -> list[Finding]:
    findings: list[Finding] = []
    expected, previous = 1, GENESIS
    for row in rows:
        if row.id != expected:
            findings.append(Finding(expected, f"rows {expected} to {row.id - 1} are gone"))
        elif row.previous != previous:
            findings.append(Finding(row.id, "does not follow the row before it"))
        if row.hash != hash_of(row):
            findings.append(Finding(row.id, "was edited after it was written"))
        expected, previous = row.id + 1, row.hash
    return findings


def _head_findings(rows: tuple[Row, ...], heads: tuple[Head, ...]) -> list[Finding]:
    if len(heads) != 1:
        return [Finding(0, f"needs one head record, got {len(heads)}")]
    last = Head(rows[-1].id, rows[-1].hash) if rows else Head(0, GENESIS)
    if heads[0].n_rows > last.n_rows:
        gone = f"rows {last.n_rows + 1} to {heads[0].n_rows} are gone from the end"
        return [Finding(last.n_rows + 1, gone)]
    if heads[0] != last:
        return [Finding(0, f"its head record says {heads[0].n_rows} rows, it has {last.n_rows}")]
    return []
