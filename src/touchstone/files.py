"""Files that are whole or not there: atomic writes, locks, safe YAML, names for symbols."""

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from touchstone.errors import ConfigError, DataError

SYMBOL = re.compile(r"^[A-Z0-9][A-Z0-9._]{0,19}(/[A-Z]{2,5})?\Z")
"""What an instrument may be called: BTCUSDT, BRK.B, BTC/USD. (`$` would let a line break pass.)"""

_MAX_YAML_BYTES = 1_000_000
_MAX_YAML_DEPTH = 32


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, never a part.

    A temporary file in the same folder is written, flushed to disk and renamed over `path`; then
    the folder is flushed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_bytes(path: Path, content: bytes) -> None:
    """`write_atomically` for bytes at hand."""
    write_atomically(path, lambda file: file.write(content))


def write_text(path: Path, content: str) -> None:
    """`write_atomically` for text, as UTF-8."""
    write_bytes(path, content.encode())


@contextlib.contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on `path` (made if absent); waits for whoever holds it.

    Raises:
        DataError: somebody holds it, and we are not to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"{path.parent}: another process is at work there: wait for it"
            ) from None
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_yaml(path: Path) -> dict[str, Any]:
    """A mapping from a YAML file, with caps on size and depth and without aliases or tags.

    Raises:
        ConfigError: no such file, not YAML, not a mapping, a key twice, or beyond a cap.
    """
    try:
        if path.stat().st_size > _MAX_YAML_BYTES:
            raise ConfigError(f"{path}: {path.stat().st_size} bytes, {_MAX_YAML_BYTES} at most")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """`read_yaml` for text at hand; `where` names it in errors."""
    if len(text) > _MAX_YAML_BYTES:
        raise ConfigError(f"{where}: {len(text)} characters, {_MAX_YAML_BYTES} at most")
    try:
        _check(yaml.compose(text, Loader=_Loader), where)
        content = yaml.load(text, Loader=_Loader)  # a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2022-13-45, a huge integer
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{where}: not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: needs keys and values, got {type(content).__name__}")
    return content


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML's safe loader, refusing aliases and depth before anything is built."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        if self.depth > _MAX_YAML_DEPTH:
            raise yaml.YAMLError(f"nested deeper than {_MAX_YAML_DEPTH}")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _check(node: yaml.Node | None, where: str) -> None:
    """Every key is a word, and stands once."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{where}: line {line}: a key needs to be a word")
            if key.value in seen:
                raise ConfigError(f"{where}: line {line}: key {key.value!r} stands twice")
            seen.add(key.value)
            _check(value, where)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check(value, where)


def symbol_to_stem(symbol: str) -> str:
    """The file name (without suffix) for a symbol; `/` becomes `-`, which no symbol holds.

    >>> symbol_to_stem("BTC/USD")
    'BTC-USD'
    """
    if not SYMBOL.fullmatch(symbol):
        raise DataError(f"{symbol!r} is not a symbol: needs {SYMBOL.pattern}")
    return symbol.replace("/", "-")


def stem_to_symbol(stem: str) -> str:
    """The symbol that a file is named after; a dash before one letter marks a class of shares.

    >>> stem_to_symbol("BTC-USD"), stem_to_symbol("BRK-B")
    ('BTC/USD', 'BRK.B')
    """
    symbol = re.sub(r"-([A-Z])$", r".\1", stem).replace("-", "/")
    if not SYMBOL.fullmatch(symbol):
        plain = re.sub(r"[^A-Z0-9._-]", ".", stem.upper())
        fits = SYMBOL.fullmatch(plain.replace("-", "/"))
        raise DataError(
            f"file name {stem!r} names no symbol: needs {SYMBOL.pattern} with '-' for '/': "
            f"rename it, as in {plain if fits else 'BTC-USD or BRK.B'}"
        )
    return symbol
