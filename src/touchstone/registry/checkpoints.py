"""Checkpoints of a fit under way: one folder each, whole or not there, of the fit it says it is of.

    <fit's folder>/<name>/checkpoint.safetensors, checkpoint.json    as `training` gave them
    <fit's folder>/<name>/about.json                                 what it is, and what came first
    <fit's folder>/<name>/files.json                                 size and SHA-256 of the others

Whatever does not check is refused, so that nothing goes on from a torn or an exchanged file.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import NonNegativeInt, ValidationError

from touchstone.config import Config
from touchstone.errors import ArtifactError
from touchstone.registry import folder

_ABOUT: Final = "about.json"
_LISTING: Final = "files.json"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MOST_BYTES: Final = 50_000_000
"""Of the two JSON files: a history of a million looks fits."""


class About(Config):
    """What a checkpoint is, and what must be known beside it to score with it."""

    key: str
    """Names the fit, rows and code included: no other goes on from this checkpoint."""
    study: str
    """The study's name."""
    fit: str
    """The fit in it, as in "gru, fold 2"."""
    kind: str
    """Of the model."""
    epoch: NonNegativeInt
    """Epochs (trees: rounds) done."""
    best: bool
    """Whether it is the best epoch up to then."""
    best_epoch: NonNegativeInt | None
    """The best one up to then, its weights are in the checkpoint too; None before there is one."""
    periodic: bool
    """Kept for its epoch's number, whatever comes after."""
    metric: str
    """By which epochs are chosen."""
    model: dict[str, Any]
    """The model's config."""
    shape: tuple[int, ...]
    """What the model is made for, as `models.Shape`."""
    scaler: str
    """The fold's scaler as JSON."""
    view: str
    """What the model sees of the features, as JSON; empty for all."""
    number: tuple[int, ...]
    """The model's number of each of the study's instruments."""
    history: tuple[tuple[int, dict[str, float]], ...]
    """(epoch, metrics) of every epoch up to this one."""

    @property
    def score(self) -> float | None:
        """`metric` on validation rows after this epoch."""
        return self.score_at(self.epoch)

    def score_at(self, epoch: int | None) -> float | None:
        """`metric` on validation rows after an epoch; None where it is not known."""
        told = dict(self.history).get(-1 if epoch is None else epoch, {})
        return told.get(f"validate_{self.metric}")


class Checkpoint(NamedTuple):
    """A checkpoint as read."""

    path: Path
    about: About
    state: Mapping[str, bytes]
    """What `training.Job.resume` takes."""


def save(place: Path, name: str, state: Mapping[str, bytes], about: About) -> Path:
    """Write a checkpoint; one of that name stays as it is, for a fit makes the same one again.

    Args:
        place: the fit's folder.
        name: of the checkpoint.
        state: its files.
        about: what it is.

    Raises:
        ArtifactError: a name that no file or folder may have.
    """
    if not _NAME.fullmatch(name):
        raise ArtifactError(f"{place}: no checkpoint may be called {name!r}: {_NAME.pattern}")
    path = place / name
    files = {**state, _ABOUT: about.model_dump_json().encode()}
    listed = {n: folder.entry(content).model_dump() for n, content in files.items()}
    files[_LISTING] = json.dumps({"version": 1, "files": listed}, indent=1).encode()
    for last in (False, True):
        if path.is_dir():
            break
        try:
            folder.write(path, files, lambda _: None)
        except (ArtifactError, FileNotFoundError):
            # Another process may make the same fit: it wrote this checkpoint first, or has just
            # finished and took the folder away; then nobody needs it any more.
            if last and place.is_dir() and not path.is_dir():
                raise
    return path


def read(path: Path) -> Checkpoint:
    """A checkpoint, every byte of it checked.

    Raises:
        ArtifactError: none there, or not as it was written.
    """
    try:
        content = json.loads(folder.read(path, _LISTING, _MOST_BYTES))
        listed = {name: folder.Entry.parse(row) for name, row in content["files"].items()}
        files = folder.read_listed(path, listed, _LISTING)
        about = About.model_validate_json(files.pop(_ABOUT))
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
        reason = " ".join(str(error).split())
        raise ArtifactError(f"{path}: no whole checkpoint: {reason}") from None
    return Checkpoint(path, about, files)


def saved(place: Path) -> list[Path]:
    """Folders of checkpoints of a fit, the one of the latest name last; read them to know more."""
    if not place.is_dir():
        return []
    return sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))


def remove(path: Path) -> None:
    """Remove a checkpoint, or all of a fit's; out of sight first, so that none is half there."""
    hidden = path.with_name(f".{path.name}.gone")
    shutil.rmtree(hidden, ignore_errors=True)
    with contextlib.suppress(OSError):  # another process of the same study was quicker
        path.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove what a killed writer left half written in a fit's folder."""
    for left in place.glob(".*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
