"""`ledger`: the record of everything that was tried; list it, read a row, prove it whole."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from touchstone.cli import options as o
from touchstone.errors import DataError

if TYPE_CHECKING:
    from touchstone.pipelines.workspace import Workspace
    from touchstone.validation.chain import Row

app = typer.Typer(help="The record of everything that was tried.", no_args_is_help=True)


@app.command("list")
def list_(
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    kind: Annotated[
        str | None,
        typer.Option(help="Only rows of this kind: fit, backtest, sweep, look, repeat, audit, "
                     "surrogate, run, promotion."),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Only rows whose fingerprint begins so.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Only rows whose data hash begins so.")] = None,
    last: Annotated[int, typer.Option(min=1, help="Only so many rows, the newest.")] = 20,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """List rows of the trial ledger, the newest last.

    Example: touchstone ledger list --kind look
    """
    found = [
        row
        for row in _rows(_workspace(out, ledger))
        if (kind is None or row.kind == kind)
        and row.config.startswith(study or "")
        and row.data.startswith(data or "")
    ][-last:]
    if json_:
        typer.echo(json.dumps([_told(row) for row in found], indent=1))
        return
    for row in found:
        typer.echo(
            f"{row.id:>6}  {row.at}  {row.kind:<9} {row.config:<16} data {row.data[:12]:<12}  "
            f"{_gist(row)}".rstrip()
        )
    if not found:
        typer.echo("no such row", err=True)


@app.command()
def show(
    row: Annotated[
        int | None, typer.Argument(min=1, metavar="ROW", help="A row's number.")
    ] = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    last: Annotated[
        int, typer.Option(min=1, help="Without ROW: so many rows, the newest.")
    ] = 20,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Print one row of the trial ledger with all its facts; without ROW the newest rows."""
    if row is None:
        list_(out, ledger, None, None, None, last, json_)
        return
    rows = _rows(_workspace(out, ledger))
    found = next((r for r in rows if r.id == row), None)
    if found is None:
        raise DataError(f"no row {row}: the ledger holds {len(rows)}")
    told = _told(found)
    if json_:
        typer.echo(json.dumps(told, indent=1))
        return
    facts = told.pop("facts")
    for name, value in told.items():
        typer.echo(f"{name:<9} {value}")
    typer.echo("facts")
    for name, value in facts.items():
        text = value if isinstance(value, str) else json.dumps(value)
        typer.echo(f"  {name:<15} {text if len(text) <= 200 else text[:200] + ' ...'}")


@app.command()
def verify(
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="ROWS:HASH", help="A head that an earlier run.json holds "
                     "(`ledger_head`): the ledger must have grown from it."),
    ] = None,
    json_: o.Json = False,
) -> None:  # fmt: skip
    """Prove the ledger whole: no row edited, deleted or inserted, and nothing that it lacks.

    Beside the chain of hashes it asks what refers to the ledger: every look has its comparison,
    every finished run's head, result and artifact stand in it, every champion's promotion too.
    """
    from touchstone.pipelines.run import ledger_head
    from touchstone.pipelines.verify import verified

    head = None if since is None else ledger_head(since)
    found = verified(_workspace(out, ledger), head)
    if json_:
        told = [finding._asdict() for finding in found.findings]
        typer.echo(json.dumps({"sound": not told, **found.counts(), "findings": told}, indent=1))
    else:
        for finding in found.findings:
            where = f"row {finding.row}: " if finding.row else ""
            typer.echo(f"{where}{finding.problem}")
        if not found.findings:
            typer.echo(
                f"{_n(found.head.n_rows, 'row')}, unbroken; {_n(found.n_runs, 'run')} and "
                f"{_n(found.n_artifacts, 'artifact')} agree with it; head {found.head.hash[:16]}"
            )
    if found.findings:
        raise typer.Exit(4)


def _n(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _workspace(out: Path, ledger: Path | None) -> "Workspace":
    from touchstone.pipelines.workspace import Workspace

    workspace = Workspace(out, ledger)
    if not workspace.ledger.is_file():
        raise DataError(f"{workspace.ledger}: no ledger there; touchstone run begins one")
    return workspace


def _rows(workspace: "Workspace") -> "tuple[Row, ...]":
    from touchstone.pipelines.run import ledger_of

    return ledger_of(workspace)().rows()


def _told(row: "Row") -> dict[str, Any]:
    return {**row._asdict(), "facts": _facts(row)}


def _facts(row: "Row") -> dict[str, Any]:
    try:
        facts = json.loads(row.facts)
    except ValueError:
        return {"not JSON, so edited": row.facts}
    return facts if isinstance(facts, dict) else {"no facts, so edited": facts}


def _gist(row: "Row") -> str:
    """What a person wants to know of a row at a glance."""
    facts = _facts(row)
    if row.kind == "sweep":
        return f"{len(facts.get('candidates', ()))} candidates"
    named = {
        "fit": ("model", "status"),
        "backtest": ("n_trades",),
        "audit": ("result",),
        "run": ("verdict",),
        "promotion": ("act", "name", "version"),
        "failed_look": ("error",),
    }
    told = [f"{k} {facts[k]}" for k in named.get(row.kind, ()) if facts.get(k) is not None]
    return ", ".join(told)
