"""`campaign`: all architectures on the same folds with the same budget, and a leaderboard."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeAlias

import typer

from touchstone.cli import asked
from touchstone.cli import options as o

if TYPE_CHECKING:
    from touchstone.reports.campaign import Check

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="CAMPAIGN.yaml", help="What competes, on which study.")
]
Only: TypeAlias = Annotated[
    bool,
    typer.Option("--check", help="Only look at the prerequisites; exit 4 where one is not met."),
]


def campaign(
    file: File,
    bars: o.Bars = None,
    set_: asked.Set = None,
    check: Only = False,
    jobs: o.Jobs = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    again: asked.Again = False,
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
    from touchstone.pipelines import campaign as own
    from touchstone.pipelines.campaign_config import read_campaign
    from touchstone.pipelines.study import parse_overrides

    how = asked.How(out, ledger, jobs, again, tracking, quiet, verbose, json_)
    what = read_campaign(file, parse_overrides(set_ or []), bars)
    if check:
        _check(own.check(what, how.ask(command_line()), how.progress()), json_)
    asked.answer(own.campaign, what, how, command_line())


def _check(found: "Sequence[Check]", json_: bool) -> NoReturn:
    from touchstone.pipelines.campaign_checks import check_lines

    rows = [c.model_dump() for c in found]
    for line in [json.dumps(rows, indent=1)] if json_ else check_lines(found):
        typer.echo(line)
    raise typer.Exit(0 if all(c.ok for c in found) else 4)
