"""Work that stands in its folder: held by one process while it is made, read back when asked."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from touchstone.errors import DataError
from touchstone.files import lock
from touchstone.pipelines.progress import Progress

RESULT: Final = "result.json"
"""Written last: work with it is finished."""
R = TypeVar("R")


@contextlib.contextmanager
def held(path: Path, noun: str, progress: Progress) -> Iterator[None]:
    """Hold the lock of one piece of work; where another process makes it, say so and wait."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(path, wait=False))
        except DataError:
            progress.note(f"another process is making this {noun}: waiting for it")
            stack.enter_context(lock(path))
        yield


def standing(
    folder: Path, noun: str, source: str, read: Callable[[bytes], R], progress: Progress
) -> R | None:
    """The result of finished work; None where there is none that can still be read.

    Args:
        folder: that holds it.
        noun: what it is called, for notes.
        source: the code of now; of other code the result is shown, and that is said.
        read: the content of its file -> the result.
        progress: who is told.
    """
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        found = read(path.read_bytes())
        about = json.loads((folder / "run.json").read_text())
        if not isinstance(about, dict):
            raise DataError("run.json holds no facts")
    except (DataError, OSError, ValueError) as error:
        progress.note(f"an earlier {noun} cannot be read and is made anew: {error}")
        return None
    if about.get("source") != source:
        progress.note(f"this {noun} was made by another version of the code: --again repeats it")
    return found
