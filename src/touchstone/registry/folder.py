"""A folder that is whole or not there, and that holds what its list says and nothing else."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pydantic import NonNegativeInt

from touchstone.config import Config
from touchstone.errors import ArtifactError

NAME: Final = re.compile(r"(model/)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a file of an artifact may be called: one folder deep at most, and never upwards."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Entry(Config):
    """One file as the manifest lists it."""

    sha256: str
    """64 hex digits."""
    size: NonNegativeInt
    """Bytes."""


def entry(content: bytes) -> Entry:
    """The entry of a file with this content."""
    return Entry(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def write(folder: Path, files: Mapping[str, bytes], check: Callable[[Path], object]) -> None:
    """Write a new folder at once: a reader, or a crash, sees all of it or nothing.

    Everything is written and flushed beside `folder`, looked at by `check`, then renamed.

    Args:
        folder: where it shall stand; must not exist yet.
        files: content by name, as in `NAME`.
        check: called with the folder before it is renamed; what it raises leaves nothing behind.

    Raises:
        ArtifactError: `folder` exists, or a name that no file may have.
    """
    if folder.exists() or folder.is_symlink():
        raise ArtifactError(f"{folder}: exists already; an artifact is never overwritten")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        for name, content in files.items():
            if not NAME.fullmatch(name):
                raise ArtifactError(f"{folder}: no file may be called {name!r}: {NAME.pattern}")
            path = made / name
            path.parent.mkdir(exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        check(made)
        made.chmod(0o755)
        for inner in (made / "model", made):
            if inner.is_dir():
                _flush(inner)
        _rename(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    _flush(folder.parent)


def names(folder: Path) -> set[str]:
    """Names of all files in an artifact's folder.

    Raises:
        ArtifactError: no such folder, or one that holds a link, a device or a strange folder.
    """
    if folder.is_symlink() or not folder.is_dir():
        got = "a link" if folder.is_symlink() else "no folder"
        raise ArtifactError(f"{folder}: got {got}, needed an artifact's folder")
    found = _items(folder, "")
    if "model" in found:
        found = found - {"model"} | _items(folder, "model/")
    return found


def read(folder: Path, name: str, limit: int) -> bytes:
    """One plain file of at most `limit` bytes.

    Raises:
        ArtifactError: no such file, a link, or a larger one.
    """
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise ArtifactError(f"{folder}: {name}: cannot be read: {error.strerror}") from None
    if len(content) > limit:
        raise ArtifactError(f"{folder}: {name}: got more than the {limit} bytes that are needed")
    return content


def read_listed(folder: Path, listed: Mapping[str, Entry], apart: str) -> dict[str, bytes]:
    """Every listed file, its content checked; `apart` is the list itself.

    The bytes that are returned are the bytes that were hashed: nothing is read twice.

    Raises:
        ArtifactError: a name that no file may have, a missing or unlisted file, other content.
    """
    for name, item in listed.items():
        if not NAME.fullmatch(name) or name == apart or not _SHA256.fullmatch(item.sha256):
            raise ArtifactError(f"{folder}: {apart} lists {name!r}, sha256 {item.sha256!r}")
    present = names(folder) - {apart}
    for name in sorted(present ^ listed.keys()):
        got, needed = ("a file", "none") if name in present else ("none", "a file")
        raise ArtifactError(f"{folder}: {name}: got {got}, needed {needed}")
    files: dict[str, bytes] = {}
    for name, item in listed.items():
        files[name] = read(folder, name, item.size)
        got_entry = entry(files[name])
        if got_entry != item:
            raise ArtifactError(
                f"{folder}: {name}: got {got_entry.size} bytes, sha256 {got_entry.sha256}, "
                f"needed {item.size} bytes, sha256 {item.sha256}: the file was changed"
            )
    return files


def _items(folder: Path, prefix: str) -> set[str]:
    """Names of what lies in one folder: plain files, and a folder where it may be."""
    found: set[str] = set()
    with os.scandir(folder / prefix) as items:
        for item in items:
            name = prefix + item.name
            is_model = name == "model" and item.is_dir(follow_symlinks=False)
            if not is_model and not item.is_file(follow_symlinks=False):
                got = "a link" if item.is_symlink() else "no plain file"
                raise ArtifactError(f"{folder}: {name}: got {got}, needed a plain file")
            found.add(name)
    return found


def _rename(made: Path, folder: Path) -> None:
    try:
        os.rename(made, folder)
    except OSError as error:  # somebody else's folder stands there by now
        raise ArtifactError(f"{folder}: cannot be put in place: {error.strerror}") from None


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
