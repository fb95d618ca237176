"""`promote` and `registry`: who may trade, since when, and how it was before."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError, DataError, RefusedError

if TYPE_CHECKING:
    from touchstone.registry.champions import Event

app = typer.Typer(help="Champions: who may trade, and how they came to.", no_args_is_help=True)

_REFUSED = 4


def promote(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run: its folder, its name, or the start of it."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Under which name; the study's by default.")
    ] = None,
    override: Annotated[
        str | None,
        typer.Option("--override", metavar="REASON", help="Let it trade although its verdict is "
                     "not `evidence`. Written to the ledger with your name, and shown in red. "
                     "Sets aside no other condition."),
    ] = None,
    rollback: Annotated[
        str | None,
        typer.Option("--rollback", metavar="NAME", help="Make the champion before this one "
                     "champion again; needs the same ledger."),
    ] = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Ask the gate about a run: make its model champion, or say which conditions are not met.

    Every condition must be met: verdict `evidence`, lower bounds above cash, buy-and-hold and
    zero, precision above break-even, drawdown, twice the costs, a clean leak audit, golden rows
    reproduced. A refusal ends with exit code 4. The model card says the same as a page.

    Example: touchstone promote my-study --name hourly
    """
    from touchstone.pipelines.workspace import Workspace

    workspace = Workspace(out, ledger)
    if rollback is not None:
        if run is not None or name is not None or override is not None:
            raise ConfigError("--rollback NAME stands alone: it takes no run and no other option")
        _roll_back(workspace, rollback, json_)
        return
    if run is None:
        raise ConfigError("promote needs a RUN (touchstone runs list), or --rollback NAME")
    from touchstone.pipelines.promote import Ask, refusal, told
    from touchstone.pipelines.promote import promote as ask_the_gate

    found = ask_the_gate(Ask(workspace, run, name, override))
    if json_:
        typer.echo(json.dumps(told(found), indent=1))
        if found.event is None:
            raise typer.Exit(_REFUSED)
        return
    if found.event is None:
        raise RefusedError(refusal(found))
    typer.echo(f"{found.card.run} is champion of {found.card.name}, version {found.event.version}")
    if found.event.override:
        typer.echo(f"against its verdict {found.card.verdict!r}: {found.event.override}")
    typer.echo(f"card    {found.page}")


def _roll_back(workspace: Any, name: str, json_: bool) -> None:
    from touchstone.pipelines.promote import roll_back

    event = roll_back(workspace, name)
    if json_:
        typer.echo(json.dumps(event.model_dump(mode="json"), indent=1))
        return
    typer.echo(f"{event.run}, version {event.version}, is champion of {name} again")


@app.command("list")
def list_(out: o.Out = Path(), json_: o.Json = False) -> None:
    """List every name with its champion, its artifact checked file by file."""
    from touchstone.pipelines.champions import standing

    found = standing(out)
    if json_:
        typer.echo(json.dumps(found, indent=1))
        return
    for one in found:
        champion = one["champion"]
        line = f"{one['name']:<24} no champion"
        if champion is not None:
            line = (
                f"{one['name']:<24} version {champion['version']:<4} since {champion['at']}  "
                f"{champion['run']}"
            )
            line += f"  override: {champion['override']}" if champion["override"] else ""
        typer.echo(line + (f"  BROKEN: {one['problem']}" if one["problem"] else ""))
    if not found:
        typer.echo(f"no champion under {out / 'registry'}; touchstone promote makes one", err=True)
    if any(one["problem"] for one in found):
        raise typer.Exit(_REFUSED)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `registry list` tells it.")],
    out: o.Out = Path(),
    json_: o.Json = False,
) -> None:
    """Show the aliases under a name and everything that happened there, oldest first."""
    from touchstone.registry.champions import Champions

    champions = Champions(out / "registry", name)
    history = champions.history()
    if not history:
        raise DataError(f"{champions.folder}: nothing was ever promoted under this name")
    if json_:
        events = [event.model_dump(mode="json") for event in history]
        told = {"name": name, "aliases": champions.aliases(), "history": events}
        typer.echo(json.dumps(told, indent=1))
        return
    for alias, version in champions.aliases().items():
        typer.echo(f"{alias:<11} version {version}  {champions.place(version)}")
    for event in history:
        typer.echo(_line(event))


def _line(event: "Event") -> str:
    line = (
        f"{event.number:>4}  {event.at}  {event.act:<11} version {event.version}  by {event.who}  "
        f"{event.run}, verdict {event.verdict}"
    )
    return line + (f"; override: {event.override}" if event.override else "")
