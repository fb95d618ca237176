"""What a folder holds: bars with their findings, an artifact verified file by file, or a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone.data.store import is_store
from touchstone.errors import DataError
from touchstone.pipelines.finished import read_run, run_line
from touchstone.pipelines.tables import load_folder
from touchstone.registry import artifact as shelf
from touchstone.reports.result import iso_day


def inspected(path: Path, more: Mapping[str, Any]) -> dict[str, Any]:
    """Facts about whatever lies at a path, JSON-able; `more` as under a study's `bars:`.

    Raises:
        DataError: nothing there.
        ArtifactError: an artifact that is not what its manifest says.
    """
    if not path.exists():
        raise DataError(f"{path}: nothing there; needs a folder of bars, an artifact or a run")
    if (path / "manifest.json").is_file() and not is_store(path):
        return _artifact(path)
    if (path / "result.json").is_file():
        run = read_run(path)
        return {
            "kind": "run",
            "line": run_line(run),
            "sentence": run.result.market.verdict.sentence,
        }
    loaded = load_folder(path, more)
    panel = loaded.panel
    return {
        "kind": "bars",
        "instruments": panel.n_instruments,
        "rows": len(panel),
        "first": iso_day(panel.time.min()),
        "last": iso_day(panel.time.max()),
        "hash": panel.content_hash(),
        "left_out": [r._asdict() for r in loaded.rejects],
        "findings": list(loaded.findings),
        "survivorship": loaded.survivorship,
    }


def _artifact(path: Path) -> dict[str, Any]:
    artifact = shelf.load(path)
    manifest = artifact.manifest.model_dump(mode="json")
    return {
        "kind": "artifact",
        "golden_difference": shelf.reproduce(artifact),
        "manifest": manifest,
    }


def told(found: dict[str, Any]) -> str:
    """The same for the terminal."""
    if found["kind"] == "run":
        return f"{found['line']}\n{found['sentence']}"
    if found["kind"] == "artifact":
        lines = ["artifact, every file as its manifest says"]
        lines.append(f"golden rows reproduced to {found['golden_difference']:.1e}")
        lines += [f"{k:<18} {str(v)[:100]}" for k, v in found["manifest"].items()]
        return "\n".join(lines)
    lines = [
        f"{found['rows']:,} bars of {found['instruments']} instruments, {found['first']} to "
        f"{found['last']}"
    ]
    lines += [f"left out {r['file']}: {r['reason']}" for r in found["left_out"]]
    lines += [f"finding  {text}" for text in found["findings"]]
    if found["survivorship"]:
        lines.append(f"warning  {found['survivorship']}")
    return "\n".join(lines)
