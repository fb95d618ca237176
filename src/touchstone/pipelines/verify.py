"""Proves the ledger whole: its chain, and whatever in the workspace was made with it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from touchstone.errors import ArtifactError, ConfigError, DataError, RefusedError
from touchstone.pipelines.finished import Finished, read_run
from touchstone.pipelines.run import ledger_head, ledger_of
from touchstone.pipelines.workspace import Workspace
from touchstone.registry import folder as folders
from touchstone.registry import manifest as listing
from touchstone.registry.champions import Champions, Event, names
from touchstone.registry.manifest import Manifest
from touchstone.validation.chain import Finding, Head, Row
from touchstone.validation.completeness import Told, gaps


class Verified(NamedTuple):
    """What was found, and of how much."""

    findings: tuple[Finding, ...]
    head: Head
    n_runs: int
    n_artifacts: int

    def counts(self) -> dict[str, object]:
        """For machines."""
        return {
            "head": f"{self.head.n_rows}:{self.head.hash}", "n_rows": self.head.n_rows,
            "n_runs": self.n_runs, "n_artifacts": self.n_artifacts,
        }  # fmt: skip


def verified(workspace: Workspace, since: Head | None = None) -> Verified:
    """Everything about the ledger that is not as it was written, or is not there.

    Where the chain is broken nothing that stands in it can vouch for anything: then the chain's
    findings are all that is said.

    Args:
        workspace: whose ledger, runs and registry.
        since: a head printed by an earlier report: the ledger must have grown from it.
    """
    book = ledger_of(workspace)()
    broken = book.verify(since)
    if broken:
        return Verified(broken, Head(0, ""), 0, 0)
    rows = book.rows()
    told: list[Told] = []
    found: list[Finding] = []
    n_runs = 0
    for folder in sorted(path.parent for path in workspace.runs.glob("*/result.json")):
        try:
            told += _of_run(read_run(folder))
            n_runs += 1
        except (DataError, RefusedError, ConfigError, OSError, ValueError, KeyError) as error:
            found.append(Finding(0, f"{folder}: cannot be compared with the ledger: {error}"))
    for name in names(workspace.registry):
        champions = Champions(workspace.registry, name)
        try:
            history = champions.history()
            told += _of_shelf(champions, history)
            found += _of_history(champions, history, rows)
        except (RefusedError, OSError) as error:
            found.append(Finding(0, str(error)))
    n_artifacts = sum(one.artifact is not None for one in told)
    return Verified((*gaps(rows, told), *found), book.head(), n_runs, n_artifacts)


def _of_run(run: Finished) -> Iterator[Told]:
    about = json.loads((run.folder / "run.json").read_text())
    folder = run.folder / "artifact"
    manifest = _manifest(folder) if folder.exists() else None
    yield Told(
        name=str(run.folder),
        study=run.result.fingerprint,
        data=str(about["data"]),
        head=ledger_head(str(about["ledger_head"])),
        result=hashlib.sha256((run.folder / "result.json").read_bytes()).hexdigest(),
        candidate=None if manifest is None else manifest.origin.candidate,
        artifact=None if manifest is None else manifest.identity,
    )
    for path in sorted(run.folder.rglob(listing.NAME)):  # such as those of the folds
        if path.parent != folder:
            origin = _manifest(path.parent).origin
            yield Told(str(path.parent), origin.study, origin.data, candidate=origin.candidate)


def _of_shelf(champions: Champions, history: tuple[Event, ...]) -> Iterator[Told]:
    for event in history:
        if event.act == "registered":
            place = champions.place(event.version)
            manifest = _manifest(place)
            if manifest.identity != event.artifact:
                raise ArtifactError(f"{place}: is not the artifact that was registered")
            yield Told(
                name=str(place),
                study=event.study,
                data=event.data,
                candidate=manifest.origin.candidate,
                artifact=manifest.identity,
            )


def _of_history(
    champions: Champions, history: tuple[Event, ...], rows: tuple[Row, ...]
) -> Iterator[Finding]:
    """What happened under a name must be what the ledger says happened, in its order."""
    acts = ("promoted", "rolled back")
    here = [(e.act, e.version, e.artifact, e.override) for e in history if e.act in acts]
    facts = [json.loads(row.facts) for row in rows if row.kind == "promotion"]
    there = [
        (f["act"], f["version"], f["artifact"], f["override"])
        for f in facts
        if f["name"] == champions.name and f["act"] in acts
    ]
    written = iter(there)  # of which a promotion that was stopped half-way is one too many
    in_order = all(act in written for act in here)
    if not in_order or here[-1:] != there[-1:]:
        yield Finding(
            0,
            f"{champions.folder}: its history tells of {len(here)} promotions and roll-backs, the "
            f"ledger of {len(there)}, and they are not the same: events were cut off or written "
            "by hand, or a promotion was stopped half-way (then repeat it)",
        )


def _manifest(folder: Path) -> Manifest:
    content = folders.read(folder, listing.NAME, listing.MAX_BYTES)
    return listing.parse(content, f"{folder}: {listing.NAME}")
