"""`runs` and `export`: what was found before, side by side, and as tables."""

import json
import os
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touchstone.cli import options as o
from touchstone.cli.compare import compare
from touchstone.errors import ConfigError, DataError

if TYPE_CHECKING:
    from touchstone.pipelines.finished import Finished

app = typer.Typer(help="What was found before.", no_args_is_help=True)


@app.command("list")
def list_(out: o.Out = Path(), json_: o.Json = False) -> None:
    """List finished runs, one line each."""
    from touchstone.pipelines.finished import finished_runs, run_line

    found = finished_runs(out / "runs")
    if json_:
        typer.echo(
            json.dumps(
                [{"run": r.name, "verdict": r.result.market.verdict.word} for r in found], indent=1
            )
        )
        return
    for one in found:
        typer.echo(run_line(one))
    if not found:
        typer.echo(f"no finished run under {out / 'runs'}; touchstone run makes one", err=True)


@app.command()
def show(run: o.RunName, out: o.Out = Path(), json_: o.Json = False) -> None:
    """Print a run's verdict and figures."""
    from touchstone.pipelines.finished import find
    from touchstone.reports.terminal import summary_lines

    found = find(out / "runs", run)
    if json_:
        typer.echo((found.folder / "result.json").read_text(), nl=False)
        return
    for line in summary_lines(found.result):
        typer.echo(line)
    typer.echo(f"report  {found.folder / 'report.html'}")


@app.command("open")
def open_(run: o.RunName, out: o.Out = Path()) -> None:
    """Open a run's report in the browser."""
    from touchstone.pipelines.finished import find

    report = (find(out / "runs", run).folder / "report.html").resolve()
    if not webbrowser.open(report.as_uri()):
        raise DataError(f"no browser could be opened here; the report is {report}")
    typer.echo(str(report))


app.command()(compare)


@app.command()
def checkpoints(
    study: Annotated[str, typer.Argument(help="Only of studies whose name begins so.")] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Remove them.")] = False,
    out: o.Out = Path(),
    json_: o.Json = False,
) -> None:
    """List checkpoints of fits that were stopped, and those that `training.keep_every` keeps.

    The command that was stopped goes on from them when it is given again.
    """
    from touchstone.pipelines.checkpoints import as_json, line, listed
    from touchstone.pipelines.workspace import Workspace
    from touchstone.registry.checkpoints import remove

    found = listed(Workspace(out).checkpoints, study)
    if clear:
        for one in found:
            remove(one.path)
        typer.echo(json.dumps({"removed": len(found)}) if json_ else f"{len(found)} removed")
        return
    if json_:
        typer.echo(json.dumps(as_json(found), indent=1))
        return
    for one in found:
        typer.echo(line(one))
    if not found:
        typer.echo("no checkpoints: no fit was stopped, and none keeps any", err=True)


def export(
    run: o.RunName,
    what: Annotated[
        str,
        typer.Option(
            "--what",
            help="trades, equity, scores, validation, features, positions, folds, or onnx.",
        ),
    ],
    to: Annotated[
        str | None, typer.Option("--to", help="csv or parquet; as the file's suffix by default.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Where to write it.")] = None,
    out: o.Out = Path(),
    ledger: o.LedgerPath = None,
    jobs: o.Jobs = None,
    quiet: o.Quiet = False,
) -> None:
    """Write one of a run's tables as CSV or Parquet, each fold's model, or the model as ONNX.

    With --what folds a folder is written that holds one artifact a fold: the model, scaler and
    calibrator as they were known before the fold's test, for a replay of the walk-forward. With
    --what onnx the chosen model is written as one ONNX file, with scaler, calibrator and strategy
    in its metadata (needs the extra onnx).

    Example: touchstone export quickstart --what folds --file folds
    """
    from touchstone.pipelines.finished import find, table_of
    from touchstone.pipelines.tables import write_table

    found = find(out / "runs", run)
    if what in ("folds", "onnx") and to is not None:
        raise ConfigError(f"--to {to}: {what} is no table; leave --to out, --file says where")
    if what == "folds":
        _export_folds(found, file or Path(f"{found.name}-folds"), (out, ledger, jobs), quiet)
        return
    if what == "onnx":
        from touchstone.pipelines.onnx_file import export_onnx

        typer.echo(export_onnx(found, file or Path(f"{found.name}.onnx")))
        return
    table = table_of(found, what, out)
    target = file or Path(f"{found.name}-{what}.{to or 'parquet'}")
    write_table(table, target, to)
    typer.echo(f"{target}: {table.height:,} rows, {table.width} columns")


def _export_folds(
    run: "Finished", target: Path, where: tuple[Path, Path | None, int | None], quiet: bool
) -> None:
    from touchstone.cli.terminal import Terminal, console
    from touchstone.data.cache import StageCache
    from touchstone.pipelines.run import ledger_of
    from touchstone.pipelines.shelf import Resources
    from touchstone.pipelines.walk import export_folds
    from touchstone.pipelines.workspace import Workspace

    out, ledger, jobs = where
    workspace = Workspace(out, ledger)
    resources = Resources(
        StageCache(workspace.cache),
        ledger_of(workspace),
        Terminal(console(), -1 if quiet else 0),
        jobs or os.cpu_count() or 1,
        workspace.checkpoints,
    )
    for line in export_folds(run, target, resources):
        typer.echo(line)
