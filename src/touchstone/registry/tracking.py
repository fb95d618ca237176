"""What a run tells a tracking server: records in a plain file beside it, sent once when one can.

    runs/NAME/tracking.jsonl

A line is JSON: a `run` to be told, or `sent`, by which everything of one batch before it was told.
Lines are only ever added. A batch that a crash cut short is none, since each line says of how many
it is; a server that is down, or a kill while it is told, costs nothing: the next flush goes on.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.files import lock, sha256_file

NAME: Final = "tracking.jsonl"
_PUT: Final = re.compile(rb'^{"batch": "([^"]+)"', re.MULTILINE)
_SENT: Final = re.compile(rb'^{"sent": "([^"]+)", .*}$', re.MULTILINE)


class TrackingError(DataError):
    """Whoever keeps the runs does not answer, or does not take them."""


class NotTakenError(TrackingError):
    """They answer, and do not take one of the runs; they may take others."""


class TrackedFile(Config):
    """A file of the run's folder that goes to the server as it was when the run ended."""

    path: str
    """In the run's folder."""
    sha256: str


class TrackedRun(Config):
    """One run as a server keeps it: a whole run of a study, or one fit of it."""

    key: str
    """Unique; what was told under it is not told again."""
    parent: str | None = None
    """Key of the run this one belongs to, which stands before it."""
    group: str
    """What it is listed under: the study's name."""
    name: str
    started_ms: int
    """Milliseconds UTC since 1970."""
    ended_ms: int
    tags: Mapping[str, str] = {}
    params: Mapping[str, str] = {}
    metrics: tuple[tuple[str, float, int], ...] = ()
    """(name, finite value, step); a step is an epoch, 0 for what is told once."""
    files: tuple[TrackedFile, ...] = ()


class Batch(NamedTuple):
    """What belongs together: a run and its fits, the run first."""

    name: str
    runs: tuple[TrackedRun, ...]


class Tracker(Protocol):
    """Somebody who keeps runs: MLflow, on a file or behind a server."""

    def send(self, batch: Batch, folder: Path) -> None:
        """Tell a batch, or what of it is not told yet; twice is as once.

        Args:
            batch: of one run.
            folder: where its files lie.

        Raises:
            NotTakenError: this batch is not taken.
            TrackingError: nobody answers, or not to the end.
        """


class Queue:
    """The file of one run.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME

    def put(self, batch: Batch) -> None:
        """Add a batch, with one write."""
        head = {"batch": batch.name, "of": len(batch.runs)}
        lines = [_line({**head, "run": r.model_dump(mode="json")}) for r in batch.runs]
        self._append(b"".join(lines))

    def waiting(self) -> tuple[Batch, ...]:
        """Batches that nobody was told yet, oldest first; what a crash cut short is none."""
        if not self.path.is_file():
            return ()
        content = self.path.read_bytes()
        sent = set(_SENT.findall(content))
        if sent.issuperset(_PUT.findall(content)):
            return ()
        found: dict[str, list[TrackedRun]] = {}
        sizes: dict[str, int] = {}
        for line in content.splitlines():
            told = None if line.startswith(b'{"sent"') else _told(line)
            if told is not None and told[0].encode() not in sent:
                name, sizes[told[0]], run = told
                found.setdefault(name, []).append(run)
        whole = ((name, runs) for name, runs in found.items() if len(runs) == sizes[name])
        return tuple(Batch(name, tuple(runs)) for name, runs in whole)

    def holds(self) -> bool:
        """Whether a run was put here whole, told since or not."""
        return bool(self.waiting()) or (
            self.path.is_file() and _SENT.search(self.path.read_bytes()) is not None
        )

    def mark(self, batch: Batch, place: str) -> None:
        """Write down that a batch was told."""
        self._append(_line({"sent": batch.name, "to": place}))

    def _append(self, lines: bytes) -> None:
        with self.path.open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                lines = lines if file.read(1) == b"\n" else b"\n" + lines  # cut short by a crash
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def queues(runs: Path) -> list[Queue]:
    """The queues of all runs under a folder, by name."""
    return [Queue(path.parent) for path in sorted(runs.glob(f"*/{NAME}"))]


def flush(found: Iterable[Queue], tracker: Tracker, place: str, locks: Path) -> int:
    """Tell everything that waits; one process at a time. What is refused keeps back nothing else.

    Args:
        found: queues.
        tracker: who is told.
        place: its name for people, without a password.
        locks: folder of locks.

    Returns:
        How many runs were told.

    Raises:
        NotTakenError: some were not taken; all others were told.
        TrackingError: nobody answers; what was not told waits on.
    """
    n, refused = 0, NotTakenError()
    with lock(locks / "tracking"):
        for queue in found:
            try:
                for batch in queue.waiting():
                    tracker.send(batch, queue.folder)
                    queue.mark(batch, place)
                    n += len(batch.runs)
            except NotTakenError as error:
                refused = refused if refused.args else error
            except OSError as error:  # of this queue's file
                said = f"{queue.path}: {error.strerror}"
                refused = refused if refused.args else NotTakenError(said)
    if refused.args:
        raise refused
    return n


def n_waiting(found: Iterable[Queue]) -> tuple[int, list[Path]]:
    """How many runs wait, and in which files; a file that cannot be read is one of them."""
    total = 0
    files: list[Path] = []
    for queue in found:
        try:
            n = sum(len(batch.runs) for batch in queue.waiting())
        except OSError:
            files.append(queue.path)
            continue
        total += n
        files += [queue.path] * bool(n)
    return total, files


def files_of(folder: Path, paths: Iterable[Path]) -> tuple[TrackedFile, ...]:
    """Files of a run's folder as a record names them."""
    return tuple(
        TrackedFile(path=path.relative_to(folder).as_posix(), sha256=sha256_file(path))
        for path in sorted(paths)
    )


def unchanged(folder: Path, files: Sequence[TrackedFile]) -> list[Path]:
    """Those that are still what they were when the run ended."""
    return [
        folder / f.path
        for f in files
        if (folder / f.path).is_file() and sha256_file(folder / f.path) == f.sha256
    ]


def without_password(uri: str) -> str:
    """An address as it may be shown.

    >>> without_password("https://me:secret@host:5000/x")
    'https://host:5000/x'
    """
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _line(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _told(line: bytes) -> tuple[str, int, TrackedRun] | None:
    """Batch, its size, and one run of it; None for what a crash cut short."""
    try:
        content = json.loads(line)
        run = content["run"] | {
            "metrics": tuple(tuple(m) for m in content["run"]["metrics"]),
            "files": tuple(content["run"]["files"]),
        }
        return str(content["batch"]), int(content["of"]), TrackedRun.model_validate(run)
    except (ValueError, KeyError, TypeError):  # pydantic's is a ValueError
        return None
