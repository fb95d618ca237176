"""Worker processes of a pipeline: plugins imported, one thread of linear algebra each."""

from collections.abc import Iterable
from pathlib import Path

from joblib import Parallel
from threadpoolctl import threadpool_limits

from touchstone.pipelines.study import import_plugins


def workers(jobs: int, plugins: Iterable[Path] = ()) -> Parallel:
    """So many worker processes, whose results come as they are done.

    Two processes with as many threads as the machine has cores wait for each other's more than
    they work; and some sums' bits depend on the number of threads.

    Args:
        jobs: worker processes; they outlive the call and serve the next one.
        plugins: a study's own files.
    """
    return Parallel(
        n_jobs=jobs,
        return_as="generator_unordered",
        batch_size=1,
        initializer=_begin,
        initargs=(tuple(plugins),),
    )


def _begin(plugins: tuple[Path, ...]) -> None:
    import_plugins(plugins)
    threadpool_limits(1)
