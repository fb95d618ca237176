"""`tune`: settings of every architecture are searched on purged folds; the best one is kept."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import options as o

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="TUNE.yaml", help="What is searched, on which study.")
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the search, as in "
                 "method.trials=40, or of its study, as in study.lookback=12; may be repeated."),
]  # fmt: skip
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
    set_: Set = None,
    storage: Storage = None,
    backend: Backend = None,
    jobs: Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: Annotated[
        bool, typer.Option("--again", help="Repeat a finished search; its fits are cached.")
    ] = False,
    tracking: o.Tracking = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Search the settings of each architecture on purged folds; keep the best.

    What may be tried stands with each setting (touchstone schema), and in the file's `space`. Every
    trial goes to the ledger. After Ctrl-C or a crash the same command goes on where it stood. The
    best trial's checkpoint is kept beside the same settings trained anew, and what is better on
    validation rows goes on; touchstone run takes it to its verdict on the sealed rows.

    Example: touchstone tune examples/tune.yaml
    Fewer:   touchstone tune examples/tune.yaml --set method.trials=5 --set 'without=[hybrid]'
    """
    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines import tune as own
    from touchstone.pipelines.run import Ask
    from touchstone.pipelines.study import parse_overrides
    from touchstone.pipelines.tune_config import read_tune
    from touchstone.pipelines.workspace import Workspace
    from touchstone.tuning.storage import without_password

    given = {"storage": storage, "backend": backend}
    asked = read_tune(
        file, parse_overrides(set_ or []) | {k: v for k, v in given.items() if v is not None}, bars
    )
    n, place = jobs or os.cpu_count() or 1, o.tracking_asked(tracking)
    ray = os.environ.get("RAY_ADDRESS", "")
    ask = Ask(Workspace(out, ledger), n, without_password(command_line()), again, place, ray)
    progress = Terminal(console(), -1 if quiet or json_ else int(verbose))
    ended = own.tune(asked, ask, progress, progress.seconds)
    if json_:
        typer.echo((ended.folder / own.RESULT).read_text(), nl=False)
        return
    if ended.shown:
        typer.echo("this search was run on these data before; --again repeats it", err=True)
    for line in ended.lines:
        typer.echo(line)
    typer.echo(f"report  {ended.folder / 'report.html'}")
    typer.echo(f"result  {ended.folder / own.RESULT}")
