"""Compiled code that numba keeps beside the source, forgotten when the source changes."""

import ast
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import touchstone

_NOTE: Final = "compiled-from.txt"


def forget_stale_code(package: Path | None = None) -> int:
    """Delete numba's caches of every file that was changed, or imports a changed one; how many.

    numba knows a function that it compiled by that function's own file. An edit, or an update, of
    what it calls goes unseen, and the figures are silently those of the old code. What a function
    is compiled from stands in its file and in those that this one imports, and they in turn; other
    edits leave it alone. Call this before anything is compiled. Where the package cannot be
    written, numba keeps its caches elsewhere and nothing is done.

    Args:
        package: folder of the sources; the installed package by default.
    """
    root = Path(touchstone.__file__).parent if package is None else package
    stamps = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found = path.stat()
        stamps.update(f"{path.relative_to(root)} {found.st_mtime_ns} {found.st_size}\n".encode())
    note, now = root / "__pycache__" / _NOTE, stamps.hexdigest()
    n_forgotten = 0
    with suppress(OSError):
        stamped, *noted = note.read_text().splitlines() if note.is_file() else [""]
        if stamped == now:
            return 0
        contents = _contents(root)
        fresh = _modules_without_change(root, set(noted), set(contents))
        for pattern in ("*.nbi", "*.nbc"):
            for path in root.rglob(pattern):
                if path.parent.parent / path.name.partition(".")[0] not in fresh:
                    path.unlink(missing_ok=True)
                    n_forgotten += 1
        note.parent.mkdir(exist_ok=True)
        note.write_text("\n".join((now, *contents)))
    return n_forgotten


def _contents(root: Path) -> list[str]:
    """A line for each source: the hash of what it says, and its path."""
    return [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.relative_to(root).as_posix()}"
        for path in sorted(root.rglob("*.py"))
    ]


def _modules_without_change(root: Path, before: set[str], now: set[str]) -> set[Path]:
    """Sources with caches beside them, less their suffix, where they and all they import stayed."""
    same = {root / line.partition(" ")[2] for line in before & now}
    known = {root / line.partition(" ")[2] for line in before | now}  # also what is gone since
    imports: dict[Path, set[Path]] = {}

    def reached(source: Path) -> set[Path]:
        seen, ahead = {source}, [source]
        while ahead:
            path = ahead.pop()
            if path not in imports:
                imports[path] = _imported(root, path) & known if path.is_file() else set()
            ahead += imports[path] - seen
            seen |= imports[path]
        return seen

    cached = {p.parent.parent / f"{p.name.partition('.')[0]}.py" for p in root.rglob("*.nbi")}
    return {path.with_suffix("") for path in cached & same if reached(path) <= same}


def _imported(root: Path, path: Path) -> set[Path]:
    """Where the package's own files lie that one of them may import, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = path.relative_to(root.parent).parts[: -node.level] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    own = [root.parent.joinpath(*n.split(".")) for n in names if n.split(".")[0] == root.name]
    return {place.with_suffix(".py") for place in own} | {place / "__init__.py" for place in own}
