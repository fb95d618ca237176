"""`ensemble`: many models asked, one answer, compared with the best of them."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import options as o

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="ENSEMBLE.yaml", help="Who is asked, on which study.")
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the ensemble, as in "
                 "prune=false, or of its study, as in study.lookback=12; may be repeated."),
]  # fmt: skip


def ensemble(
    file: File,
    bars: o.Bars = None,
    set_: Set = None,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: Annotated[
        bool, typer.Option("--again", help="Repeat a finished ensemble; its fits are cached.")
    ] = False,
    tracking: o.Tracking = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Combine a study's models in every way, and ask whether any beats the best of them.

    Members are fitted on the folds of a study; combinations only on validation rows, which no
    member was fitted to. On the test rows each is compared with the member that was best on
    validation rows. "better" is said by the code: a two-sided Ledoit-Wolf p of the difference of
    Sharpe ratios below 0.05 after Holm over all ensembles, and a positive difference. The best
    ensemble on validation rows is then taught to one small network (distil: null leaves that
    out). After Ctrl-C or a crash the same command goes on where it stood. The sealed rows stay
    closed.

    Example: touchstone ensemble examples/ensemble.yaml
    """
    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines import ensemble as own
    from touchstone.pipelines.ensemble_config import read_ensemble
    from touchstone.pipelines.run import Ask
    from touchstone.pipelines.study import parse_overrides
    from touchstone.pipelines.workspace import Workspace
    from touchstone.reports.ensemble import told

    asked = read_ensemble(file, parse_overrides(set_ or []), bars)
    n, place = jobs or os.cpu_count() or 1, o.tracking_asked(tracking)
    ask = Ask(Workspace(out, ledger), n, command_line(), again, place)
    progress = Terminal(console(), -1 if quiet or json_ else int(verbose))
    ended = own.ensemble(asked, ask, progress, progress.seconds)
    if json_:
        typer.echo((ended.folder / own.RESULT).read_text(), nl=False)
        return
    if ended.shown:
        typer.echo("this ensemble was run on these data before; --again repeats it", err=True)
    for line in told(ended.result):
        typer.echo(line)
    typer.echo(f"report  {ended.folder / 'report.html'}")
    typer.echo(f"result  {ended.folder / own.RESULT}")
