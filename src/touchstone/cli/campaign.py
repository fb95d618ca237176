"""`campaign`: all architectures on the same folds with the same budget, and a leaderboard."""

import json
import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from touchstone.cli import options as o

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="CAMPAIGN.yaml", help="What competes, on which study.")
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the campaign, as in "
                 "budget.epochs=3, or of its study, as in study.lookback=12; may be repeated."),
]  # fmt: skip
Only: TypeAlias = Annotated[
    bool,
    typer.Option("--check", help="Only look at the prerequisites; exit 4 where one is not met."),
]


def campaign(
    file: File,
    bars: o.Bars = None,
    set_: Set = None,
    check: Only = False,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: Annotated[
        bool, typer.Option("--again", help="Repeat a finished campaign; its fits are cached.")
    ] = False,
    tracking: o.Tracking = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Train every architecture on the same folds with the same budget; end in a leaderboard.

    Prerequisites are looked at first, each with its sentence; where one is not met nothing is
    trained. After Ctrl-C or a crash the same command goes on where it stood. The sealed rows stay
    closed: touchstone run takes one architecture to its verdict.

    Example: touchstone campaign examples/campaign.yaml --bars data/bars/1h
    """
    from touchstone.cli.studies import command_line
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines import campaign as own
    from touchstone.pipelines.campaign_checks import check_lines
    from touchstone.pipelines.campaign_config import read_campaign
    from touchstone.pipelines.run import Ask
    from touchstone.pipelines.study import parse_overrides
    from touchstone.pipelines.workspace import Workspace
    from touchstone.reports.campaign import told

    asked = read_campaign(file, parse_overrides(set_ or []), bars)
    n, place = jobs or os.cpu_count() or 1, o.tracking_asked(tracking)
    ask = Ask(Workspace(out, ledger), n, command_line(), again, place)
    progress = Terminal(console(), -1 if quiet or json_ else int(verbose))
    if check:
        found = own.check(asked, ask, progress)
        rows = [c.model_dump() for c in found]
        lines = [json.dumps(rows, indent=1)] if json_ else check_lines(found)
        for line in lines:
            typer.echo(line)
        raise typer.Exit(0 if all(c.ok for c in found) else 4)
    ended = own.campaign(asked, ask, progress, progress.seconds)
    if json_:
        typer.echo((ended.folder / own.RESULT).read_text(), nl=False)
        return
    if ended.shown:
        typer.echo("this campaign was run on these data before; --again repeats it", err=True)
    for line in told(ended.result):
        typer.echo(line)
    typer.echo(f"report  {ended.folder / 'report.html'}")
    typer.echo(f"result  {ended.folder / own.RESULT}")
