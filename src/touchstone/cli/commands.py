"""Which words call what: every command on the one application."""

from collections.abc import Callable
from typing import Annotated

import typer

from touchstone.cli import (
    audit,
    cache,
    data,
    ledger,
    measures,
    promote,
    runs,
    stages,
    studies,
    track,
    universes,
)
from touchstone.cli.backtest import backtest
from touchstone.cli.calibrate import calibrate
from touchstone.cli.campaign import campaign
from touchstone.cli.compare import compare
from touchstone.cli.ensemble import ensemble
from touchstone.cli.explain import explain
from touchstone.cli.power import power
from touchstone.cli.sweep import sweep
from touchstone.cli.tune import tune


def attach(app: typer.Typer) -> None:
    """Register every command; called once, at the door."""
    app.callback(invoke_without_command=True)(_root)
    whole: list[Callable[..., None]] = [studies.run, studies.init, studies.check, studies.schema]
    alone: list[Callable[..., None]] = [
        stages.features, stages.labels, backtest, stages.inspect,
    ]  # fmt: skip
    alone.insert(3, sweep)
    whole[1:1] = [campaign, tune, ensemble]
    for command in whole:
        app.command()(command)
    for command in alone:
        app.command(rich_help_panel="Stages alone")(command)
    app.command(rich_help_panel="Runs")(audit.audit)
    app.command(rich_help_panel="Runs")(compare)
    app.command(rich_help_panel="Runs")(explain)
    app.command(rich_help_panel="Runs")(runs.export)
    app.command(rich_help_panel="The pipeline itself")(calibrate)
    app.command(rich_help_panel="The pipeline itself")(power)
    app.add_typer(runs.app, name="runs", rich_help_panel="Runs")
    app.command(rich_help_panel="Runs")(promote.promote)
    app.add_typer(promote.app, name="registry", rich_help_panel="Runs")
    app.add_typer(data.app, name="data", rich_help_panel="Data")
    app.add_typer(measures.app, name="study", rich_help_panel="Stages alone")
    app.add_typer(track.app, name="track", rich_help_panel="Workspace")
    app.add_typer(universes.app, name="universe", rich_help_panel="Workspace")
    app.add_typer(cache.app, name="cache", rich_help_panel="Workspace")
    app.add_typer(ledger.app, name="ledger", rich_help_panel="Workspace")


def _print_version(as_json: bool) -> None:
    import json

    import touchstone

    if not as_json:
        typer.echo(f"touchstone {touchstone.__version__}")
    else:
        from touchstone.pipelines.run import versions

        typer.echo(json.dumps(versions(), indent=1))
    raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version; with --json, of every package.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="With --version: as JSON.")] = False,
) -> None:
    if version:
        _print_version(json_)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


__all__ = ["attach"]
