"""`cache` and `ledger`: what the workspace keeps for the machine, and the record of all trials."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touchstone.cli import options as o
from touchstone.errors import DataError

if TYPE_CHECKING:
    from touchstone.validation.ledger import SqliteLedger

app = typer.Typer(help="Finished stages, by content hash; safe to clear.", no_args_is_help=True)
ledger_app = typer.Typer(help="The record of everything that was tried.", no_args_is_help=True)


@app.command()
def show(out: o.Out = Path(), json_: o.Json = False) -> None:
    """List cached stages with their sizes."""
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.columns import count
    from touchstone.pipelines.workspace import Workspace

    cache = StageCache(Workspace(out).cache)
    entries = cache.entries()
    if json_:
        typer.echo(json.dumps([e._asdict() for e in entries], indent=1, default=str))
        return
    stages: dict[str, list[int]] = {}
    for entry in entries:
        stages.setdefault(entry.stage, []).append(entry.size)
    for stage, sizes in sorted(stages.items()):
        told = ""
        if stage == "features":
            told = "  {:,} columns, {:,} different".format(*count(cache))
        typer.echo(f"{stage:<12} {len(sizes):>6} entries {sum(sizes) / 1e6:>10,.1f} MB{told}")
    typer.echo(
        f"{'all':<12} {len(entries):>6} entries {sum(e.size for e in entries) / 1e6:>10,.1f} MB"
    )


@app.command()
def clear(out: o.Out = Path(), stage: o.Stage = None) -> None:
    """Delete cached stages; runs and the ledger stay."""
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.workspace import Workspace

    n = StageCache(Workspace(out).cache).clear(stage)
    typer.echo(f"{n} entries deleted")


@ledger_app.command("show")
def show_ledger(
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    last: Annotated[int, typer.Option(min=1, help="Only so many rows, the newest.")] = 20,
) -> None:
    """List the newest rows of the trial ledger."""
    for row in _book(out, ledger).rows()[-last:]:
        typer.echo(f"{row.id:>6}  {row.at}  {row.kind:<9} {row.config:<16} data {row.data[:12]}")


@ledger_app.command()
def verify(
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="ROWS:HASH", help="A head that an earlier run.json holds "
                     "(`ledger_head`): the ledger must have grown from it."),
    ] = None,
) -> None:  # fmt: skip
    """Check the chain of hashes: edited and deleted rows are found; a rewritten one by --since."""
    from touchstone.pipelines.run import ledger_head

    book = _book(out, ledger)
    findings = book.verify(None if since is None else ledger_head(since))
    for finding in findings:
        typer.echo(f"row {finding.row}: {finding.problem}")
    if findings:
        raise typer.Exit(4)
    head = book.head()
    typer.echo(f"{head.n_rows} rows, unbroken; head {head.hash[:16]}")


def _book(out: Path, ledger: Path | None) -> "SqliteLedger":
    from touchstone.pipelines.run import ledger_of
    from touchstone.pipelines.workspace import Workspace

    workspace = Workspace(out, ledger)
    if not workspace.ledger.is_file():
        raise DataError(f"{workspace.ledger}: no ledger there; touchstone run begins one")
    return ledger_of(workspace)()
