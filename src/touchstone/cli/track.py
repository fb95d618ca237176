"""`track`: what waits to be told to MLflow, and where it is looked at."""

import json
from pathlib import Path

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError

app = typer.Typer(
    help="Runs in MLflow: what waits to be told, and where to look.", no_args_is_help=True
)


@app.command()
def flush(out: o.Out = Path(), tracking: o.Tracking = None, json_: o.Json = False) -> None:
    """Send what waits to the tracking server, each run once, however often this is called.

    Runs whose server could not be reached wait in tracking.jsonl, in the run's folder. Ends with
    exit code 3 where something still waits.

    Example: touchstone track flush --tracking http://127.0.0.1:5000
    """
    from touchstone.cli.terminal import Terminal, console
    from touchstone.pipelines.track import OFF, standing, tell
    from touchstone.pipelines.workspace import Workspace

    workspace, asked = Workspace(out), o.tracking_asked(tracking)
    if asked == OFF:
        raise ConfigError("tracking is off: nothing is sent; --tracking URI says where to")
    n = tell(workspace, asked, Terminal(console(), -1 if json_ else 0))
    waiting = standing(workspace, asked).waiting
    if json_:
        typer.echo(json.dumps({"sent": n, "waiting": waiting}, indent=1))
    elif not waiting:
        typer.echo(f"{n} sent, nothing waits")
    if waiting:
        raise typer.Exit(3)


@app.command()
def status(out: o.Out = Path(), tracking: o.Tracking = None, json_: o.Json = False) -> None:
    """Say where runs are tracked, how many events wait, and how to look at them."""
    from touchstone.pipelines.track import standing
    from touchstone.pipelines.workspace import Workspace

    found = standing(Workspace(out), o.tracking_asked(tracking))
    if json_:
        typer.echo(json.dumps(found._asdict(), indent=1))
        return
    typer.echo(f"tracked in  {found.place}")
    typer.echo(f"waiting     {found.waiting}")
    if found.look:
        typer.echo(f"look        {found.look}")
