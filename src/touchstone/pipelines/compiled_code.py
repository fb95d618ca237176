"""Compiled code that numba keeps beside the source, forgotten when the source changes."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import touchstone

_NOTE: Final = "compiled-from.txt"


def forget_stale_code(package: Path | None = None) -> int:
    """Delete numba's caches where any source file changed since they were begun; how many.

    numba knows a function that it compiled by that function's own file. An edit, or an update, of
    what it calls goes unseen, and the figures are silently those of the old code. Call this before
    anything is compiled. Where the package cannot be written, numba keeps its caches elsewhere and
    nothing is done.

    Args:
        package: folder of the sources; the installed package by default.
    """
    root = Path(touchstone.__file__).parent if package is None else package
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found = path.stat()
        digest.update(f"{path.relative_to(root)} {found.st_mtime_ns} {found.st_size}\n".encode())
    note, now = root / "__pycache__" / _NOTE, digest.hexdigest()
    n_forgotten = 0
    with suppress(OSError):
        if note.is_file() and note.read_text() == now:
            return 0
        for pattern in ("*.nbi", "*.nbc"):
            for path in root.rglob(pattern):
                path.unlink(missing_ok=True)
                n_forgotten += 1
        note.parent.mkdir(exist_ok=True)
        note.write_text(now)
    return n_forgotten
