"""Who is champion of what: every name of a workspace with its champion, checked."""

from pathlib import Path
from typing import Any

from touchstone.errors import RefusedError
from touchstone.pipelines.workspace import Workspace
from touchstone.registry import folder as folders
from touchstone.registry import manifest as listing
from touchstone.registry.champions import Champions, names


def standing(root: Path) -> list[dict[str, Any]]:
    """Each name with the event that made its champion, JSON-able; `problem` where it is broken.

    The files of the champion's artifact are hashed, and nothing of it is loaded, so that a study
    with parts of its own is listed too.
    """
    return [_standing(Champions(Workspace(root).registry, n)) for n in names(root / "registry")]


def _standing(champions: Champions) -> dict[str, Any]:
    told: dict[str, Any] = {"name": champions.name, "aliases": {}, "champion": None, "problem": ""}
    try:
        history = champions.history()
        told["aliases"] = champions.aliases()
        acts = [e for e in history if e.act != "registered"]
        if acts:
            told["champion"] = acts[-1].model_dump(mode="json", exclude={"aliases", "format"})
            _check(champions.place(acts[-1].version), acts[-1].artifact)
    except RefusedError as error:
        told["problem"] = str(error)
    return told


def _check(place: Path, identity: str) -> None:
    content = folders.read(place, listing.NAME, listing.MAX_BYTES)
    manifest = listing.parse(content, f"{place}: {listing.NAME}")
    if manifest.identity != identity:
        raise RefusedError(f"{place}: is not the artifact that was registered")
    folders.read_listed(place, manifest.files, apart=listing.NAME)
