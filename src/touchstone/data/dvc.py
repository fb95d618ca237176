"""The hash under which DVC tracks a folder, where it does; read from its files, without DVC."""

import re
from pathlib import Path
from typing import Any

from touchstone.errors import ConfigError
from touchstone.files import read_yaml

_HASH = re.compile(r"^[0-9a-f]{32,64}(\.dir)?$")


def dvc_hash(path: Path) -> str | None:
    """The hash that the nearest `.dvc` file or `dvc.lock` tells of a folder or file.

    Looks beside the path and beside each folder above it, up to the root of the repository (a
    folder with `.git` or `.dvc`). A file that cannot be read as YAML tells nothing.
    """
    path = path.resolve()
    for folder in path.parents:
        inside = path.relative_to(folder)
        for file in (*sorted(folder.glob("*.dvc")), folder / "dvc.lock"):
            if file.is_file() and (found := _told(file, inside)):
                return found
        if (folder / ".git").exists() or (folder / ".dvc").is_dir():
            return None
    return None


def _told(file: Path, inside: Path) -> str | None:
    try:
        content = read_yaml(file)
    except ConfigError:
        return None
    stages = content.get("stages")
    holders = [content, *(stages.values() if isinstance(stages, dict) else ())]
    for holder in holders:
        outs = holder.get("outs") if isinstance(holder, dict) else None
        for out in outs if isinstance(outs, list) else ():
            if isinstance(out, dict) and _names(out, holder, inside):
                found = next((out[k] for k in ("md5", "sha256") if k in out), None)
                if isinstance(found, str) and _HASH.match(found):
                    return found
    return None


def _names(out: dict[str, Any], holder: dict[str, Any], inside: Path) -> bool:
    """Whether an output is this path; a `.dvc` file may state a working folder of its own."""
    name, base = out.get("path"), holder.get("wdir", ".")
    if not isinstance(name, str) or not isinstance(base, str):
        return False
    return Path(base, name) == inside
