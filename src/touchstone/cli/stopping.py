"""SIGTERM, which a scheduler or `kill` sends, ends a command as Ctrl-C does: in order."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
TERMINATED: Final = 143


class Stop:
    """What stopped a command."""

    code = INTERRUPTED
    """Its exit code, as a shell tells it: 128 and the signal's number."""


@contextmanager
def terminable() -> Iterator[Stop]:
    """Inside, SIGTERM raises KeyboardInterrupt, so that workers end and files are whole.

    Signals are the main thread's alone: in another one nothing is changed.
    """
    stop = Stop()

    def ended(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (as signals call)
        stop.code = TERMINATED
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
