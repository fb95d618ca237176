"""Is the ledger whole? What must stand beside what, in its rows and in the runs made with it.

The chain of hashes proves that what stands there is as it was written. That nothing is missing
shows only in what refers to each other: a look to the comparison before it, a finished run to the
head it printed, an artifact to its candidate. Pure: rows and claims in, findings out.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from touchstone.validation.chain import GENESIS, Finding, Head, Row


class Told(NamedTuple):
    """What a finished run, or an artifact on a shelf, says about the ledger."""

    name: str
    """As a person knows it."""
    study: str
    """Fingerprint of its study."""
    data: str
    """Hash of its data."""
    head: Head | None = None
    """The ledger's head when it was made; None for an artifact alone."""
    result: str | None = None
    """SHA-256 of its result.json."""
    candidate: str | None = None
    """Fingerprint of its artifact's candidate; None without an artifact."""
    artifact: str | None = None
    """Identity of its artifact."""


def gaps(rows: tuple[Row, ...], told: Iterable[Told] = ()) -> list[Finding]:
    """Everything that refers to something that is not there.

    Args:
        rows: of a ledger whose chain is sound.
        told: finished runs and artifacts that were made with it.
    """
    written = _Written(rows)
    found = [Finding(row.id, problem) for row in rows for problem in written.missing_for(row)]
    for one in told:
        found += [Finding(0, f"{one.name}: {problem}") for problem in written.missing_of(one)]
    return found


class _Written:
    """Where each thing that others refer to was first written."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.hashes = {0: GENESIS} | {row.id: row.hash for row in rows}
        self.sweeps: dict[tuple[str, str], int] = {}
        self.looks: dict[str, int] = {}
        self.runs: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
        self.candidates: set[tuple[str, str, str]] = set()
        for row in rows:
            facts, noun = json.loads(row.facts), (row.config, row.data)
            if row.kind == "sweep":
                self.sweeps.setdefault(noun, row.id)
                self.candidates |= {(*noun, c["fingerprint"]) for c in facts["candidates"]}
            elif row.kind == "look":
                self.looks.setdefault(_text(facts["look"]), row.id)
            elif row.kind == "run":
                self.runs.setdefault(noun, []).append((row.id, facts))

    def missing_for(self, row: Row) -> list[str]:
        """What a row needs before it and has not."""
        noun = (row.config, row.data)
        if row.kind in ("look", "failed_look") and not self.sweeps.get(noun, row.id) < row.id:
            return [f"a {row.kind} without a comparison of candidates before it"]
        if row.kind == "repeat":
            first = self.looks.get(_text(json.loads(row.facts)["look"]), row.id)
            return [] if first < row.id else ["repeats a look that stands nowhere before it"]
        if row.kind == "run" and not self.sweeps.get(noun, row.id) < row.id:
            return ["a finished run without a comparison of candidates before it"]
        if row.kind == "promotion" and json.loads(row.facts).get("act") == "promoted":
            runs = [i for i, _ in self.runs.get(noun, []) if i < row.id]
            return [] if runs else ["a promotion of a run that stands nowhere before it"]
        return []

    def missing_of(self, one: Told) -> list[str]:
        """What a run or an artifact says is here and is not."""
        found, noun = [], (one.study, one.data)
        runs = [facts for _, facts in self.runs.get(noun, [])]
        if one.head is not None and self.hashes.get(one.head.n_rows) != one.head.hash:
            found.append(
                f"its head of {one.head.n_rows} rows, {one.head.hash[:12]}, is not of this ledger: "
                "rows were cut off or rewritten since, or it was made with another --ledger"
            )
        if one.result is not None and one.result not in {r.get("result") for r in runs}:
            found.append("its result.json is not the one that was recorded when it was made")
        if one.candidate is not None and (*noun, one.candidate) not in self.candidates:
            found.append(f"the candidate {one.candidate} of its artifact was never compared here")
        if one.artifact is not None and one.artifact not in {r.get("artifact") for r in runs}:
            found.append("its artifact is not the one that was recorded when it was made")
        return found


def _text(facts: object) -> str:
    return json.dumps(facts, sort_keys=True)
