"""The stage cache: arrays and bytes by (stage, key), whole or not there.

    root/<stage>/<key>/manifest.json       written last: name, file, size, sha256 of each content
    root/<stage>/<key>/0.npy ...           the arrays, readable with mmap

An entry is made in a hidden folder beside, flushed and renamed into place, so that readers and
other writers see it whole or not at all. A load checks the manifest and the size of every file,
which costs microseconds; `verify=True` hashes the content too (about a second a gigabyte).
Whatever does not check is removed and counts as a miss.
"""

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from touchstone.errors import ConfigError

_MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_HIDDEN = ".making-"
_N_TRIES = 10
_NOT_ITS_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors of a process with too many files open or too little memory: an entry may be sound."""

AnyArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Taken = TypeVar("Taken")


class Entry(NamedTuple):
    """One cached result."""

    stage: str
    key: str
    size: int
    """Bytes of its contents."""
    names: tuple[str, ...]
    """Of its arrays; empty for bytes."""


class Written(NamedTuple):
    """An array on its way into the cache, piece by piece, so that it never stands in memory."""

    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    pieces: Iterable[AnyArray]
    """Its rows in order, in C order; a piece may be overwritten once the next one is asked for."""


class StageCache:
    """Results of stages under one folder; any number of processes may read and write.

    Args:
        root: folder of the cache; made when first written to.
        verify: whether a load hashes what it reads.
    """

    def __init__(self, root: Path, *, verify: bool = False) -> None:
        self.root = root.absolute()  # a worker process may stand in another folder
        self.verify = verify

    def load(self, stage: str, key: str) -> dict[str, AnyArray] | None:
        """The arrays saved under (stage, key), memory-mapped and read-only; None if there are none.

        A mapped array stays valid while it is held, even if its entry is removed meanwhile.
        """
        return self._read(
            stage, key, "arrays", lambda folder, rows: {n: _mapped(folder, f) for n, f in rows}
        )

    def save(self, stage: str, key: str, arrays: Mapping[str, AnyArray | Written]) -> None:
        """Keep arrays under (stage, key), in C order; replaces what was there.

        Raises:
            ConfigError: a stage or key that names no folder, or an array of Python objects.
            ValueError: pieces that are not the array that was announced; nothing is kept.
        """
        objects = next((n for n, a in arrays.items() if a.dtype.hasobject), None)
        if objects is not None:
            raise ConfigError(f"{stage}: array {objects!r} holds Python objects: save numbers")
        contents = [
            (name, f"{i}.npy", _npy(array)) for i, (name, array) in enumerate(arrays.items())
        ]
        self._keep(stage, key, "arrays", contents)

    def load_bytes(self, stage: str, key: str) -> bytes | None:
        """The bytes saved under (stage, key); None if there are none."""
        return self._read(stage, key, "bytes", lambda folder, rows: _content(folder, rows[0][1]))

    def save_bytes(self, stage: str, key: str, content: bytes) -> None:
        """Keep bytes under (stage, key); replaces what was there.

        Raises:
            ConfigError: a stage or key that names no folder.
        """
        self._keep(stage, key, "bytes", [("", "content.bin", (b"", (memoryview(content),)))])

    def entries(self) -> tuple[Entry, ...]:
        """What the cache holds, by stage and key; broken entries are left out."""
        return tuple(e for f in self._folders(None) if (e := self._entry(f)) is not None)

    def keys(self, stage: str, prefix: str = "") -> tuple[str, ...]:
        """Keys of a stage that begin so, sorted; an entry may be broken or gone when loaded."""
        names = (folder.name for folder in self._folders(_name(stage, "stage")))
        return tuple(name for name in names if name.startswith(prefix))

    @contextlib.contextmanager
    def aside(self) -> Iterator["StageCache"]:
        """A cache of its own on the same disk, for what nobody asks for again; then removed."""
        with self._making() as hidden:
            yield StageCache(hidden)

    def size(self) -> int:
        """Bytes of all entries."""
        return sum(entry.size for entry in self.entries())

    def clear(self, stage: str | None = None) -> int:
        """Remove every entry (of one stage), broken ones too; returns how many.

        Also what writers left behind that were killed; those alive are not disturbed.
        """
        if stage is not None:
            _name(stage, "stage")
        folders = list(self._folders(stage))
        for folder in folders:
            self._remove(folder)
        for left in self.root.glob(f"{_HIDDEN}*"):
            if not _alive(left):
                shutil.rmtree(left, ignore_errors=True)
        return len(folders)

    def _folder(self, stage: str, key: str) -> Path:
        return self.root / _name(stage, "stage") / _name(key, "key")

    def _folders(self, stage: str | None) -> Iterator[Path]:
        stages = [self.root / stage] if stage is not None else sorted(self.root.glob("[!.]*"))
        for folder in stages:
            if folder.is_dir():
                yield from sorted(p for p in folder.iterdir() if p.is_dir())

    def _read(
        self, stage: str, key: str, kind: str, take: Callable[[int, list[tuple[str, str]]], Taken]
    ) -> Taken | None:
        """What `take` makes of the open folder and (name, file) of a sound entry of that kind.

        All files are opened through the one folder, so that an entry put in its place meanwhile
        is never mixed in. What turns out broken is removed: a miss.

        Raises:
            OSError: too many files are open, or no memory is left to map one.
        """
        path = self._folder(stage, key)
        try:
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            if error.errno in _NOT_ITS_FAULT:
                raise
            return None
        try:
            held, rows = _manifest(folder)
            if held != kind:
                return None
            for row in rows:
                self._check(folder, row)
            return take(folder, [(row["name"], row["file"]) for row in rows])
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _NOT_ITS_FAULT:
                raise
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), os.fstat(folder)):
                    self._remove(path)
            return None
        finally:
            os.close(folder)

    def _entry(self, path: Path) -> Entry | None:
        try:
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return None
        try:
            kind, rows = _manifest(folder)
        except (OSError, ValueError):
            return None
        finally:
            os.close(folder)
        names = tuple(row["name"] for row in rows) if kind == "arrays" else ()
        return Entry(path.parent.name, path.name, sum(row["size"] for row in rows), names)

    def _check(self, folder: int, row: dict[str, Any]) -> None:
        """Raise ValueError unless a file has the size, and if asked the hash, that its row says."""
        with _open(folder, row["file"]) as file:
            size = os.fstat(file.fileno()).st_size
            if size != row["size"]:
                raise ValueError(f"{row['file']}: {size} bytes")
            if self.verify and hashlib.file_digest(file, "sha256").hexdigest() != row["sha256"]:
                raise ValueError(f"{row['file']}: another hash")

    def _keep(
        self, stage: str, key: str, kind: str, contents: list[tuple[str, str, "_Content"]]
    ) -> None:
        folder = self._folder(stage, key)
        with self._making() as made:
            rows = []
            for name, file, content in contents:
                size, digest = _write(made / file, *content)
                rows.append({"name": name, "file": file, "size": size, "sha256": digest})
            text = json.dumps({"version": 1, "kind": kind, "contents": rows}, indent=1)
            _write(made / _MANIFEST, text.encode(), ())
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._place(made, folder)

    def _place(self, made: Path, folder: Path) -> None:
        """Rename into place; of several writers at once the last one's entry stays."""
        for _ in range(_N_TRIES):
            try:
                made.rename(folder)
            except FileNotFoundError:
                folder.parent.mkdir(parents=True, exist_ok=True)  # cleared meanwhile
            except OSError:
                self._remove(folder)  # rename replaces no folder that holds files
            else:
                return

    def _remove(self, folder: Path) -> None:
        """Out of sight in one step, then away."""
        with self._making() as hidden, contextlib.suppress(OSError):
            folder.rename(hidden / "old")

    @contextlib.contextmanager
    def _making(self) -> Iterator[Path]:
        """A hidden folder of this process, removed in the end with what is still in it."""
        self.root.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(dir=self.root, prefix=f"{_HIDDEN}{os.getpid()}-"))
        try:
            yield hidden
        finally:
            shutil.rmtree(hidden, ignore_errors=True)


