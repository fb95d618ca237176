"""Touchstone: from market bars to an honest verdict, one room per step.

In a notebook: `import touchstone as ts; ts.run("study.yaml")`, and `ts.load(run).equity`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from touchstone.pipelines.finished import Finished

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def run(
    study: str = "quickstart",
    *,
    out: str | Path = ".",
    jobs: int | None = None,
    again: bool = False,
    bars: str | Path | None = None,
    tracking: str | None = None,
    **overrides: Any,
) -> "Finished":
    """Run a study and return it: its verdict, result, and tables; a finished one is only read.

    Args:
        study: path of a YAML file, or `quickstart`.
        out: folder that holds runs/ and .touchstone/.
        jobs: worker processes; the number of cores by default.
        again: repeat a finished run.
        bars: folder of bars in place of the study's own.
        tracking: `off`, or the address of an MLflow server; by default what the environment's
            TOUCHSTONE_TRACKING says, or the SQLite file .touchstone/mlflow.sqlite.
        **overrides: keys of the study; `__` stands for the dot of a nested key, as in
            strategy__max_positions=5.

    Raises:
        TouchstoneError: what is wrong and the way out.
    """
    # The rooms are imported when they are needed: `touchstone --help` must not wait for them.
    from touchstone.pipelines.compiled_code import forget_stale_code  # noqa: PLC0415
    from touchstone.pipelines.finished import read_run  # noqa: PLC0415
    from touchstone.pipelines.progress import Silent  # noqa: PLC0415
    from touchstone.pipelines.run import Ask  # noqa: PLC0415
    from touchstone.pipelines.run import run as run_study  # noqa: PLC0415
    from touchstone.pipelines.study import bars_overrides, read_study  # noqa: PLC0415
    from touchstone.pipelines.workspace import Workspace  # noqa: PLC0415

    forget_stale_code()
    asked = {key.replace("__", "."): value for key, value in overrides.items()}
    if bars is not None:
        asked = bars_overrides(study, asked, Path(bars))
    n_jobs = jobs or os.cpu_count() or 1
    told = os.environ.get("TOUCHSTONE_TRACKING", "") if tracking is None else tracking
    ask = Ask(Workspace(Path(out)), n_jobs, f"touchstone.run({study!r})", again, told)
    return read_run(run_study(read_study(study, asked), ask, Silent(), []).folder)


def load(run: str | Path, *, out: str | Path = ".") -> "Finished":
    """A finished run by its folder or its name: `.verdict`, `.result`, `.equity`, `.trades`, ...

    Raises:
        DataError: no such run.
    """
    from touchstone.pipelines.finished import find  # noqa: PLC0415

    return find(Path(out) / "runs", str(run))
