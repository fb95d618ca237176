"""Worker processes of a pipeline: what each is told before it works, and when it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from joblib import Parallel
from threadpoolctl import threadpool_limits

from touchstone.pipelines.study import import_plugins

_LOOK_SECONDS: Final = 1.0


def workers(jobs: int, plugins: Iterable[Path] = ()) -> Parallel:
    """So many worker processes, whose results come as they are done.

    Two processes with as many threads as the machine has cores wait for each other's more than
    they work; and some sums' bits depend on the number of threads: each process has one.

    Args:
        jobs: worker processes; they outlive the call and serve the next one.
        plugins: a study's own files.
    """
    return Parallel(
        n_jobs=jobs,
        return_as="generator_unordered",
        batch_size=1,
        initializer=begin,
        initargs=(tuple(plugins), os.getpid()),
    )


def begin(plugins: tuple[Path, ...], parent: int) -> None:
    """Begin a worker process: called once in each, before its first task.

    It leaves Ctrl-C to its parent, which ends it; and when its parent is gone, killed, it ends
    within seconds, whatever it is at: what it writes is whole at any time.

    Args:
        plugins: as `import_plugins`.
        parent: process id of whoever asked for the workers.
    """
    if os.getpid() != parent:  # no pool of threads
        # First of all: imports take seconds, in which the parent may be killed as well.
        end: Callable[[int], object] = os._exit
        threading.Thread(target=_outlive_nobody, args=(parent, end), daemon=True).start()
        threadpool_limits(1)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    import_plugins(plugins)


def _outlive_nobody(parent: int, end: Callable[[int], object]) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    end(1)