_Content: TypeAlias = tuple[bytes, Iterable[memoryview]]
"""What a file begins with, and the rest of it."""


def _name(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"a {what} of the cache needs letters, digits, '.', '_', '-': {name!r}")
    return name


def _npy(array: AnyArray | Written) -> _Content:
    """Header and body of a .npy file."""
    whole = array if isinstance(array, Written) else Written(array.shape, array.dtype, (array,))
    head = io.BytesIO()
    facts = {
        "descr": np.lib.format.dtype_to_descr(whole.dtype),
        "fortran_order": False,
        "shape": whole.shape,
    }
    np.lib.format.write_array_header_1_0(head, facts)
    return head.getvalue(), _bodies(whole)


def _bodies(whole: Written) -> Iterator[memoryview]:
    """The bytes of an array, piece by piece."""
    missing = math.prod(whole.shape)
    for piece in whole.pieces:
        missing -= piece.size
        if piece.dtype != whole.dtype or missing < 0:
            raise ValueError(f"{piece.dtype} {piece.shape} is no piece of {whole.shape}")
        flat = np.ascontiguousarray(piece).reshape(-1)
        yield memoryview(flat.view(np.uint8))  # type: ignore[arg-type]
    if missing:
        raise ValueError(f"{missing} elements of {whole.shape} were not given")


def _open(folder: int, name: str) -> io.BufferedReader:
    """A file of an open folder."""
    return open(name, "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=folder))


def _content(folder: int, name: str) -> bytes:
    with _open(folder, name) as file:
        return file.read()


def _mapped(folder: int, name: str) -> AnyArray:
    """An .npy file as a read-only map of it.

    Raises:
        ValueError: no such file, or one of Python objects.
    """
    with _open(folder, name) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name}: not an .npy file of version 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject or fortran:
            raise ValueError(f"{name}: of Python objects, or not in C order")
        if 0 in shape:  # nothing to map
            return np.empty(shape, dtype)
        size = os.fstat(file.fileno()).st_size
        if size != file.tell() + dtype.itemsize * math.prod(shape):
            raise ValueError(f"{name}: {size} bytes for {shape} of {dtype}")
        return np.memmap(file, dtype, "r", file.tell(), shape)


def _manifest(folder: int) -> tuple[str, list[dict[str, Any]]]:
    """(kind, rows) of an open folder.

    Raises:
        ValueError, OSError: there is none, or it is broken.
    """
    try:
        content = json.loads(_content(folder, _MANIFEST))
        rows: list[dict[str, Any]] = content["contents"]
        kind = str(content["kind"])
        sound = all({"name", "file", "size", "sha256"} <= r.keys() for r in rows)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no manifest: {error!r}") from None
    if not sound or any("/" in row["file"] for row in rows):
        raise ValueError("a manifest that leads elsewhere")
    return kind, rows


def _write(path: Path, head: bytes, body: Iterable[memoryview]) -> tuple[int, str]:
    """Write and flush a file; its size and its SHA-256."""
    digest, size = hashlib.sha256(head), len(head)
    with path.open("wb") as file:
        file.write(head)
        for part in body:
            file.write(part)
            digest.update(part)
            size += part.nbytes
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _alive(hidden: Path) -> bool:
    """Whether the process that made a hidden folder still runs; its id stands in the name."""
    pid = hidden.name.removeprefix(_HIDDEN).split("-")[0]
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
