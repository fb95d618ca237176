"""`tune`: settings of every architecture are searched on purged folds; the best one is kept."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import asked
from touchstone.cli import options as o

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="TUNE.yaml", help="What is searched, on which study.")
]
Storage: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="URI", help="Keep trials in a database that several machines share, as "
                 "in postgresql://user@host/name; run the same command on each of them."),
]  # fmt: skip
Backend: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="processes|ray", help="Run trials in processes of this machine, or on a "
                 "Ray cluster (RAY_ADDRESS)."),
]  # fmt: skip
Jobs: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Trials beside each other, each in a process; the number of cores by "
                 "default. Samplers that learn from trials (tpe, gp, nsga2) and pruners give the "
                 "same result again only with 1."),
]  # fmt: skip


def tune(
    file: File,
    bars: o.Bars = None,
    set_: asked.Set = None,
    storage: Storage = None,
    backend: Backend = None,
    jobs: Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: asked.Again = False,
    tracking: o.Tracking = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    r"""Search the settings of each architecture on purged folds; keep the best.

    What may be tried stands with each setting (touchstone schema), and in the file's `space`. Every
    trial goes to the ledger. After Ctrl-C or a crash the same command goes on where it stood. The
    best trial's checkpoint is kept beside the same settings trained anew, and what is better on
    validation rows goes on; touchstone run takes it to its verdict on the sealed rows.

    Example: touchstone tune examples/tune.yaml
    Fewer:   touchstone tune examples/tune.yaml --set method.trials=5 --set 'without=\[hybrid]'
    """
    from touchstone.cli.studies import command_line
    from touchstone.pipelines import tune as own
    from touchstone.pipelines.study import parse_overrides
    from touchstone.pipelines.tune_config import read_tune

    how = asked.How(out, ledger, jobs, again, tracking, quiet, verbose, json_)
    given = {k: v for k, v in {"storage": storage, "backend": backend}.items() if v is not None}
    what = read_tune(file, parse_overrides(set_ or []) | given, bars)
    asked.answer(own.tune, what, how, command_line())
