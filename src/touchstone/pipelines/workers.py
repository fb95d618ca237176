"""What a worker process is told before it works: whose it is, and which parts the user brought."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from touchstone.pipelines.study import import_plugins

_LOOK_SECONDS: Final = 1.0


def begin(plugins: tuple[Path, ...], parent: int) -> None:
    """Begin a worker process: called once in each, before its first task.

    It leaves Ctrl-C to its parent, which ends it; and when its parent is gone, killed, it ends
    within seconds, whatever it is at: what it writes is whole at any time.

    Args:
        plugins: as `import_plugins`.
        parent: process id of whoever asked for the workers.
    """
    import_plugins(plugins)
    if os.getpid() == parent:  # a pool of threads
        return
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() == parent:
        end: Callable[[int], object] = os._exit
        threading.Thread(target=_outlive_nobody, args=(parent, end), daemon=True).start()


def _outlive_nobody(parent: int, end: Callable[[int], object]) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    end(1)
